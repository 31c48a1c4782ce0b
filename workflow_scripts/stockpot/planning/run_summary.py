"""What a plan says of the runs, each with its hyperparameters, and of what is made of them."""

from ..config.training_runs import (
    baseline_specs,
    finetune_specs,
    search_names,
    with_options,
)
from ..runtime.escape import one_line
from ..runtime.registry import defaults
from ..runtime.suggest import listed
from ..training import variants
from .jobs import Config, Spec

# Hyperparameters that have a column of their own.
COLUMNS = (
    "epochs",
    "batch_size",
    "lr",
    "weight_decay",
    "warmup",
    "label_smoothing",
    "grad_clip_norm",
    "min_crop_area",
)
LISTED_SHOWN = 40  # runs that the config lists
SEARCHED_SHOWN = 12  # runs of the random search
# Keys of a run that the table leaves out, or has elsewhere.
NOT_SHOWN = ("variant", "train", "architecture")


def run_lines(config: Config) -> list[str]:
    """Make a table of all runs that are trained, aligned.

    Args:
        config: A config that was checked.

    Returns:
        A line per run below a header; of many runs the first, and a line on how many more.
    """
    specs = finetune_specs(config)
    # Runs of a search are many and alike, so fewer of them are shown.
    searched = search_names(config)
    listed_specs = {}
    for name, spec in specs.items():
        if name not in searched:
            listed_specs[name] = spec
    for name, spec in baseline_specs(config).items():
        listed_specs[name] = with_options(spec)

    rows = []
    for name in list(listed_specs)[:LISTED_SHOWN]:
        rows.append(_row(name, listed_specs[name]))
    for name in searched[:SEARCHED_SHOWN]:
        rows.append(_row(name, specs[name]))
    if not rows:
        return ["runs: none is trained"]
    header = ["run", "variant", *COLUMNS, ""]
    lines = _aligned([header, *rows])
    left_out = len(listed_specs) + len(searched) - len(rows)
    if left_out > 0:
        lines.append(f"… and {left_out:,} more runs")
    return lines


def other_lines(config: Config) -> list[str]:
    """Say what is made of the runs.

    Args:
        config: A config that was checked.

    Returns:
        A line each for checkpoints, soups, sweeps, analyses and exports, where there are some.
    """
    alpha_count = len(config["sweep"]["alphas"])
    # Without alphas nothing is swept, whatever targets are named.
    swept = config["sweep"]["targets"] if alpha_count else []
    names_by_heading = {
        "checkpoints": config["checkpoints"],
        "soups": config["soups"],
        f"sweeps of {alpha_count} alphas": swept,
        "analyses": config["analyses"],
        "exports": config["exports"],
    }
    lines = []
    for heading, names in names_by_heading.items():
        if names:
            lines.append(f"{heading}: {listed(names)}")
    return lines


def _row(
    name: str,
    spec: Spec,
) -> list[str]:
    """Cells of a run: name, variant, the columns, and what else differs from the defaults."""
    cells = [name, spec["variant"]]
    for column in COLUMNS:
        cells.append(_text(spec[column]) if column in spec else "-")
    # Options of a variant with their usual values would only widen the table.
    usual = defaults(variants.options(spec["variant"]))
    others = []
    for key, value in spec.items():
        if key in COLUMNS or key in NOT_SHOWN:
            continue
        is_default = key in usual and usual[key] == value
        if not is_default:
            others.append(f"{key} {_text(value)}")
    cells.append(", ".join(others))
    return cells


def _text(value: object) -> str:
    """A hyperparameter, numbers with three digits."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return one_line(value, 40)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows as lines, in which the cells of a column begin below each other."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append("  ".join(cells).rstrip())
    return lines
