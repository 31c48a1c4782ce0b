"""Hyperparameters of every run: those listed, merged with their defaults, and those drawn."""

import math
import random

from .registry import defaults
from .training import variants


def search_names(config: dict) -> list[str]:
    """Names of the random search's runs; the first ones stay when there are more."""
    return [f"search-{i:02d}" for i in range(config["finetune"]["search"]["runs"])]


def finetune_specs(config: dict) -> dict[str, dict]:
    """Run -> hyperparameters, merged with the defaults."""
    settings = config["finetune"]
    specs = {name: {**settings["defaults"], **spec} for name, spec in settings["runs"].items()}
    for i, name in enumerate(search_names(config)):
        specs[name] = {**settings["defaults"], **draw(settings["search"], i)}
    return {name: with_options(spec) for name, spec in specs.items()}


def standard_specs(config: dict) -> dict[str, dict]:
    """Standard model -> hyperparameters, merged with the defaults, and the name of its data."""
    settings = config["standard"]
    return {
        name: {**settings["defaults"], **spec, "train": settings["train"]}
        for name, spec in settings["models"].items()
    }


def with_options(spec: dict) -> dict:
    """A run's hyperparameters with its variant's own options, and without other variants'."""
    own = variants.options(spec["variant"])
    others = {option for name in variants.names() for option in variants.options(name)} - set(own)
    return defaults(own) | {key: value for key, value in spec.items() if key not in others}


def draw(search: dict, i: int) -> dict:
    """The i-th point of a random search; it depends on nothing but seed, space and i."""
    rng = random.Random(f"search {search['seed']} {i}")
    point = {}
    for name, (kind, values) in sorted((n, *e.items()) for n, e in search["space"].items()):
        if kind == "choice":
            point[name] = rng.choice(values)
        elif kind == "integers":
            point[name] = rng.randint(*values)
        elif kind == "log_uniform":
            low, high = map(math.log, values)
            point[name] = float(f"{math.exp(rng.uniform(low, high)):.3g}")
        else:
            point[name] = float(f"{rng.uniform(*values):.3g}")
    return point
