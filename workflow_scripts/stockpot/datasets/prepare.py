"""From a source to a Dataset folder."""

import logging
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..runtime.digest import sha256
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from . import sources
from .dataset import digests, write_dataset
from .decoding.colours import BLACK
from .decoding.decode import alpha_rows, decode_all, leave_out
from .decoding.transform import Transform
from .equal import KEEP, ONCE, Listed, repeated_images
from .examples import Examples
from .names import shown, write_names
from .same_content import collecting, note_contents
from .split import part_of
from .split_list import read_list, rows_of

log = logging.getLogger(__name__)


def prepare(
    folder: Path, spec: dict, threads: int = 1, places: dict[str, str] | None = None
) -> None:
    """Write the data set that ``spec`` describes: what its source lists, of it the wanted part,
    decoded for the model.

    spec: name, source and the source's options, side, resize_mode, interpolation; for encoded
    images split and on_corrupt. places: where its files are now, if they were moved since the
    spec was first used. A stopped job goes on where it was.
    """
    located = {**spec, **(places or {})}
    examples = sources.load(spec["source"])(located)
    described = {key: value for key, value in spec.items() if key != "files"}
    if sources.is_own(spec["source"]) and (
        unused := sources.ask("unused", located, Path)
    ):
        described["unused"] = unused
    if isinstance(examples.images, np.ndarray):
        _write(folder, spec, examples, examples.images, described)
        return
    if spec.get("split"):
        examples = _rows(examples, _part(spec, examples))
    if not len(examples.images):
        raise StockpotError(
            f"{spec['name']}: no images in this part of {spec['source']}"
        )
    n = len(examples.images)
    state = folder / ".state" / sha256({"spec": spec, "keys": examples.keys})[:16]
    skip = spec["on_corrupt"] == "skip"
    transform = _transform(spec)
    file, bad = decode_all(
        examples.images, transform, state, examples.border, skip, threads
    )
    has_alpha = alpha_rows(state, n)
    if bad:
        examples = _without_unreadable(spec, examples, bad)
        described["left_out"] = len(bad)
        has_alpha = np.delete(has_alpha, [row for row, _ in bad])
    equal, each = _repeated(spec, examples, file)
    if len(equal):
        described["equal"] = len(equal)
    if len(equal) and spec.get("duplicates", KEEP) == ONCE:
        leave_out(file, equal)
        examples = _rows(examples, np.setdiff1d(np.arange(len(examples.images)), equal))
        has_alpha = np.delete(has_alpha, equal)
        each = np.delete(each, equal)
    if has_alpha.any():
        described["alpha"] = int(has_alpha.sum())
        log.warning(
            "%d of %d images have an alpha channel; background: %s",
            described["alpha"],
            len(has_alpha),
            transform.background,
        )
    write_names(folder, [image.name for image in examples.images])
    _write(folder, spec, examples, file, described, each)
    if sources.is_own(spec["source"]):
        _note_contents(spec, located, threads)
    shutil.rmtree(folder / ".state", ignore_errors=True)


def _note_contents(spec: dict, located: dict, threads: int) -> None:
    """Note what the files hold, if they are still those that were planned with."""
    key = f"datasets.{spec['name']}"
    with suppress(OSError, StockpotError), collecting() as listings:
        facts = sources.ask("facts", located, Path, key)
        if facts["files"] == spec.get("files"):
            note_contents(listings, threads)


def _part(spec: dict, examples: Examples) -> np.ndarray:
    """Places of the examples of the wanted part."""
    if not spec.get("listed"):
        return part_of(examples.keys, examples.labels, spec["split"])
    key = f"datasets.{spec['name']}.split.list"
    listed = rows_of(read_list(spec["listed"]["path"], key), examples.keys, key)
    rows = part_of(examples.keys, examples.labels, spec["split"], listed)
    if spec["split"]["part"] == "train":
        left = np.bincount(
            np.asarray(examples.labels)[rows], minlength=len(examples.class_names)
        )
        there = np.bincount(examples.labels, minlength=len(examples.class_names))
        none = [
            examples.class_names[i] for i in np.flatnonzero((left == 0) & (there > 0))
        ]
        if none:
            raise StockpotError(
                f"{key}: leaves no image of {one_line(none[0], 60)} to train on"
                + (f", nor of {len(none) - 1} other classes" if none[1:] else "")
            )
    return rows


def _transform(spec: dict) -> Transform:
    """How images of this data set become pixels. Published ones exactly as by open_clip."""
    return Transform(
        spec["side"],
        spec["resize_mode"],
        spec["interpolation"],
        background=spec.get("background", BLACK),
        as_stored=not sources.is_own(spec["source"]),
    )


def _without_unreadable(
    spec: dict, examples: Examples, bad: list[tuple[int, str]]
) -> Examples:
    """The examples that could be read. Raises StockpotError where a class has none of them."""
    n = len(examples.images)
    if len(bad) == n:
        raise StockpotError(
            f"{spec['name']}: none of {n} images can be read; {bad[0][1]}"
        )
    reasons = dict(bad)
    kept = _rows(examples, np.setdiff1d(np.arange(n), list(reasons)))
    emptied = np.setdiff1d(examples.labels, kept.labels)
    if len(emptied):
        rows = np.flatnonzero(np.asarray(examples.labels) == emptied[0])
        more = (
            f", nor any of {len(emptied) - 1} other classes" if len(emptied) > 1 else ""
        )
        raise StockpotError(
            f"{spec['name']}: none of the {len(rows)} images of the class "
            f"'{shown(examples.class_names[emptied[0]])}' can be read{more}; {reasons[rows[0]]}; "
            "on_corrupt: skip leaves out images, not classes"
        )
    for _, reason in bad[:10]:
        log.warning(reason)
    log.warning("%d of %d images are left out", len(bad), n)
    return kept


def _repeated(
    spec: dict, examples: Examples, file: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the examples that are equal to one before them, and the digests of all."""
    each = digests(np.load(file, mmap_mode="r", allow_pickle=False))
    listed = Listed(
        each,
        np.asarray(examples.labels),
        [image.name for image in examples.images],
        examples.class_names,
    )
    return repeated_images(spec["name"], listed, spec.get("duplicates", KEEP)), each


def _write(
    folder: Path,
    spec: dict,
    examples: Examples,
    images,
    described: dict,
    each: np.ndarray | None = None,
) -> None:
    write_dataset(
        folder,
        spec["name"],
        images,
        examples.labels,
        examples.class_names,
        described,
        examples.scoring,
        each,
    )


def _rows(examples: Examples, rows: np.ndarray) -> Examples:
    """Some of the examples, in their order."""
    return replace(
        examples,
        images=[examples.images[row] for row in rows],
        keys=[examples.keys[row] for row in rows],
        labels=np.asarray(examples.labels)[rows],
        scoring=examples.scoring.of(rows),
    )
