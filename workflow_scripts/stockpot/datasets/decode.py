"""Decode and resize a list of images into one array on disk: with all cores, shard by shard.

A stopped job goes on at the first shard that is not done. Threads are enough: Pillow decodes and
resizes without Python's lock.
"""

import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import UnidentifiedImageError

from ..errors import StockpotError
from ..files import atomic
from .examples import Encoded
from .transform import Transform

log = logging.getLogger(__name__)

SHARD = 1024
EVERY = 10  # seconds between two lines of the log


def decode(encoded: Encoded, transform: Transform, border: int = 0) -> np.ndarray:
    """uint8 [side, side, 3] of one image, without ``border`` pixels on each side.

    Raises StockpotError naming one that is no whole image.
    """
    try:
        with encoded.open() as image:
            image.load()
    except Exception as error:  # Pillow raises all kinds for a stranger's bytes
        unknown = isinstance(error, UnidentifiedImageError)  # that error prints an address
        said = "of no known format" if unknown else str(error) or type(error).__name__
        raise StockpotError(f"{encoded.name}: not a readable image ({said})") from error
    width, height = image.size
    if min(width, height) <= 2 * border:
        raise StockpotError(
            f"{encoded.name}: {width} x {height} pixels are too few to cut {border} on each side"
        )
    if border:
        image = image.crop((border, border, width - border, height - border))
    try:
        return transform(image)
    except (ValueError, MemoryError) as error:
        raise StockpotError(f"{encoded.name}: cannot be resized ({error})") from error


def decode_all(
    images: Sequence[Encoded],
    transform: Transform,
    state: Path,
    border: int = 0,
    skip: bool = False,
    threads: int = 1,
) -> tuple[Path, list[tuple[int, str]]]:
    """Decode all images into an array file; returns it, uint8 [n, side, side, 3], and what was
    left out: (place in ``images``, reason) each.

    state: a folder for this list of images and this transform alone, where a stopped job goes
    on. skip: leave unreadable images out; else StockpotError for the first of them, and how
    many there are in its shard.
    """
    state.mkdir(parents=True, exist_ok=True)
    file, done_file = state / "images.npy", state / "done.json"
    shape = (len(images), transform.side, transform.side, 3)
    known = json.loads(done_file.read_text()) if done_file.exists() and file.exists() else {}
    done, bad = known.get("shards", 0), known.get("bad", [])
    mode = "r+" if done else "w+"
    array = np.lib.format.open_memmap(file, mode, None if done else np.uint8, shape)
    starts, started = range(0, len(images), SHARD), time.monotonic()
    first, said = done, started
    with ThreadPoolExecutor(threads) as pool:
        for shard, start in enumerate(starts):
            if shard < done:
                continue
            rows = range(start, min(start + SHARD, len(images)))
            found = pool.map(lambda row: _into(array, row, images[row], transform, border), rows)
            wrong = [(row, reason) for row, reason in zip(rows, found) if reason]
            if wrong and not skip:
                more = f"; so are {len(wrong) - 1} of the next {len(rows)}" if wrong[1:] else ""
                raise StockpotError(
                    f"{wrong[0][1]}{more}; on_corrupt: skip leaves such images out and counts them"
                )
            bad += wrong
            array.flush()
            with atomic(done_file) as path:
                path.write_text(json.dumps({"shards": shard + 1, "bad": bad}))
            now = time.monotonic()
            if now - said > EVERY or shard + 1 == len(starts):
                rate = (rows.stop - first * SHARD) / (now - started)
                left = (len(images) - rows.stop) / rate
                log.info(
                    "%d/%d images  %.0f images/s  %.0f s left", rows.stop, len(images), rate, left
                )
                said = now
    return _without(array, file, [row for row, _ in bad]), [tuple(entry) for entry in bad]


def _into(array, row: int, encoded: Encoded, transform: Transform, border: int) -> str:
    """Decode one image into its row; what is wrong with it, or ""."""
    try:
        array[row] = decode(encoded, transform, border)
        return ""
    except StockpotError as error:
        return str(error)


def _without(array: np.memmap, file: Path, rows: list[int]) -> Path:
    """A file without these rows: the same one where there are none."""
    if not rows:
        return file
    kept = np.setdiff1d(np.arange(len(array)), rows)
    shorter = file.with_name("kept.npy")
    out = np.lib.format.open_memmap(shorter, "w+", np.uint8, (len(kept), *array.shape[1:]))
    for start in range(0, len(kept), SHARD):
        out[start : start + SHARD] = array[kept[start : start + SHARD]]
    out.flush()
    return shorter
