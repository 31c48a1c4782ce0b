"""Data sets: where images come from, how they are decoded, and how they are stored.

Each file of ``sources/`` adds one kind of data by its file name. ``prepare`` turns a source into a
folder of arrays, which ``dataset`` writes and reads.
"""
