"""Evaluation: the engine that computes predictions, and the store that keeps them."""
