"""From a source to a Dataset folder."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..digest import sha256
from ..errors import StockpotError
from . import sources
from .dataset import write_dataset
from .decode import decode_all
from .examples import Examples
from .split import part_of
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
        examples = _rows(examples, part_of(examples.keys, examples.labels, spec["split"]))
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
