"""Fine-tuning, merging and evaluating models; each subpackage is one part of that work."""
