"""Dataset sources: each file of ``sources/`` registers one by its name."""
