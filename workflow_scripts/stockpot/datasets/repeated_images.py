"""Find equal images within one data set: pixel by pixel, after they are decoded and resized."""

import logging
from dataclasses import dataclass

import numpy as np

from ..runtime.errors import StockpotError
from .names import short_name

log = logging.getLogger(__name__)

# Values of the config key ``duplicates``.
ONCE = "once"
KEEP = "keep"
# Pairs of equal images that the log names, at most.
LOGGED_PAIR_COUNT = 10


@dataclass(frozen=True)
class ImageList:
    """What is known of the images of a data set.

    Attributes:
        digests: uint64 [n], digests of the pixels.
        labels: int64 [n], indices into ``class_names``.
        names: Names of the images for messages.
        class_names: Names of the classes.
    """

    digests: np.ndarray
    labels: np.ndarray
    names: list[str]
    class_names: list[str]


def find_repeated(digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find images that are equal to an earlier one.

    Args:
        digests: uint64 [n], a digest of each image.

    Returns:
        int64 [k], rows of the k images that are equal to an earlier one, and int64 [k], the first
        row with the same image.
    """
    _, first_rows, groups = np.unique(digests, return_index=True, return_inverse=True)
    # For each image the first row with the same digest.
    first_of_row = first_rows[groups.reshape(-1)]
    rows = np.flatnonzero(first_of_row != np.arange(len(digests)))
    return rows, first_of_row[rows]


def report_repeated_images(
    name: str,
    images: ImageList,
    duplicates: str,
) -> np.ndarray:
    """Find images that are equal to an earlier one, and report them.

    Args:
        name: Name of the data set.
        images: Its images.
        duplicates: ``once`` where each image counts once. Then it is an error if all images are
            equal, or if one image has two labels. With ``keep`` the log warns of these.

    Returns:
        int64 [k], rows of the images that are equal to an earlier one.

    Raises:
        StockpotError: See ``duplicates``; the message names two files.
    """
    rows, earlier_rows = find_repeated(images.digests)
    if not len(rows):
        return rows
    _report_suspicious(name, images, rows, earlier_rows, duplicates)
    _log_pairs(images, rows, earlier_rows)
    if duplicates == ONCE:
        consequence = "are left out, so that each image counts once"
    else:
        consequence = "count each"
    log.warning(
        "%d of %d images are equal to one before them, and %s",
        len(rows),
        len(images.names),
        consequence,
    )
    return rows


def _report_suspicious(
    name: str,
    images: ImageList,
    rows: np.ndarray,
    earlier_rows: np.ndarray,
    duplicates: str,
) -> None:
    """Report if all images are equal, or one has two labels: an error, or with keep a warning."""
    problem = _all_equal(images, rows)
    if not problem:
        problem = _two_labels(images, rows, earlier_rows)
    if not problem:
        return
    if duplicates == ONCE:
        raise StockpotError(f"datasets.{name}: {problem}")
    log.warning("%s: %s", name, problem)


def _log_pairs(
    images: ImageList,
    rows: np.ndarray,
    earlier_rows: np.ndarray,
) -> None:
    """Name the first pairs of equal images in the log."""
    for row, earlier in list(zip(rows, earlier_rows))[:LOGGED_PAIR_COUNT]:
        log.warning(
            "the same image: %s and %s",
            short_name(images.names[earlier]),
            short_name(images.names[row]),
        )


def _all_equal(images: ImageList, rows: np.ndarray) -> str:
    """Say that all images are equal; "" where they are not, or are fewer than three."""
    image_count = len(images.names)
    # One repetition alone says nothing about the whole data set.
    if image_count < 3 or len(rows) < image_count - 1:
        return ""
    name = short_name(images.names[0])
    other_name = short_name(images.names[1])
    return (
        f"all {image_count} images are equal once they are decoded, as {name} and "
        f"{other_name}; are they placeholders, or of values that do not fit in 8 bits?"
    )


def _two_labels(
    images: ImageList,
    rows: np.ndarray,
    earlier_rows: np.ndarray,
) -> str:
    """Say that one image has two labels; "" where none has."""
    differing = np.flatnonzero(images.labels[rows] != images.labels[earlier_rows])
    if not len(differing):
        return ""
    row = rows[differing[0]]
    earlier = earlier_rows[differing[0]]
    name = short_name(images.names[row])
    earlier_name = short_name(images.names[earlier])
    class_name = short_name(images.class_names[images.labels[row]])
    earlier_class_name = short_name(images.class_names[images.labels[earlier]])
    further_count = len(differing) - 1
    further = f"; so are {further_count} more" if further_count else ""
    return (
        f"{earlier_name} and {name} are the same image under two labels, "
        f"'{earlier_class_name}' and '{class_name}'{further}; remove the wrong ones, or say "
        "duplicates: keep"
    )
