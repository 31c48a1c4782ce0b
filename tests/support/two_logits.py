"""Logits of two models on the same examples."""

import numpy as np

GENERATOR = np.random.default_rng(0)


TWO_LOGITS = [GENERATOR.normal(size=(60, 5)) * 2 for _ in range(2)]
