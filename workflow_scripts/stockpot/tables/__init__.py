"""The tables of a study that figures and people read."""
