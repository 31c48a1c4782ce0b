"""Evaluation: a store of predictions and the engine that fills it."""
