"""Training: one loop, one file per variant."""
