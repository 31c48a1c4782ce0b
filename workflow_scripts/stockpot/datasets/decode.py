"""Decode and resize a list of images into one array on disk: with all cores, shard by shard.

A stopped job goes on at the first shard that is not done. Threads are enough: Pillow decodes and
resizes without Python's lock.
"""

import json
import logging
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import UnidentifiedImageError

from ..errors import StockpotError
from ..files import atomic
from .disk import require_space, reserve
from .examples import Encoded
from .transform import Transform

log = logging.getLogger(__name__)

SHARD = 1024
EVERY = 10  # seconds between two lines of the log


class Unreachable(StockpotError):
    """The bytes of an image cannot be had: whether they are an image is not known."""


def decode(encoded: Encoded, transform: Transform, border: int = 0) -> np.ndarray:
    """uint8 [side, side, 3] of one image, without ``border`` pixels on each side.

    Raises StockpotError naming one that is no whole image, Unreachable one that is not there.
    """
    try:
        with encoded.open() as image:
            image.load()
    except StockpotError as error:
        raise Unreachable(str(error)) from error
    except Exception as error:  # Pillow raises all kinds for a stranger's bytes
        if isinstance(error, OSError) and error.errno:  # Pillow's own have none
            raise Unreachable(f"{encoded.name}: cannot be read ({error.strerror})") from error
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
    many there are in its shard. One that is not there, or a disk that is full, is StockpotError
    in any case.
    """
    state.mkdir(parents=True, exist_ok=True)
    file, done_file = state / "images.npy", state / "done.json"
    shape = (len(images), transform.side, transform.side, 3)
    known = json.loads(done_file.read_text()) if done_file.exists() and file.exists() else {}
    done, bad = known.get("shards", 0), known.get("bad", [])
    if known.get("moved_up"):
        return file, [tuple(entry) for entry in bad]
    if not done:
        done_file.unlink(missing_ok=True)  # it may be of an array that was moved away
    array = _opened(file, shape, done * SHARD)
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
            _note(done_file, shards=shard + 1, bad=bad)
            now = time.monotonic()
            if now - said > EVERY or shard + 1 == len(starts):
                rate = (rows.stop - first * SHARD) / (now - started)
                left = (len(images) - rows.stop) / rate
                log.info(
                    "%d/%d images  %.0f images/s  %.0f s left", rows.stop, len(images), rate, left
                )
                said = now
    if bad:
        rows = [row for row, _ in bad]
        _note(done_file, shards=rows[0] // SHARD, bad=[])  # all that stays true while rows move
        _move_up(array, rows)
        _shape(file, (len(images) - len(bad), *shape[1:]))
        _note(done_file, shards=len(starts), bad=bad, moved_up=True)
    return file, [tuple(entry) for entry in bad]


def _note(file: Path, **known) -> None:
    with atomic(file) as path:
        path.write_text(json.dumps(known))


def _opened(file: Path, shape: tuple[int, ...], done: int) -> np.memmap:
    """The array of a file that has its blocks on the disk; its first ``done`` rows are kept."""
    size, held = math.prod(shape), 0
    if done:
        found = file.stat()
        # A disk that compresses says less than what was written.
        held = max(found.st_blocks * 512, done * math.prod(shape[1:]))
    else:
        file.unlink(missing_ok=True)
    require_space(file.parent, size - held, f"{shape[0]} decoded images")
    _shape(file, shape)
    reserve(file, file.stat().st_size)
    return np.lib.format.open_memmap(file, "r+")


def _shape(file: Path, shape: tuple[int, ...]) -> None:
    """Make it the file of an array of this shape; the rows that both have are kept, as NumPy
    leaves room for any number of rows in the header."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with open(file, "r+b" if file.exists() else "w+b") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + math.prod(shape))


def _into(array, row: int, encoded: Encoded, transform: Transform, border: int) -> str:
    """Decode one image into its row; what is wrong with it, or ""."""
    try:
        array[row] = decode(encoded, transform, border)
        return ""
    except Unreachable:  # a file that is missing is no reason to leave an image out
        raise
    except StockpotError as error:
        return str(error)


def _move_up(array: np.memmap, gone: list[int]) -> None:
    """Close the gaps of these rows; nobody reads what is left at the end."""
    kept = np.setdiff1d(np.arange(gone[0], len(array)), gone)
    for start in range(0, len(kept), SHARD):
        rows = kept[start : start + SHARD]
        array[gone[0] + start :][: len(rows)] = array[rows]
    array.flush()
