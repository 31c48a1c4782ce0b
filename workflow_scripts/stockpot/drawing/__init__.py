"""What figures share: style, looks of kinds of models, axes, labels, fitting of texts."""
