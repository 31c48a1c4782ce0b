"""From counts of correct answers to intervals, lines and tables. No model, no image, no torch."""
