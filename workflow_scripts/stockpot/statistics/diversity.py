"""How differently two models answer the same examples (WiSE-FT, appendix E).

All from stored predictions; 0 is the same, and every measure is symmetric but ``divergence``.
"""

import numpy as np
from scipy.special import log_softmax


def sample(n: int, most: int = 10_000, seed: int = 0) -> np.ndarray | slice:
    """Rising rows of ``most`` of n examples, drawn by the seed; all where there are no more."""
    if n <= most:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def prediction_diversity(one, other) -> float:
    """Share of examples that exactly one of the two has right; bool [n] each. NaN for n = 0."""
    one, other = np.asarray(one, dtype=bool), np.asarray(other, dtype=bool)
    return float((one != other).mean()) if len(one) else float("nan")


def kappa_complement(one, other) -> float:
    """1 - Cohen's kappa of two predictions, int [n]: (1 - agreement) / (1 - that by chance).

    0 where both always predict one and the same class, although kappa is then undefined.
    """
    one, other = np.asarray(one, dtype=int), np.asarray(other, dtype=int)
    if len(one) == 0:
        return float("nan")
    classes = int(max(one.max(), other.max())) + 1
    shares = [
        np.bincount(labels, minlength=classes) / len(labels) for labels in (one, other)
    ]
    by_chance = float(shares[0] @ shares[1])
    return 0.0 if by_chance == 1 else float((one != other).mean() / (1 - by_chance))


def divergence(one, other) -> float:
    """Mean KL(softmax one || softmax other) in nats; logits [n, classes]. NaN for n = 0."""
    p, q = (
        log_softmax(np.asarray(logits, dtype=float), axis=1) for logits in (one, other)
    )
    return float((np.exp(p) * (p - q)).sum(axis=1).mean()) if len(p) else float("nan")


def cka_complement(one, other, most: int = 10_000, seed: int = 0) -> float:
    """1 - linear CKA of two models' outputs [n, classes] (Kornblith et al. 2019).

    Of ``most`` examples, drawn by the seed, where there are more. Of logits and not features:
    a linear classifier has the features of the zero-shot model. NaN where an output never
    changes.
    """
    outputs = [np.asarray(logits, dtype=float) for logits in (one, other)]
    rows = sample(len(outputs[0]), most, seed)
    outputs = [output[rows] for output in outputs]
    x, y = (output - output.mean(axis=0) for output in outputs)
    scale = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return (
        float(1 - np.linalg.norm(y.T @ x) ** 2 / scale) if scale > 0 else float("nan")
    )
