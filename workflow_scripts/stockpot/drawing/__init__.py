"""What figures share: style, looks of kinds of models, axes, names of points, fitting texts."""
