"""Names of the rules that a recipe can have, for planning, which must not import torch."""

LINEAR = "linear"
LOGIT_ENSEMBLE = "logit-ensemble"
SOFTMAX_ENSEMBLE = "softmax-ensemble"
RANDOM_INTERPOLATION = "random-interpolation"
# Rules that mix what the models answer, not their weights.
OUTPUT_SPACE = (LOGIT_ENSEMBLE, SOFTMAX_ENSEMBLE, RANDOM_INTERPOLATION)
