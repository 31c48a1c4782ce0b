"""Facts about merge rules that planning needs, free of heavy imports."""

LINEAR = "linear"
LOGIT_ENSEMBLE = "logit-ensemble"
SOFTMAX_ENSEMBLE = "softmax-ensemble"
RANDOM_INTERPOLATION = "random-interpolation"
OUTPUT_SPACE = (LOGIT_ENSEMBLE, SOFTMAX_ENSEMBLE, RANDOM_INTERPOLATION)
