"""Equal images within one data set: pixel by pixel, once they are decoded and resized."""

import logging
from dataclasses import dataclass

import numpy as np

from ..runtime.errors import StockpotError
from .names import shown

log = logging.getLogger(__name__)
ONCE, KEEP = "once", "keep"
TOLD = 10  # pairs that the log names


@dataclass(frozen=True)
class Listed:
    """What is known of the images: digests of their pixels, labels, names and classes."""

    digests: np.ndarray
    labels: np.ndarray
    names: list[str]
    class_names: list[str]


def repeated(digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of images that are equal to one before them, and the row of that one, each int64 [k]."""
    _, first, which = np.unique(digests, return_index=True, return_inverse=True)
    before = first[which.reshape(-1)]
    rows = np.flatnonzero(before != np.arange(len(digests)))
    return rows, before[rows]


def repeated_images(name: str, listed: Listed, duplicates: str) -> np.ndarray:
    """Rows of the images that are equal to one before them.

    Args:
        name: of the data set.
        duplicates: ``once`` where each image may count once only. Then all equal images, or one
            image under two labels, are an error; with ``keep`` the log tells of them.

    Raises:
        StockpotError: Naming two files.
    """
    rows, before = repeated(listed.digests)
    if not len(rows):
        return rows
    problem = _all_equal(listed, rows) or _two_labels(listed, rows, before)
    if problem and duplicates == ONCE:
        raise StockpotError(f"datasets.{name}: {problem}")
    if problem:
        log.warning("%s: %s", name, problem)
    for row, other in list(zip(rows, before))[:TOLD]:
        pair = (shown(listed.names[other]), shown(listed.names[row]))
        log.warning("the same image: %s and %s", *pair)
    what = (
        "are left out, so that each image counts once"
        if duplicates == ONCE
        else "count each"
    )
    log.warning(
        "%d of %d images are equal to one before them, and %s",
        len(rows),
        len(listed.names),
        what,
    )
    return rows


def _all_equal(listed: Listed, rows: np.ndarray) -> str:
    n = len(listed.names)
    if n < 3 or len(rows) < n - 1:
        return ""
    return (
        f"all {n} images are equal once they are decoded, as {shown(listed.names[0])} and "
        f"{shown(listed.names[1])}; are they placeholders, or of values that do not fit in 8 bits?"
    )


def _two_labels(listed: Listed, rows: np.ndarray, before: np.ndarray) -> str:
    differ = np.flatnonzero(listed.labels[rows] != listed.labels[before])
    if not len(differ):
        return ""
    row, other = rows[differ[0]], before[differ[0]]
    one, two = (listed.class_names[listed.labels[place]] for place in (other, row))
    more = f"; so are {len(differ) - 1} more" if len(differ) > 1 else ""
    return (
        f"{shown(listed.names[other])} and {shown(listed.names[row])} are the same image under two "
        f"labels, '{shown(one)}' and '{shown(two)}'{more}; remove the wrong ones, or say "
        "duplicates: keep"
    )
