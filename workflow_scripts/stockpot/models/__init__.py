"""Models: architectures, weights files and zero-shot heads."""
