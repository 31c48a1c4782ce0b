"""How differently two models answer the same examples (WiSE-FT, appendix E).

All measures are computed from stored predictions. 0 means that the models answer alike. Every
measure is symmetric, except ``divergence``.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax


def sample(
    example_count: int,
    most: int = 10_000,
    seed: int = 0,
) -> np.ndarray | slice:
    """Draw examples without replacement where there are too many.

    Args:
        example_count: How many examples there are.
        most: How many to draw at most.
        seed: Of the random draw.

    Returns:
        The rows that were drawn, int64 and rising; a slice of all where all are taken.
    """
    if example_count <= most:
        return slice(None)
    rng = np.random.default_rng(seed)
    rows = rng.choice(example_count, most, replace=False)
    return np.sort(rows)


def prediction_diversity(
    first_correct: ArrayLike,
    second_correct: ArrayLike,
) -> float:
    """Compute the fraction of examples that exactly one of two models has right.

    Args:
        first_correct: Bool [n], of the first model.
        second_correct: Bool [n], of the second model on the same examples.

    Returns:
        A fraction; NaN without examples.
    """
    first_correct = np.asarray(first_correct, dtype=bool)
    second_correct = np.asarray(second_correct, dtype=bool)
    if len(first_correct) == 0:
        return float("nan")
    is_different = first_correct != second_correct
    return float(is_different.mean())


def kappa_complement(
    first_classes: ArrayLike,
    second_classes: ArrayLike,
) -> float:
    """Compute 1 - Cohen's kappa: (1 - agreement) / (1 - agreement by chance).

    Args:
        first_classes: Int [n], the classes that the first model predicts.
        second_classes: Int [n], those of the second model on the same examples.

    Returns:
        0 where both models always predict one and the same class, although kappa is then
        undefined; NaN without examples.
    """
    first_classes = np.asarray(first_classes, dtype=int)
    second_classes = np.asarray(second_classes, dtype=int)
    if len(first_classes) == 0:
        return float("nan")
    highest_class = max(first_classes.max(), second_classes.max())
    class_count = int(highest_class) + 1
    first_frequencies = _frequencies(first_classes, class_count)
    second_frequencies = _frequencies(second_classes, class_count)
    # Two independent predictions agree this often, with these frequencies.
    by_chance = float(first_frequencies @ second_frequencies)
    if by_chance == 1:
        return 0.0
    is_different = first_classes != second_classes
    disagreement = is_different.mean()
    return float(disagreement / (1 - by_chance))


def _frequencies(
    classes: np.ndarray,
    class_count: int,
) -> np.ndarray:
    """How often each class is predicted, float64 [class_count], fractions."""
    counts = np.bincount(classes, minlength=class_count)
    return counts / len(classes)


def divergence(
    first_logits: ArrayLike,
    second_logits: ArrayLike,
) -> float:
    """Compute the mean Kullback-Leibler divergence KL(first || second).

    Args:
        first_logits: Float [n, classes], of the first model.
        second_logits: Float [n, classes], of the second model on the same examples.

    Returns:
        The mean in nats; NaN without examples.
    """
    first_logits = np.asarray(first_logits, dtype=float)
    second_logits = np.asarray(second_logits, dtype=float)
    log_p = log_softmax(first_logits, axis=1)
    log_q = log_softmax(second_logits, axis=1)
    if len(log_p) == 0:
        return float("nan")
    # KL(p || q) = sum of p (log p - log q) over the classes.
    p = np.exp(log_p)
    terms = p * (log_p - log_q)
    divergences = terms.sum(axis=1)
    return float(divergences.mean())


def cka_complement(
    first_logits: ArrayLike,
    second_logits: ArrayLike,
    most: int = 10_000,
    seed: int = 0,
) -> float:
    """Compute 1 - linear CKA of the outputs of two models (Kornblith et al. 2019).

    CKA compares logits here and not features: a linear classifier has the features of the
    zero-shot model, so that these would always agree.

    Args:
        first_logits: Float [n, classes], of the first model.
        second_logits: Float [n, classes], of the second model on the same examples.
        most: How many examples to compare; if there are more, some are drawn.
        seed: Of the random draw.

    Returns:
        A fraction; NaN where an output never changes.
    """
    first_logits = np.asarray(first_logits, dtype=float)
    second_logits = np.asarray(second_logits, dtype=float)
    rows = sample(len(first_logits), most, seed)
    x = first_logits[rows]
    y = second_logits[rows]
    # CKA is of centred outputs.
    x = x - x.mean(axis=0)
    y = y - y.mean(axis=0)
    # CKA = |Y' X|^2 / (|X' X| |Y' Y|) with Frobenius norms.
    norm_xx = np.linalg.norm(x.T @ x)
    norm_yy = np.linalg.norm(y.T @ y)
    norm_yx = np.linalg.norm(y.T @ x)
    scale = norm_xx * norm_yy
    # NaN is not above 0 either.
    if not scale > 0:
        return float("nan")
    cka = norm_yx**2 / scale
    return float(1 - cka)
