"""The loss of a soup against that of the ensemble (Model soups, section 4)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from .calibration import nll


def variance(
    logits: ArrayLike,
    change: ArrayLike,
    beta: float,
) -> float:
    """Average the variance of a change of logits over the predicted classes.

    E_x Var_{Y ~ softmax(beta f(x))}[change_Y(x)], with f the logits.

    Args:
        logits: Float [n, classes].
        change: Float [n, classes], how far each logit moves.
        beta: Inverse temperature of the prediction.

    Returns:
        The mean over the examples, in squared logits.
    """
    probabilities = softmax(beta * np.asarray(logits, dtype=float), axis=1)
    change = np.asarray(change, dtype=float)
    # Var[c] = E[(c - E[c])^2], with the probabilities as weights.
    mean = (probabilities * change).sum(axis=1, keepdims=True)
    variances = (probabilities * (change - mean) ** 2).sum(axis=1)
    return float(variances.mean())


def soup_minus_ensemble(
    first_logits: ArrayLike,
    second_logits: ArrayLike,
    soup_logits: list[ArrayLike],
    labels: ArrayLike,
    alpha: float = 0.5,
    step: float = 0.1,
    beta: float = 1.0,
) -> dict[str, float]:
    """Compute the loss of a soup minus that of the ensemble, and approximate it.

    The approximation (Model soups, section 4) is

        alpha (1 - alpha) / 2 * (-d2/da2 L_soup + beta^2 E_x Var[f(second) - f(first)]).

    Args:
        first_logits: Float [n, classes], of the model at alpha 0.
        second_logits: Float [n, classes], of the model at alpha 1.
        soup_logits: Three of shape [n, classes], of the soups at alpha - step, alpha and
            alpha + step.
        labels: Int [n].
        alpha: Coefficient of the second model.
        step: Distance of the three soups, for the second derivative.
        beta: Inverse temperature, by which all logits are multiplied.

    Returns:
        Mean cross-entropies in nats: ``soup``, ``ensemble`` and their difference ``true``;
        ``curvature`` and ``variance``, the two terms; and ``approximation``.
    """
    first_logits = np.asarray(first_logits, dtype=float)
    second_logits = np.asarray(second_logits, dtype=float)
    before, soup, after = [
        nll(beta * np.asarray(logits, dtype=float), labels) for logits in soup_logits
    ]
    # The ensemble averages logits where the soup averages weights.
    ensemble_logits = (1 - alpha) * first_logits + alpha * second_logits
    ensemble = nll(beta * ensemble_logits, labels)
    # The second derivative of the soup's loss, as a central difference.
    curvature = (before - 2 * soup + after) / step**2
    spread = beta**2 * variance(
        soup_logits[1],
        second_logits - first_logits,
        beta,
    )
    return {
        "soup": soup,
        "ensemble": ensemble,
        "true": soup - ensemble,
        "curvature": curvature,
        "variance": spread,
        "approximation": alpha * (1 - alpha) / 2 * (spread - curvature),
    }
