"""Hyperparameters of every run: those listed, merged with their defaults, and those drawn."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..runtime.errors import StockpotError
from ..runtime.registry import defaults
from ..runtime.suggest import suggestion
from ..training import variants
from ..training.random_search import draw


def named_space(
    config: dict[str, Any],
    spaces: Path,
) -> dict[str, Any]:
    """Replace the name of a search space by the space itself.

    Args:
        config: The config, checked or not.
        spaces: Folder with a file per space.

    Returns:
        The config as it is if it names no space, else a new one.

    Raises:
        StockpotError: If there is no space of this name.
    """
    # Not checked yet: every section may be missing or of another type.
    settings = config.get("finetune")
    if not isinstance(settings, dict):
        return config
    search = settings.get("search")
    if not isinstance(search, dict):
        return config
    name = search.get("space")
    if not isinstance(name, str):
        return config
    files = {}
    for path in sorted(spaces.glob("*.yaml")):
        files[path.stem] = path
    if name not in files:
        raise StockpotError(
            f"finetune.search.space: unknown search space {name!r}; {suggestion(name, files)}"
        )
    text = files[name].read_text("utf-8")
    new_search = {**search, "space": yaml.safe_load(text)}
    new_settings = {**settings, "search": new_search}
    return {**config, "finetune": new_settings}


def search_names(config: dict[str, Any]) -> list[str]:
    """List the names of the random search's runs.

    Args:
        config: The config with its defaults.

    Returns:
        Names by number, so that the first ones stay when there are more runs.
    """
    search = config["finetune"]["search"]
    return [f"search-{i:02d}" for i in range(search["runs"])]


def finetune_specs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Collect the hyperparameters of all fine-tuning runs.

    Args:
        config: The config with its defaults.

    Returns:
        Run -> hyperparameters, merged with the defaults; listed runs first.
    """
    settings = config["finetune"]
    specs = {}
    for name, spec in settings["runs"].items():
        specs[name] = {**settings["defaults"], **spec}
    # Run i is drawn from the seed and i only, so it does not change when there are more runs.
    for i, name in enumerate(search_names(config)):
        drawn = draw(settings["search"], i)
        specs[name] = {**settings["defaults"], **drawn}
    return {name: with_options(spec) for name, spec in specs.items()}


def run_specs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Collect the hyperparameters of all runs and checkpoints.

    Args:
        config: The config with its defaults.

    Returns:
        Run -> hyperparameters. Those of a checkpoint have only its variant: all else is what
        somebody says of it.
    """
    specs = finetune_specs(config)
    for name, entry in config["checkpoints"].items():
        variant = entry.get("variant", "end-to-end")
        specs[name] = {"variant": variant}
    return specs


def baseline_specs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Collect the hyperparameters of all baselines that are trained.

    Args:
        config: The config with its defaults.

    Returns:
        Baseline -> hyperparameters, merged with the defaults, and the name of its data set.
    """
    settings = config["baselines"]
    train = settings.get("train", "")
    specs = {}
    for name, spec in settings["models"].items():
        specs[name] = {
            **settings["defaults"],
            **spec,
            "train": train,
        }
    return specs


def with_options(spec: dict[str, Any]) -> dict[str, Any]:
    """Complete a run's hyperparameters by the options of its variant.

    Args:
        spec: Hyperparameters as the config gives them.

    Returns:
        The defaults of the variant's options, and on top the hyperparameters, without the options
        of other variants and without what the variant draws itself.
    """
    if "variant" not in spec:
        return spec
    variant = spec["variant"]
    options = variants.options(variant)
    # Sorted as the variant's options are, then as the config gives the others.
    completed = dict(defaults(options))
    left_out = _left_out(variant)
    for key, value in spec.items():
        if key not in left_out:
            completed[key] = value
    return completed


@cache
def _left_out(variant: str) -> set[str]:
    """Options that only other variants have, and what this one draws itself."""
    all_options: set[str] = set()
    for name in variants.names():
        all_options.update(variants.options(name))
    # Keys that are no options at all, such as lr, belong to every variant.
    own_options = set(variants.options(variant))
    drawn = set(variants.draws(variant))
    return (all_options - own_options) | drawn
