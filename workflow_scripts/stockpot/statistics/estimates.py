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
    labelled = np.asarray(held_out_confidence, dtype=float)
    labelled = np.sort(labelled)
    wrong_count = np.count_nonzero(~correct)
    if wrong_count == 0:
        return 1.0
    # As many held-out confidences lie at or below the threshold as predictions are wrong.
    threshold = labelled[wrong_count - 1]
    is_tied = labelled == threshold
    is_above = labelled > threshold
    tied_count = np.count_nonzero(is_tied)
    above_count = np.count_nonzero(is_above)
    # Ties count by this weight, so that the held-out estimate is the held-out accuracy.
    right_count = len(labelled) - wrong_count
    tie_weight = (right_count - above_count) / tied_count
    unlabelled = np.asarray(confidence, dtype=float)
    fraction_above = (unlabelled > threshold).mean()
    fraction_tied = (unlabelled == threshold).mean()
    estimate = fraction_above + tie_weight * fraction_tied
    return float(estimate)


def mean_entropy(logits: ArrayLike) -> float:
    """Compute the mean entropy of predictions.

    Args:
        logits: Float [n, classes].

    Returns:
        The mean in nats.
    """
    logits = np.asarray(logits, dtype=float)
    log_probabilities = log_softmax(logits, axis=1)
    probabilities = np.exp(log_probabilities)
    # The entropy is -sum of p log p.
    terms = probabilities * log_probabilities
    negative_entropies = terms.sum(axis=1)
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
    model_count = len(accuracy)
    not_known = np.full(model_count, np.nan)
    if model_count < FEWEST_MODELS:
        return not_known
    pairs = list(combinations(range(model_count), 2))
    held_out_agreement = _probit_agreement(held_out_predicted, pairs)
    agreement = _probit_agreement(predicted, pairs)
    if np.ptp(held_out_agreement) == 0:
        return not_known
    # The slope of agreements is that of accuracies.
    slope, _ = np.polyfit(held_out_agreement, agreement, 1)
    held_out_count = held_out_predicted.shape[1]
    probit_accuracy = _probit(accuracy, held_out_count)
    # Equation of the pair (i, j), with all terms on probit axes:
    # (acc_i + acc_j) / 2 = agr + slope * ((held-out acc_i + acc_j) / 2 - held-out agr).
    pair_count = len(pairs)
    coefficients = np.zeros((pair_count, model_count))
    targets = np.zeros(pair_count)
    for row, (i, j) in enumerate(pairs):
        coefficients[row, i] = 0.5
        coefficients[row, j] = 0.5
        pair_mean = (probit_accuracy[i] + probit_accuracy[j]) / 2
        above_agreement = pair_mean - held_out_agreement[row]
        targets[row] = agreement[row] + slope * above_agreement
    # The first of the four results has the solution.
    results = np.linalg.lstsq(coefficients, targets, rcond=None)
    probit_estimates = results[0]
    return ndtr(probit_estimates)


def _probit_agreement(
    predicted: np.ndarray,
    pairs: list[tuple[int, int]],
) -> np.ndarray:
    """How often two models predict the same class, [pairs], on a probit axis."""
    fractions = []
    for i, j in pairs:
        is_same = predicted[i] == predicted[j]
        fractions.append(is_same.mean())
    example_count = predicted.shape[1]
    return _probit(fractions, example_count)


def _probit(
    fraction: ArrayLike,
    example_count: int,
) -> np.ndarray:
    """Probits; 0 and 1, which have none, are moved half an example inside."""
    margin = 0.5 / example_count
    clipped = np.clip(fraction, margin, 1 - margin)
    return ndtri(clipped)
