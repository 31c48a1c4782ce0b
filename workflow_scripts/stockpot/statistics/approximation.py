"""When does a soup lose as little as the ensemble? (Model soups, section 4)"""

import numpy as np
from scipy.special import softmax

from .calibration import nll


def variance(logits, change, beta: float) -> float:
    """E_x Var_{Y ~ softmax(beta f(x))}[change_Y(x)], of logits f and a change [n, classes]."""
    p = softmax(beta * np.asarray(logits, dtype=float), axis=1)
    change = np.asarray(change, dtype=float)
    mean = (p * change).sum(axis=1, keepdims=True)
    return float((p * (change - mean) ** 2).sum(axis=1).mean())


def soup_minus_ensemble(
    start, end, along, labels, alpha: float = 0.5, step: float = 0.1, beta: float = 1.0
) -> dict[str, float]:
    """The loss of the soup minus that of the ensemble: true, and by the papers' approximation.

    alpha (1 - alpha) / 2 * (-d2/da2 L_soup + beta^2 E_x Var[f(end) - f(start)]).

    start, end: logits [n, classes] of the two ends. along: logits of the mixes at alpha - step,
    alpha and alpha + step; the second derivative is their central difference. labels: int [n].
    beta: inverse temperature. Losses are mean cross-entropies in nats of beta times the logits.
    Returns soup, ensemble, true, curvature, variance and approximation.
    """
    start, end = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    before, soup, after = (
        nll(beta * np.asarray(f, dtype=float), labels) for f in along
    )
    ensemble = nll(beta * ((1 - alpha) * start + alpha * end), labels)
    curvature = (before - 2 * soup + after) / step**2
    spread = beta**2 * variance(along[1], end - start, beta)
    return {
        "soup": soup,
        "ensemble": ensemble,
        "true": soup - ensemble,
        "curvature": curvature,
        "variance": spread,
        "approximation": alpha * (1 - alpha) / 2 * (spread - curvature),
    }
