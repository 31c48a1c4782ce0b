"""Hyperparameters of every run: those listed, merged with their defaults, and those drawn."""

from functools import cache
from pathlib import Path

import yaml

from ..runtime.errors import StockpotError
from ..runtime.registry import defaults
from ..runtime.suggest import suggestion
from ..training import variants
from ..training.random_search import draw


def named_space(config: dict, spaces: Path) -> dict:
    """The config with its search space in place of the name of one, a file of ``spaces``.

    Raises StockpotError for a name without a file.
    """
    settings = config.get("finetune")
    search = settings.get("search") if isinstance(settings, dict) else None
    name = search.get("space") if isinstance(search, dict) else None
    if not isinstance(name, str):
        return config
    known = {path.stem: path for path in sorted(spaces.glob("*.yaml"))}
    if name not in known:
        raise StockpotError(
            f"finetune.search.space: unknown search space {name!r}; {suggestion(name, known)}"
        )
    found = {**search, "space": yaml.safe_load(known[name].read_text("utf-8"))}
    return {**config, "finetune": {**config["finetune"], "search": found}}


def search_names(config: dict) -> list[str]:
    """Names of the random search's runs; the first ones stay when there are more."""
    return [f"search-{i:02d}" for i in range(config["finetune"]["search"]["runs"])]


def finetune_specs(config: dict) -> dict[str, dict]:
    """Run -> hyperparameters, merged with the defaults."""
    settings = config["finetune"]
    specs = {
        name: {**settings["defaults"], **spec}
        for name, spec in settings["runs"].items()
    }
    for i, name in enumerate(search_names(config)):
        specs[name] = {**settings["defaults"], **draw(settings["search"], i)}
    return {name: with_options(spec) for name, spec in specs.items()}


def run_specs(config: dict) -> dict[str, dict]:
    """Run -> hyperparameters, as ``finetune_specs``, and of checkpoints that were trained elsewhere
    the variant alone: their settings are what somebody says of them (``described.stated``)."""
    made = {
        name: {"variant": entry.get("variant", "end-to-end")}
        for name, entry in config["checkpoints"].items()
    }
    return finetune_specs(config) | made


def standard_specs(config: dict) -> dict[str, dict]:
    """Standard model -> hyperparameters, merged with the defaults, and the name of its data."""
    settings = config["standard"]
    return {
        name: {**settings["defaults"], **spec, "train": settings.get("train", "")}
        for name, spec in settings["models"].items()
    }


def with_options(spec: dict) -> dict:
    """A run's hyperparameters with its variant's own options.

    Other variants' are left out, and what the variant draws by itself.
    """
    if "variant" not in spec:
        return spec
    own, left_out = variants.options(spec["variant"]), _left_out(spec["variant"])
    return defaults(own) | {
        key: value for key, value in spec.items() if key not in left_out
    }


@cache
def _left_out(variant: str) -> set[str]:
    """Options of other variants, and what this one draws by itself."""
    others = {option for name in variants.names() for option in variants.options(name)}
    return (others - set(variants.options(variant))) | set(variants.draws(variant))
