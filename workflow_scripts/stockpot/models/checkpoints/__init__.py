"""Checkpoints that other programs wrote: their tensors, read as data without running anything."""
