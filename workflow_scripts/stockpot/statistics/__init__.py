"""Intervals, tests and fitted lines from counts of correct answers; no model, no torch."""
