"""What every stage stands on: files, limits, text. Nothing here computes a number of a study."""
