"""Accuracy under shift, estimated without its labels."""

from itertools import combinations

import numpy as np
from scipy.special import log_softmax, ndtr, ndtri


def thresholded(held_out_confidence, held_out_correct, confidence) -> float:
    """Average thresholded confidence (Garg et al., ICLR 2022).

    The threshold is that above which lies a share of the held-out confidences equal to the
    held-out accuracy; the estimate is the share of unlabelled examples above it. Examples at the
    threshold, of which saturated models have many, count by the share that makes both equal.
    Arrays [n], [n] and [m]; a fraction.
    """
    correct = np.asarray(held_out_correct, dtype=bool)
    known = np.sort(np.asarray(held_out_confidence, dtype=float))
    wrong = np.count_nonzero(~correct)
    if wrong == 0:
        return 1.0
    threshold, unknown = known[wrong - 1], np.asarray(confidence, dtype=float)
    tied, above = (
        np.count_nonzero(known == threshold),
        np.count_nonzero(known > threshold),
    )
    share = (len(known) - wrong - above) / tied
    return float((unknown > threshold).mean() + share * (unknown == threshold).mean())


def mean_entropy(logits) -> float:
    """Mean entropy of the predictions in nats; logits [n, classes]."""
    log_p = log_softmax(np.asarray(logits, dtype=float), axis=1)
    return float(-(np.exp(log_p) * log_p).sum(axis=1).mean())


def on_the_line(accuracy, held_out_predicted, predicted) -> np.ndarray:
    """Accuracy of every model by agreement-on-the-line (ALine-D of Baek et al., NeurIPS 2022).

    accuracy: [models], on the labelled held-out set. held_out_predicted, predicted: int [models,
    n] and [models, m], on the held-out set and on the unlabelled one. On probit axes agreement
    between pairs of models lies on the line on which their accuracies lie; its slope comes from
    the agreements, and each pair then ties the accuracies of its two models together, which least
    squares solves. Returns fractions [models]; NaN for fewer than three models or where all
    pairs agree as often as each other.
    """
    accuracy = np.asarray(accuracy, dtype=float)
    known, unknown = np.asarray(held_out_predicted), np.asarray(predicted)
    pairs = list(combinations(range(len(accuracy)), 2))
    none = np.full(len(accuracy), np.nan)
    if len(accuracy) < 3:
        return none
    inner = _probit([(known[i] == known[j]).mean() for i, j in pairs], known.shape[1])
    outer = _probit(
        [(unknown[i] == unknown[j]).mean() for i, j in pairs], unknown.shape[1]
    )
    if np.ptp(inner) == 0:
        return none
    slope = np.polyfit(inner, outer, 1)[0]
    at = _probit(accuracy, known.shape[1])
    ties, sums = np.zeros((len(pairs), len(accuracy))), np.zeros(len(pairs))
    for row, (i, j) in enumerate(pairs):
        ties[row, [i, j]] = 0.5
        sums[row] = outer[row] + slope * ((at[i] + at[j]) / 2 - inner[row])
    return ndtr(np.linalg.lstsq(ties, sums, rcond=None)[0])


def _probit(share, n: int) -> np.ndarray:
    return ndtri(np.clip(share, 0.5 / n, 1 - 0.5 / n))
