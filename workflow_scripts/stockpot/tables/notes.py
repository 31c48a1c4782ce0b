"""What a reader of the main table must know beside its numbers, a sentence each."""

from pathlib import Path

import pandas as pd

from ..runtime.code_records import read_record
from ..statistics.natural_order import natural
from .equal_models import equal_models, equal_sweeps
from .guessing import at_chance
from .measurements import ACCURACY, BASELINE, MIN_BASELINES, SHIFT_MEAN, datasets

# At most this many models of a group of equals are named.
SHOWN = 5


def arithmetic(
    measurements: pd.DataFrame,
    trained_in_bf16: list[str],
) -> str:
    """Say in which arithmetic the models were evaluated and trained.

    Args:
        measurements: See ``measurements.measure``.
        trained_in_bf16: Names of the runs that say so.

    Returns:
        One sentence or more.
    """
    precisions = sorted(set(measurements["precision"].dropna()) - {""})
    text = f"Evaluated in {' and '.join(precisions) or 'an unknown precision'}."
    if "bf16" in precisions:
        text += (
            " Some answers in bf16 differ from those in fp32, so compare only models that were "
            "evaluated in the same precision."
        )
    if len(precisions) > 1:
        text += " measurements.csv has the precision of every model."
    if trained_in_bf16:
        text += f" Trained in bf16: {', '.join(trained_in_bf16)}."
    return text


def notes(
    status: dict[str, str],
    overlap: pd.DataFrame,
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
    breakpoints: dict[str, list[float]] | None = None,
    left_out: dict[str, int] | None = None,
) -> list[str]:
    """Write the notes on runs without a result, shared images, missing lines, and equals.

    Args:
        status: Model -> "ok", or how its run ended.
        overlap: Images that data sets share: other_dataset, dataset, shared_images, n.
        measurements: See ``measurements.measure``.
        fits: Lines of the baselines; see ``measurements.robustness_table``.
        breakpoints: Of lines in pieces; see there.
        left_out: Data set -> number of unreadable images that are no part of it.

    Returns:
        A sentence each.
    """
    missing = _sets_without_line(measurements, fits)
    return [
        *_failed_runs(status),
        *_guessing(measurements),
        *_shared_images(overlap),
        *_unreadable_images(left_out or {}),
        *_missing_lines(measurements, missing),
        *_missing_pieces(fits, breakpoints or {}, missing),
        *_equal_names("", equal_models(measurements)),
        *_equal_names("the sweeps to ", equal_sweeps(measurements)),
    ]


def _failed_runs(status: dict[str, str]) -> list[str]:
    return [
        f"{name} has no result: this run {ending}."
        for name, ending in status.items()
        if ending != "ok"
    ]


def _guessing(measurements: pd.DataFrame) -> list[str]:
    """On the zero-shot model, if its interval on the reference has the chance level in it."""
    is_zero_shot = measurements["kind"] == "zero-shot"
    is_accuracy = measurements["metric"] == ACCURACY
    is_reference = measurements["role"] == "reference"
    sentences = []
    for row in measurements[is_zero_shot & is_accuracy & is_reference].itertuples():
        # If the interval is above 1 / classes, the model does not guess.
        if row.low <= row.chance:
            classes = round(1 / row.chance)
            sentences.append(
                at_chance(row.model, row.dataset, row.value, row.n, classes)
            )
    return sentences


def _shared_images(overlap: pd.DataFrame) -> list[str]:
    return [
        f"{row.dataset}: {row.shared_images} of its {row.n} images are also in {row.other_dataset}."
        for row in overlap[overlap["shared_images"] > 0].itertuples()
    ]


def _unreadable_images(left_out: dict[str, int]) -> list[str]:
    return [
        f"{name}: {count} unreadable images are left out."
        for name, count in left_out.items()
        if count
    ]


def _sets_without_line(
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
) -> set[str]:
    """The shifts, and their mean where there are several, that have no line of baselines."""
    # With one shift the mean is that shift, and needs no sentence of its own.
    names = set(datasets(measurements, "shift"))
    if len(names) > 1:
        names |= set(datasets(measurements, "mean"))
    return names - set(fits["dataset"])


def _missing_lines(
    measurements: pd.DataFrame,
    missing: set[str],
) -> list[str]:
    """On lines that there are not, although there are baselines."""
    is_baseline = measurements["kind"] == BASELINE
    baseline_count = measurements.loc[is_baseline, "model"].nunique()
    if not baseline_count or not missing:
        return []
    names = sorted(
        "the mean of shifts" if name == SHIFT_MEAN else name for name in missing
    )
    return [
        "There is no baseline fit, and so no effective robustness, on "
        f"{', '.join(names)}: a line needs {MIN_BASELINES} models that have a result there "
        "and differ on "
        f"the reference. Too few of the {baseline_count} baselines do."
    ]


def _missing_pieces(
    fits: pd.DataFrame,
    breakpoints: dict[str, list[float]],
    missing: set[str],
) -> list[str]:
    """On lines that lack some of their pieces."""
    sentences = []
    for dataset, dataset_breakpoints in breakpoints.items():
        starts = set(fits.loc[fits["dataset"] == dataset, "piece_start"])
        wanted_starts = [0.0, *sorted(dataset_breakpoints)]
        lost = [f"{start:g}" for start in wanted_starts if start not in starts]
        # A line that is missing altogether has a sentence already.
        if lost and dataset not in missing:
            sentences.append(
                f"{dataset}: its line has no piece from {', '.join(lost)}, because too few "
                "baselines lie there. Models there have no effective robustness."
            )
    return sentences


def _equal_names(prefix: str, groups: list[list[str]]) -> list[str]:
    """On names that are equal everywhere.

    Args:
        prefix: What kind of names these are; the sentence begins with it.
        groups: Of equal names.
    """
    sentences = []
    for group in groups:
        names = sorted(group, key=natural)
        if len(names) > SHOWN:
            listing = f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
        else:
            listing = f"{', '.join(names[:-1])} and {names[-1]}"
        # A prefix gets a capital letter, the name of a model stays as it is.
        beginning = prefix[:1].upper() + prefix[1:]
        sentences.append(f"{beginning}{listing} are equal on every data set.")
    return sentences


def other_versions(kept: list[list[str]], results: Path) -> list[str]:
    """Write the notes on what another version of the code made, and the config keeps.

    Args:
        kept: Name, rule, id and digest of the present code, of each artefact that is kept.
        results: Folder with the records of what made them.

    Returns:
        A sentence per version, then one per rule of which no version is known.
    """
    # (rule, first digits of the code digest, day) -> what was made so.
    by_version: dict[tuple[str, str, str], list[str]] = {}
    unknown: dict[str, list[str]] = {}
    for name, rule, artefact, present_code in kept:
        record = read_record(rule, artefact, results)
        if record is None:
            unknown.setdefault(rule, []).append(name)
        elif record["code"] != present_code:
            version = (rule, record["code"][:8], record["made"])
            by_version.setdefault(version, []).append(name)
    sentences = []
    for (rule, code, day), names in by_version.items():
        sentences.append(
            f"Kept by the config, although the code of {rule} has changed: {', '.join(names)}, "
            f"made by version {code} on {day}."
        )
    for rule, names in unknown.items():
        sentences.append(
            f"Kept by the config, and made by an unknown version of the code of {rule}: "
            f"{', '.join(names)}."
        )
    return sentences
