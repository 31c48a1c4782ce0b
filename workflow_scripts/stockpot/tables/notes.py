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
    known_precisions = set(measurements["precision"].dropna())
    precisions = sorted(known_precisions - {""})
    precision_text = "an unknown precision"
    if precisions:
        precision_text = " and ".join(precisions)
    text = f"Evaluated in {precision_text}."
    if "bf16" in precisions:
        text += (
            " Some answers in bf16 differ from those in fp32, so compare only models that were "
            "evaluated in the same precision."
        )
    if len(precisions) > 1:
        text += " measurements.csv has the precision of every model."
    if trained_in_bf16:
        run_names = ", ".join(trained_in_bf16)
        text += f" Trained in bf16: {run_names}."
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
    models = equal_models(measurements)
    sweeps = equal_sweeps(measurements)
    return [
        *_failed_runs(status),
        *_guessing(measurements),
        *_shared_images(overlap),
        *_unreadable_images(left_out or {}),
        *_missing_lines(measurements, missing),
        *_missing_pieces(fits, breakpoints or {}, missing),
        *_equal_names("", models),
        *_equal_names("the sweeps to ", sweeps),
    ]


def _failed_runs(status: dict[str, str]) -> list[str]:
    """On runs that ended without a model."""
    sentences = []
    for name, ending in status.items():
        if ending != "ok":
            sentences.append(f"{name} has no result: this run {ending}.")
    return sentences


def _guessing(measurements: pd.DataFrame) -> list[str]:
    """On the zero-shot model, if its interval on the reference has the chance level in it."""
    is_zero_shot = measurements["kind"] == "zero-shot"
    is_accuracy = measurements["metric"] == ACCURACY
    is_reference = measurements["role"] == "reference"
    rows = measurements[is_zero_shot & is_accuracy & is_reference]
    sentences = []
    for row in rows.itertuples():
        # If the interval is above 1 / classes, the model does not guess.
        if row.low > row.chance:
            continue
        classes = round(1 / row.chance)
        sentence = at_chance(
            row.model,
            row.dataset,
            row.value,
            row.n,
            classes,
        )
        sentences.append(sentence)
    return sentences


def _shared_images(overlap: pd.DataFrame) -> list[str]:
    """On data sets with images that are also in another."""
    has_shared_images = overlap["shared_images"] > 0
    sentences = []
    for row in overlap[has_shared_images].itertuples():
        sentences.append(
            f"{row.dataset}: {row.shared_images} of its {row.n} images are also in "
            f"{row.other_dataset}."
        )
    return sentences


def _unreadable_images(left_out: dict[str, int]) -> list[str]:
    """On images that are no part of a data set, since nothing could read them."""
    sentences = []
    for name, count in left_out.items():
        if count:
            sentences.append(f"{name}: {count} unreadable images are left out.")
    return sentences


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
    names = list(missing - {SHIFT_MEAN})
    if SHIFT_MEAN in missing:
        names.append("the mean of shifts")
    names_text = ", ".join(sorted(names))
    return [
        f"There is no baseline fit, and so no effective robustness, on {names_text}: "
        f"a line needs {MIN_BASELINES} models that have a result there and differ on the "
        f"reference. Too few of the {baseline_count} baselines do."
    ]


def _missing_pieces(
    fits: pd.DataFrame,
    breakpoints: dict[str, list[float]],
    missing: set[str],
) -> list[str]:
    """On lines that lack some of their pieces."""
    sentences = []
    for dataset, dataset_breakpoints in breakpoints.items():
        # A line that is missing altogether has a sentence already.
        if dataset in missing:
            continue
        is_dataset = fits["dataset"] == dataset
        fitted_starts = set(fits.loc[is_dataset, "piece_start"])
        all_starts = [0.0, *sorted(dataset_breakpoints)]
        lost = [f"{start:g}" for start in all_starts if start not in fitted_starts]
        if lost:
            lost_text = ", ".join(lost)
            sentences.append(
                f"{dataset}: its line has no piece from {lost_text}, because too few "
                "baselines lie there. Models there have no effective robustness."
            )
    return sentences


def _equal_names(
    prefix: str,
    groups: list[list[str]],
) -> list[str]:
    """On names that are equal everywhere.

    Args:
        prefix: What kind of names these are; the sentence begins with it.
        groups: Of equal names.
    """
    sentences = []
    for group in groups:
        names = sorted(group, key=natural)
        named = names[:-1]
        last = names[-1]
        if len(names) > SHOWN:
            named = names[:SHOWN]
            last = f"{len(names) - SHOWN} more"
        listing = f"{', '.join(named)} and {last}"
        # A prefix gets a capital letter, the name of a model stays as it is.
        beginning = prefix[:1].upper() + prefix[1:]
        sentences.append(f"{beginning}{listing} are equal on every data set.")
    return sentences


def other_versions(
    kept: list[list[str]],
    results: Path,
) -> list[str]:
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
            continue
        code = record["code"]
        if code != present_code:
            version = (rule, code[:8], record["made"])
            by_version.setdefault(version, []).append(name)
    sentences = []
    for (rule, code, day), names in by_version.items():
        names_text = ", ".join(names)
        sentences.append(
            f"Kept by the config, although the code of {rule} has changed: {names_text}, "
            f"made by version {code} on {day}."
        )
    for rule, names in unknown.items():
        names_text = ", ".join(names)
        sentences.append(
            f"Kept by the config, and made by an unknown version of the code of {rule}: "
            f"{names_text}."
        )
    return sentences
