"""Accuracy under shift, estimated without the labels of the shift."""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, ndtr, ndtri

# The agreement of fewer models than this says nothing about their accuracy.
FEWEST_MODELS = 3


def thresholded(
    held_out_confidence: ArrayLike,
    held_out_correct: ArrayLike,
    confidence: ArrayLike,
) -> float:
    """Estimate an accuracy by average thresholded confidence (Garg et al., ICLR 2022).

    The threshold is chosen so that the fraction of held-out confidences above it equals the
    held-out accuracy. The estimate is the fraction of unlabelled examples above it. Saturated
    models have many examples at the threshold; those count by the weight for which the
    held-out fraction is exact.

    Args:
        held_out_confidence: Float [n], on the held-out set.
        held_out_correct: Bool [n], which held-out predictions are right.
        confidence: Float [m], on the unlabelled examples.

    Returns:
        The estimated accuracy, a fraction.
    """
    correct = np.asarray(held_out_correct, dtype=bool)
    labelled = np.sort(np.asarray(held_out_confidence, dtype=float))
    wrong_count = np.count_nonzero(~correct)
    if wrong_count == 0:
        return 1.0
    # As many held-out confidences lie at or below the threshold as predictions are wrong.
    threshold = labelled[wrong_count - 1]
    unlabelled = np.asarray(confidence, dtype=float)
    tied_count = np.count_nonzero(labelled == threshold)
    above_count = np.count_nonzero(labelled > threshold)
    # Ties count by this weight, so that the held-out estimate is the held-out accuracy.
    tie_weight = (len(labelled) - wrong_count - above_count) / tied_count
    above = (unlabelled > threshold).mean()
    tied = (unlabelled == threshold).mean()
    return float(above + tie_weight * tied)


def mean_entropy(logits: ArrayLike) -> float:
    """Compute the mean entropy of predictions.

    Args:
        logits: Float [n, classes].

    Returns:
        The mean in nats.
    """
    log_probabilities = log_softmax(np.asarray(logits, dtype=float), axis=1)
    # The entropy is -sum of p log p.
    negative_entropies = (np.exp(log_probabilities) * log_probabilities).sum(axis=1)
    return float(-negative_entropies.mean())


def agreement_on_the_line(
    accuracy: ArrayLike,
    held_out_predicted: ArrayLike,
    predicted: ArrayLike,
) -> np.ndarray:
    """Estimate accuracies by agreement-on-the-line (ALine-D, Baek et al., NeurIPS 2022).

    On probit axes, the agreement between pairs of models lies on the line on which their
    accuracies lie. The slope of that line comes from the agreements. Each pair then gives one
    equation for the accuracies of its two models; least squares solves all of them.

    Args:
        accuracy: Float [models], on the labelled held-out set.
        held_out_predicted: Int [models, n], predictions on the held-out set.
        predicted: Int [models, m], predictions on the unlabelled set.

    Returns:
        Fractions [models]; NaN for fewer than three models, or where all pairs agree equally
        often.
    """
    accuracy = np.asarray(accuracy, dtype=float)
    held_out_predicted = np.asarray(held_out_predicted)
    predicted = np.asarray(predicted)
    not_known = np.full(len(accuracy), np.nan)
    if len(accuracy) < FEWEST_MODELS:
        return not_known
    pairs = list(combinations(range(len(accuracy)), 2))
    held_out_agreement = _probit_agreement(held_out_predicted, pairs)
    agreement = _probit_agreement(predicted, pairs)
    if np.ptp(held_out_agreement) == 0:
        return not_known
    # The slope of agreements is that of accuracies.
    slope = np.polyfit(held_out_agreement, agreement, 1)[0]
    probit_accuracy = _probit(accuracy, held_out_predicted.shape[1])
    # Equation of the pair (i, j), with all terms on probit axes:
    # (acc_i + acc_j) / 2 = agr + slope * ((held-out acc_i + acc_j) / 2 - held-out agr).
    coefficients = np.zeros((len(pairs), len(accuracy)))
    targets = np.zeros(len(pairs))
    for row, (i, j) in enumerate(pairs):
        coefficients[row, [i, j]] = 0.5
        pair_mean = (probit_accuracy[i] + probit_accuracy[j]) / 2
        targets[row] = agreement[row] + slope * (pair_mean - held_out_agreement[row])
    return ndtr(np.linalg.lstsq(coefficients, targets, rcond=None)[0])


def _probit_agreement(
    predicted: np.ndarray,
    pairs: list[tuple[int, int]],
) -> np.ndarray:
    """How often two models predict the same class, [pairs], on a probit axis."""
    fractions = [(predicted[i] == predicted[j]).mean() for i, j in pairs]
    return _probit(fractions, predicted.shape[1])


def _probit(fraction: ArrayLike, example_count: int) -> np.ndarray:
    """Probits; 0 and 1, which have none, are moved half an example inside."""
    margin = 0.5 / example_count
    return ndtri(np.clip(fraction, margin, 1 - margin))
