"""Random answers: which examples a model has right."""

import numpy as np


def random_answers(n, share, seed):
    return np.random.default_rng(seed).random(n) < share
