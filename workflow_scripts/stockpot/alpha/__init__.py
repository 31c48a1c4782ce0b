"""Choosing the mixing coefficient alpha: every rule, and the default one, see ``selectors``."""
