"""Facts about merge rules that planning needs, free of heavy imports."""

LINEAR, LOGIT_ENSEMBLE = "linear", "logit-ensemble"
OUTPUT_SPACE = (LOGIT_ENSEMBLE,)
