"""Points of a random search over named hyperparameters."""

import math
import random
from typing import Any


def draw(search: dict[str, Any], i: int) -> dict[str, Any]:
    """Draw one point; it depends only on the seed, the space and its number.

    Args:
        search: seed, and space: hyperparameter -> distribution. A distribution is a map of one
            entry: log_uniform, uniform or integers with [low, high], choice with a list of
            values, or mixture with a list of distributions, each as likely as the others.
        i: The number of the point.

    Returns:
        Hyperparameter -> value.
    """
    rng = random.Random(f"search {search['seed']} {i}")
    # Sorted, so that a point does not depend on the order in which a config names them.
    names = sorted(search["space"])
    return {name: _draw_value(search["space"][name], rng) for name in names}


def _draw_value(distribution: dict[str, Any], rng: random.Random) -> Any:
    """One value; numbers that are not integers have three significant digits."""
    # A distribution is a map of one entry.
    ((kind, values),) = distribution.items()
    if kind == "choice":
        return rng.choice(values)
    if kind == "mixture":
        return _draw_value(rng.choice(values), rng)
    if kind == "integers":
        return rng.randint(*values)
    if kind == "log_uniform":
        log_low, log_high = map(math.log, values)
        value = math.exp(rng.uniform(log_low, log_high))
    else:
        value = rng.uniform(*values)
    # Three digits are enough, and a config or a card can repeat them exactly.
    return float(f"{value:.3g}")
