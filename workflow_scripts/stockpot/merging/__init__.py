"""Merging: recipes, the arithmetic that makes weights of them, and the merge methods."""
