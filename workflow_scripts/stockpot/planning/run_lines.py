"""What a plan says of the runs, each with its hyperparameters, and of what is made of them."""

from ..config.training_runs import (
    finetune_specs,
    search_names,
    standard_specs,
    with_options,
)
from ..runtime.escape import one_line
from ..runtime.registry import defaults
from ..runtime.suggest import listed
from ..training import variants

COLUMNS = (
    "epochs",
    "batch_size",
    "lr",
    "weight_decay",
    "warmup",
    "label_smoothing",
    "clip",
    "crop",
)
LISTED_SHOWN = 40
SEARCHED_SHOWN = 12
NOT_SHOWN = ("variant", "train", "architecture")


def run_lines(config: dict) -> list[str]:
    """A table of all runs that are trained, aligned; of many runs the first and how many more.

    Args:
        config: A config that was checked.
    """
    specs = finetune_specs(config)
    searched = search_names(config)
    given = {name: specs[name] for name in specs if name not in searched}
    for name, spec in standard_specs(config).items():
        given[name] = with_options(spec)
    lines = [_row(name, spec) for name, spec in list(given.items())[:LISTED_SHOWN]]
    left_out = len(given) - len(lines)
    lines += [_row(name, specs[name]) for name in searched[:SEARCHED_SHOWN]]
    left_out += max(len(searched) - SEARCHED_SHOWN, 0)
    if not lines:
        return ["runs: none is trained"]
    table = _aligned([["run", "variant", *COLUMNS, ""], *lines])
    return table + ([f"… and {left_out:,} more runs"] if left_out > 0 else [])


def other_lines(config: dict) -> list[str]:
    """What is made of the runs, in a line each: checkpoints, soups, sweeps, analyses, exports."""
    sweeps, alphas = config["sweep"]["of"], len(config["sweep"]["alphas"])
    named = {
        "checkpoints": config["checkpoints"],
        "soups": config["soups"],
        f"sweeps of {alphas} alphas": sweeps if alphas else [],
        "analyses": config["analyses"],
        "exports": config["exports"],
    }
    return [f"{what}: {listed(names)}" for what, names in named.items() if names]


def _row(name: str, spec: dict) -> list[str]:
    """Cells of a run: name, variant, the columns, and what else differs from the defaults."""
    usual = defaults(variants.options(spec["variant"]))
    others = [
        f"{key} {_text(value)}"
        for key, value in spec.items()
        if key not in (*COLUMNS, *NOT_SHOWN)
        and (key not in usual or usual[key] != value)
    ]
    cells = [_text(spec[column]) if column in spec else "-" for column in COLUMNS]
    return [name, spec["variant"], *cells, ", ".join(others)]


def _text(value) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return one_line(value, 40)


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows
    ]
