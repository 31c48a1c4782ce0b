"""Points of a random search over named hyperparameters."""

import math
import random


def draw(search: dict, i: int) -> dict:
    """The i-th point; it depends on nothing but seed, space and i.

    search: seed and space, name -> distribution. A distribution is a map of one entry:
    log_uniform, uniform or integers with [low, high], choice with a list of values, either with
    a list of distributions, each as likely as the others.
    """
    rng = random.Random(f"search {search['seed']} {i}")
    return {
        name: _drawn(search["space"][name], rng) for name in sorted(search["space"])
    }


def _drawn(distribution: dict, rng: random.Random):
    ((kind, values),) = distribution.items()
    if kind == "choice":
        return rng.choice(values)
    if kind == "either":
        return _drawn(rng.choice(values), rng)
    if kind == "integers":
        return rng.randint(*values)
    if kind == "log_uniform":
        low, high = map(math.log, values)
        return float(f"{math.exp(rng.uniform(low, high)):.3g}")
    return float(f"{rng.uniform(*values):.3g}")
