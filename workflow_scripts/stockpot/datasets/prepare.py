"""Prepare a data set: from a source to a Dataset folder."""

import logging
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..runtime.digest import sha256
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from . import sources
from .dataset import digests_of_images, write_dataset
from .decoding.colours import BLACK
from .decoding.decode import alpha_rows, decode_all, leave_out
from .decoding.transform import Transform
from .examples import Examples
from .names import short_name, write_names
from .repeated_images import KEEP, ONCE, ImageList, report_repeated_images
from .same_content import collecting_listings, note_contents
from .split import split_rows
from .split_list import read_list, rows_of

log = logging.getLogger(__name__)

# Unreadable images that the log names, at most.
LOGGED_UNREADABLE_COUNT = 10


@dataclass
class _Decoded:
    """Examples whose images were decoded into a file.

    Attributes:
        examples: The examples, one per row of the file.
        file: Array file, uint8 [n, side, side, 3].
        has_alpha: bool [n], which images have an alpha channel.
        card_entries: What the card says of images that were left out, are equal or transparent.
        digests: uint64 [n], digests of the decoded images.
    """

    examples: Examples
    file: Path
    has_alpha: np.ndarray
    card_entries: dict[str, int]
    digests: np.ndarray | None = None


def prepare(
    folder: Path,
    spec: dict[str, Any],
    threads: int = 1,
    current_paths: dict[str, str] | None = None,
) -> None:
    """Write the data set that ``spec`` describes.

    The source lists images, of which those of the split are decoded for the model. A stopped job
    goes on where it was.

    Args:
        folder: The Dataset folder to write.
        spec: Plain data with name, source, the options of the source, image_size, resize_mode and
            interpolation; for encoded images also split and on_corrupt.
        threads: Threads that decode.
        current_paths: Keys of ``spec`` -> where these files are now, if they were moved since the
            spec was first used.

    Raises:
        StockpotError: The source, or an image of it, cannot be read or used.
    """
    # Files are read where they are now. The card keeps the paths of the spec.
    located = {**spec, **(current_paths or {})}
    examples = sources.load(spec["source"])(located)
    described = _described_source(spec, located)
    # Some sources, such as CIFAR, come as arrays, which need no decoding.
    if isinstance(examples.images, np.ndarray):
        _write(folder, spec, examples, examples.images, described)
        return
    _prepare_encoded(folder, spec, examples, described, threads)
    if sources.reads_user_files(spec["source"]):
        _note_contents(spec, located, threads)
    # Nothing has to go on from here, so the state of decoding is not needed any more.
    shutil.rmtree(folder / ".state", ignore_errors=True)


def _described_source(spec: dict[str, Any], located: dict[str, Any]) -> dict[str, Any]:
    """What the card says of the source: the spec, and which files were not read."""
    # The digest of the files depends on their dates, which the card must not.
    described = {key: value for key, value in spec.items() if key != "files"}
    if sources.reads_user_files(spec["source"]):
        unused = sources.ask_source("unused", located, Path)
        if unused:
            described["unused"] = unused
    return described


def _prepare_encoded(
    folder: Path,
    spec: dict[str, Any],
    examples: Examples,
    described: dict[str, Any],
    threads: int,
) -> None:
    """Decode the images of the split, check them, and write the Dataset folder."""
    if spec.get("split"):
        examples = _select_rows(examples, _rows_of_split(spec, examples))
    if not len(examples.images):
        raise StockpotError(
            f"{spec['name']}: no images in this part of {spec['source']}"
        )
    decoded = _decode(folder, spec, examples, threads)
    _handle_repeated(spec, decoded)
    _count_transparent(spec, decoded)
    names = [image.name for image in decoded.examples.images]
    write_names(folder, names)
    described.update(decoded.card_entries)
    _write(
        folder,
        spec,
        decoded.examples,
        decoded.file,
        described,
        decoded.digests,
    )


def _rows_of_split(spec: dict[str, Any], examples: Examples) -> np.ndarray:
    """Rows of the examples of the split, rising."""
    split = spec["split"]
    if not spec.get("listed"):
        return split_rows(examples.keys, examples.labels, split)
    key = f"datasets.{spec['name']}.split.held_out_list"
    held_out_list = read_list(spec["listed"]["path"], key)
    held_out_rows = rows_of(held_out_list, examples.keys, key)
    rows = split_rows(examples.keys, examples.labels, split, held_out_rows)
    if split["part"] == "train":
        _require_all_classes(examples, rows, key)
    return rows


def _require_all_classes(
    examples: Examples,
    rows: np.ndarray,
    key: str,
) -> None:
    """Refuse a list that holds out all images of a class."""
    labels = np.asarray(examples.labels)
    class_count = len(examples.class_names)
    remaining_counts = np.bincount(labels[rows], minlength=class_count)
    counts = np.bincount(labels, minlength=class_count)
    # Classes that the source has images of, and none of them in the split.
    emptied = np.flatnonzero((remaining_counts == 0) & (counts > 0))
    if not len(emptied):
        return
    class_name = examples.class_names[emptied[0]]
    message = f"{key}: leaves no image of {one_line(class_name, 60)} to train on"
    if len(emptied) > 1:
        message += f", nor of {len(emptied) - 1} other classes"
    raise StockpotError(message)


def _decode(
    folder: Path,
    spec: dict[str, Any],
    examples: Examples,
    threads: int,
) -> _Decoded:
    """Decode all images, and leave out unreadable ones where the config allows that."""
    image_count = len(examples.images)
    # Another spec or other images must not go on with the state of these.
    state_digest = sha256({"spec": spec, "keys": examples.keys})
    state = folder / ".state" / state_digest[:16]
    file, unreadable = decode_all(
        examples.images,
        _transform(spec),
        state,
        examples.border,
        skip=spec["on_corrupt"] == "skip",
        threads=threads,
    )
    has_alpha = alpha_rows(state, image_count)
    card_entries = {}
    if unreadable:
        examples = _without_unreadable(spec, examples, unreadable)
        card_entries["left_out"] = len(unreadable)
        has_alpha = np.delete(has_alpha, [row for row, _ in unreadable])
    return _Decoded(examples, file, has_alpha, card_entries)


def _transform(spec: dict[str, Any]) -> Transform:
    """How images of this data set become pixels; published ones exactly as in open_clip."""
    return Transform(
        spec["image_size"],
        spec["resize_mode"],
        spec["interpolation"],
        background=spec.get("background", BLACK),
        as_stored=not sources.reads_user_files(spec["source"]),
    )


def _without_unreadable(
    spec: dict[str, Any],
    examples: Examples,
    unreadable: list[tuple[int, str]],
) -> Examples:
    """The examples that could be read; an error where a class has none of them.

    ``unreadable`` has the row of each image that could not be read, and the reason.
    """
    image_count = len(examples.images)
    if len(unreadable) == image_count:
        _, reason = unreadable[0]
        raise StockpotError(
            f"{spec['name']}: none of {image_count} images can be read; {reason}"
        )
    reasons = dict(unreadable)
    kept_rows = np.setdiff1d(np.arange(image_count), list(reasons))
    kept = _select_rows(examples, kept_rows)
    # A data set that lacks a class would be another test than the config describes.
    emptied = np.setdiff1d(examples.labels, kept.labels)
    if len(emptied):
        rows = np.flatnonzero(np.asarray(examples.labels) == emptied[0])
        class_name = short_name(examples.class_names[emptied[0]])
        further = ""
        if len(emptied) > 1:
            further = f", nor any of {len(emptied) - 1} other classes"
        raise StockpotError(
            f"{spec['name']}: none of the {len(rows)} images of the class "
            f"'{class_name}' can be read{further}; {reasons[rows[0]]}; "
            "on_corrupt: skip leaves out images, not classes"
        )
    for _, reason in unreadable[:LOGGED_UNREADABLE_COUNT]:
        log.warning(reason)
    log.warning("%d of %d images are left out", len(unreadable), image_count)
    return kept


def _handle_repeated(spec: dict[str, Any], decoded: _Decoded) -> None:
    """Count images that are equal to an earlier one; leave them out if the config says so."""
    examples = decoded.examples
    duplicates = spec.get("duplicates", KEEP)
    # The map is closed at once, as the file may be shortened below.
    decoded.digests = digests_of_images(
        np.load(decoded.file, mmap_mode="r", allow_pickle=False)
    )
    images = ImageList(
        digests=decoded.digests,
        labels=np.asarray(examples.labels),
        names=[image.name for image in examples.images],
        class_names=examples.class_names,
    )
    repeated_rows = report_repeated_images(spec["name"], images, duplicates)
    if not len(repeated_rows):
        return
    decoded.card_entries["equal"] = len(repeated_rows)
    if duplicates != ONCE:
        return
    leave_out(decoded.file, repeated_rows)
    kept_rows = np.setdiff1d(np.arange(len(examples.images)), repeated_rows)
    decoded.examples = _select_rows(examples, kept_rows)
    decoded.has_alpha = np.delete(decoded.has_alpha, repeated_rows)
    decoded.digests = np.delete(decoded.digests, repeated_rows)


def _count_transparent(spec: dict[str, Any], decoded: _Decoded) -> None:
    """Count images with an alpha channel and report them."""
    if not decoded.has_alpha.any():
        return
    alpha_count = int(decoded.has_alpha.sum())
    decoded.card_entries["alpha"] = alpha_count
    log.warning(
        "%d of %d images have an alpha channel; background: %s",
        alpha_count,
        len(decoded.has_alpha),
        _transform(spec).background,
    )


def _note_contents(
    spec: dict[str, Any],
    located: dict[str, Any],
    threads: int,
) -> None:
    """Note the contents of the files, if they are still those that were planned with."""
    key = f"datasets.{spec['name']}"
    with suppress(OSError, StockpotError), collecting_listings() as listings:
        facts = sources.ask_source("facts", located, Path, key)
        # Files that changed after planning are not those that the data set stands for.
        if facts["files"] == spec.get("files"):
            note_contents(listings, threads)


def _write(
    folder: Path,
    spec: dict[str, Any],
    examples: Examples,
    images: np.ndarray | Path,
    described: dict[str, Any],
    image_digests: np.ndarray | None = None,
) -> None:
    write_dataset(
        folder,
        spec["name"],
        images,
        examples.labels,
        examples.class_names,
        described,
        examples.scoring,
        image_digests,
    )


def _select_rows(examples: Examples, rows: np.ndarray) -> Examples:
    """Some of the examples, in the order of the rows."""
    return replace(
        examples,
        images=[examples.images[row] for row in rows],
        keys=[examples.keys[row] for row in rows],
        labels=np.asarray(examples.labels)[rows],
        scoring=examples.scoring.select_rows(rows),
    )
