"""From a source to a Dataset folder."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..digest import sha256
from ..errors import StockpotError
from ..runtime.escape import one_line
from . import sources
from .dataset import write_dataset
from .decode import decode_all
from .examples import Examples
from .split import part_of
from .split_list import read_list, rows_of
from .transform import Transform

log = logging.getLogger(__name__)


def prepare(folder: Path, spec: dict, threads: int = 1) -> None:
    """Write the data set that ``spec`` describes: what its source lists, of it the wanted part,
    decoded for the model.

    spec: name, source and the source's options, side, resize_mode, interpolation; for encoded
    images split and on_corrupt. A stopped job goes on where it was.
    """
    examples = sources.load(spec["source"])(spec)
    described = {key: value for key, value in spec.items() if key != "files"}
    if isinstance(examples.images, np.ndarray):
        _write(folder, spec, examples, examples.images, described)
        return
    if spec.get("split"):
        examples = _rows(examples, _part(spec, examples))
    if not len(examples.images):
        raise StockpotError(f"{spec['name']}: no images in this part of {spec['source']}")
    n = len(examples.images)
    state = folder / ".state" / sha256({"spec": spec, "keys": examples.keys})[:16]
    transform = Transform(spec["side"], spec["resize_mode"], spec["interpolation"])
    skip = spec["on_corrupt"] == "skip"
    file, bad = decode_all(examples.images, transform, state, examples.border, skip, threads)
    if bad:
        if len(bad) == n:
            raise StockpotError(f"{spec['name']}: none of {n} images can be read; {bad[0][1]}")
        for _, reason in bad[:10]:
            log.warning(reason)
        log.warning("%d of %d images are left out", len(bad), n)
        gone = [row for row, _ in bad]
        examples = _rows(examples, np.setdiff1d(np.arange(n), gone))
        described["left_out"] = len(bad)
    _write(folder, spec, examples, file, described)
    shutil.rmtree(folder / ".state", ignore_errors=True)


def _part(spec: dict, examples: Examples) -> np.ndarray:
    """Places of the examples of the wanted part."""
    if not spec.get("listed"):
        return part_of(examples.keys, examples.labels, spec["split"])
    key = f"datasets.{spec['name']}.split.list"
    listed = rows_of(read_list(spec["listed"]["path"], key), examples.keys, key)
    rows = part_of(examples.keys, examples.labels, spec["split"], listed)
    if spec["split"]["part"] == "train":
        left = np.bincount(np.asarray(examples.labels)[rows], minlength=len(examples.class_names))
        there = np.bincount(examples.labels, minlength=len(examples.class_names))
        none = [examples.class_names[i] for i in np.flatnonzero((left == 0) & (there > 0))]
        if none:
            raise StockpotError(
                f"{key}: leaves no image of {one_line(none[0], 60)} to train on"
                + (f", nor of {len(none) - 1} other classes" if none[1:] else "")
            )
    return rows


def _write(folder: Path, spec: dict, examples: Examples, images, described: dict) -> None:
    write_dataset(
        folder, spec["name"], images, examples.labels, examples.class_names, described,
        examples.scoring,
    )  # fmt: skip


def _rows(examples: Examples, rows: np.ndarray) -> Examples:
    """Some of the examples, in their order."""
    return replace(
        examples,
        images=[examples.images[row] for row in rows],
        keys=[examples.keys[row] for row in rows],
        labels=np.asarray(examples.labels)[rows],
        scoring=examples.scoring.of(rows),
    )
