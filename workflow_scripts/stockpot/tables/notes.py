"""What a reader of the overview must know beside its numbers, a sentence each."""

from pathlib import Path

import pandas as pd

from ..runtime.made_by import read_record
from ..statistics.order import natural
from .at_chance import at_chance
from .equal_models import equal_models, equal_sweeps
from .measurements import ACCURACY, BASELINE, LEAST, MEAN, datasets

SHOWN = 5  # equal models that are named


def arithmetic(measurements: pd.DataFrame, trained_in_bf16: list[str]) -> str:
    """Which arithmetic the numbers come from: of the forward passes, and of training.

    measurements: see ``tables``. trained_in_bf16: runs that say so.
    """
    precisions = sorted(set(measurements["precision"].dropna()) - {""})
    text = f"Evaluated in {' and '.join(precisions) or 'an unknown precision'}"
    if "bf16" in precisions:
        text += (
            "; in bf16 some answers are others than in fp32, so compare with what was evaluated in "
            "bf16 too"
        )
    if len(precisions) > 1:
        text += "; which is which is in measurements.csv"
    if trained_in_bf16:
        text += f". Trained in bf16: {', '.join(trained_in_bf16)}"
    return f"{text}."


def notes(
    status: dict[str, str],
    overlap: pd.DataFrame,
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
    knots: dict[str, list[float]] | None = None,
    left_out: dict[str, int] | None = None,
) -> list[str]:
    """Sentences on runs without a result, shared images, lines that could not be drawn, and equals.

    status: model -> "ok" or how its run ended. overlap: columns seen_in, dataset, shared, n.
    measurements, fits: see ``tables``; knots: of lines in pieces. left_out: data set -> unreadable
    images that are no part of it.
    """
    found = [
        f"{name}: no result, this run {end}."
        for name, end in status.items()
        if end != "ok"
    ]
    found += _guessing(measurements)
    found += [
        f"{row.dataset}: {row.shared} of its {row.n} images are also in {row.seen_in}."
        for row in overlap[overlap["shared"] > 0].itertuples()
    ]
    found += [
        f"{name}: {n} unreadable images are left out."
        for name, n in (left_out or {}).items()
        if n
    ]
    baseline = measurements.loc[measurements["kind"] == BASELINE, "model"].nunique()
    shifts = datasets(measurements, "shift")
    roles = ("shift", "mean") if len(shifts) > 1 else ("shift",)
    missing = set(datasets(measurements, *roles)) - set(fits["dataset"])
    if baseline and missing:
        places = sorted(
            "the mean of shifts" if name == MEAN else name for name in missing
        )
        found.append(
            f"No line of the standard models and no effective robustness on {', '.join(places)}: a "
            f"line needs {LEAST} models that have a result there and differ on the reference; of "
            f"{baseline} standard models, too few do."
        )
    for dataset, places in (knots or {}).items():
        pieces = set(fits.loc[fits["dataset"] == dataset, "start"])
        lost = [f"{start:g}" for start in (0.0, *sorted(places)) if start not in pieces]
        if lost and dataset not in missing:
            found.append(
                f"{dataset}: its line has no piece from {', '.join(lost)}, with too few standard "
                "models; models there have no effective robustness."
            )
    for what, groups in (
        ("", equal_models(measurements)),
        ("the sweeps to ", equal_sweeps(measurements)),
    ):
        for names in groups:
            names = sorted(names, key=natural)
            text = f"{what}{', '.join(names[:-1])} and {names[-1]}"
            if len(names) > SHOWN:
                text = f"{what}{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
            found.append(
                f"{text[0].upper() + text[1:] if what else text}: equal on every data set."
            )
    return found


def _guessing(measurements: pd.DataFrame) -> list[str]:
    """The zero-shot model on the reference, if its interval has the accuracy of guessing in it."""
    own = measurements["kind"] == "zero-shot"
    plain = measurements["metric"] == ACCURACY
    rows = measurements[own & plain & (measurements["role"] == "reference")]
    return [
        at_chance(row.model, row.dataset, row.value, row.n, round(1 / row.chance))
        for row in rows.itertuples()
        if row.low <= row.chance
    ]


def other_versions(kept: list[list[str]], results: Path) -> list[str]:
    """Sentences on what another version of the code made, and the config keeps.

    Args:
        kept: Name, rule, id and digest of the present code, of each artefact that is kept.
        results: Folder with the records of what made them.
    """
    by_version: dict[tuple[str, str, str], list[str]] = {}
    unknown: dict[str, list[str]] = {}
    for name, rule, artefact, running in kept:
        record = read_record(rule, artefact, results)
        if record is None:
            unknown.setdefault(rule, []).append(name)
        elif record["code"] != running:
            version = (rule, record["code"][:8], record["made"])
            by_version.setdefault(version, []).append(name)
    sentences = [
        f"Kept by the config though the code of {rule} has changed: {', '.join(names)}, made by "
        f"version {code} on {day}."
        for (rule, code, day), names in by_version.items()
    ]
    sentences += [
        f"Kept by the config, and made before it was noted which version of the code of {rule} "
        f"did it: {', '.join(names)}."
        for rule, names in unknown.items()
    ]
    return sentences
