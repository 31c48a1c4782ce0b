"""Merging: recipes, the arithmetic that makes weights of them, and the methods that find them."""
