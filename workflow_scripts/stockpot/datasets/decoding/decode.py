"""Decode and resize a list of images into one array on disk: with all cores, shard by shard.

A stopped job goes on at the first shard that is not done. Threads are enough: Pillow decodes and
resizes without Python's lock.
"""

import io
import logging
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.file_kinds import PNG_MARK
from ...runtime.sealed import unreadable, unsealed, write_sealed
from ..bounded import MEMORY_BASE_BYTES
from ..disk import require_space, reserve
from ..examples import Encoded
from .bounds import Budget, require_few_pixels
from .colours import has_alpha, require_full_range
from .transform import Transform
from .whole import require_few_scans, require_whole

log = logging.getLogger(__name__)

SHARD = 1024
EVERY = 10  # seconds between two lines of the log


class Unreachable(StockpotError):
    """The bytes of an image cannot be had: whether they are an image is not known."""


def decode(encoded: Encoded, transform: Transform, border: int = 0) -> np.ndarray:
    """uint8 [side, side, 3] of one image, without ``border`` pixels on each side.

    Raises StockpotError naming one that is no whole image, Unreachable one that is not there.
    """
    return _decoded(encoded, transform, border, Budget(MEMORY_BASE_BYTES))[0]


def _decoded(
    encoded: Encoded, transform: Transform, border: int, memory: Budget
) -> tuple[np.ndarray, bool]:
    """The pixels of ``decode``, and whether the image has an alpha channel."""
    with _saying(encoded.name), encoded.open() as image:
        data = _encoded_bytes(image)
        with memory.of(_needed(image, data, transform)):
            bits = _loaded(image, data)
            return _transformed(
                image, transform, border, encoded.name, bits
            ), has_alpha(image)


class _Refused(StockpotError):
    """An image that was read is not of use."""


@contextmanager
def _saying(name: str) -> Iterator[None]:
    """What goes wrong with an image becomes one line that names it: StockpotError if the image is
    at fault, else Unreachable."""
    try:
        yield
    except _Refused as error:
        raise StockpotError(str(error)) from error
    except StockpotError as error:  # of its source, about a whole file of images
        raise Unreachable(str(error)) from error
    except MemoryError as error:
        # It says nothing about the image, and which ones it hits depends on the machine.
        raise Unreachable(
            f"{name}: no memory left to decode it; give the job more, or fewer threads"
        ) from error
    except Exception as error:  # Pillow raises all kinds for a stranger's bytes
        if isinstance(error, OSError) and error.errno:  # Pillow's own have none
            raise Unreachable(f"{name}: cannot be read ({error.strerror})") from error
        unknown = isinstance(
            error, UnidentifiedImageError
        )  # that error prints an address
        said = "of no known format" if unknown else str(error) or type(error).__name__
        raise StockpotError(
            f"{name}: not a readable image ({one_line(said, 250)})"
        ) from error


def _encoded_bytes(image: Image.Image) -> bytes:
    """What an image that was opened in memory is decoded from; of an array, nothing."""
    file = getattr(image, "fp", None)
    return file.getvalue() if isinstance(file, io.BytesIO) else b""


def _needed(image: Image.Image, data: bytes, transform: Transform) -> int:
    """Bytes of memory that it takes; ValueError where that is more than a file of its size may."""
    if not data:
        return 0
    progressive = bool(image.info.get("progressive"))
    if progressive:
        require_few_scans(data)
    needed = require_few_pixels(
        image.size, image.format, image.mode, len(data), progressive, has_alpha(image)
    )
    return needed + transform.memory(image.size)


def _loaded(image: Image.Image, data: bytes) -> int:
    """Decode the pixels of an image; returns how many bits each channel has in its file."""
    image.load()
    if image.format == "WEBP":
        image._decoder = None  # holds two pictures of its own
    bits = 8
    if data:
        require_whole(image, data)
        if data.startswith(PNG_MARK):
            bits = data[24]
            require_full_range(image, bits)
    return bits


def _transformed(
    image: Image.Image, transform: Transform, border: int, name: str, bits: int
) -> np.ndarray:
    width, height = image.size
    if min(width, height) <= 2 * border:
        raise _Refused(
            f"{name}: {width} x {height} pixels are too few to cut {border} on each side"
        )
    if border:
        image = image.crop((border, border, width - border, height - border))
    try:
        return transform(image, bits)
    except ValueError as error:
        raise _Refused(f"{name}: cannot be resized ({error})") from error


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
    known = _noted(done_file) if file.exists() else {}
    alpha = known.get("alpha_rows", [])  # which of each shard, see ``_bits``
    if len(alpha) != known.get(
        "shards", 0
    ):  # of an earlier version, which counted them alone
        known, alpha = {}, []
    done, bad = known.get("shards", 0), known.get("bad", [])
    if known.get("moved_up"):
        return file, [tuple(entry) for entry in bad]
    if not done:
        done_file.unlink(missing_ok=True)  # it may be of an array that was moved away
    array = _opened(file, shape, done * SHARD)
    starts, started = range(0, len(images), SHARD), time.monotonic()
    first, said = done, started
    memory = Budget(threads * MEMORY_BASE_BYTES)
    with ThreadPoolExecutor(threads) as pool:
        for shard, start in enumerate(starts):
            if shard < done:
                continue
            rows = range(start, min(start + SHARD, len(images)))
            decoded = pool.map(
                lambda row: _into(array, row, images[row], transform, border, memory),
                rows,
            )
            found = list(decoded)
            wrong = [(row, reason) for row, (reason, _) in zip(rows, found) if reason]
            alpha = [*alpha, _bits([has_one for _, has_one in found])]
            if wrong and not skip:
                more = (
                    f"; so are {len(wrong) - 1} of the next {len(rows)}"
                    if wrong[1:]
                    else ""
                )
                raise StockpotError(
                    f"{wrong[0][1]}{more}; on_corrupt: skip leaves such images out and counts them"
                )
            bad += wrong
            array.flush()
            _note(done_file, shards=shard + 1, bad=bad, alpha_rows=alpha)
            now = time.monotonic()
            if now - said > EVERY or shard + 1 == len(starts):
                rate = (rows.stop - first * SHARD) / (now - started)
                left = (len(images) - rows.stop) / rate
                log.info(
                    "%d/%d images  %.0f images/s  %.0f s left",
                    rows.stop,
                    len(images),
                    rate,
                    left,
                )
                said = now
    if bad:
        rows = [row for row, _ in bad]
        whole = rows[0] // SHARD
        # All that stays true while rows move.
        _note(done_file, shards=whole, bad=[], alpha_rows=alpha[:whole])
        _move_up(array, rows)
        _shape(file, (len(images) - len(bad), *shape[1:]))
        _note(done_file, shards=len(starts), bad=bad, alpha_rows=alpha, moved_up=True)
    return file, [tuple(entry) for entry in bad]


def alpha_rows(state: Path, n: int) -> np.ndarray:
    """bool [n]: which of the n images of ``decode_all`` have an alpha channel; of one that was left
    out, no."""
    flags = np.zeros(n, dtype=bool)
    for shard, bits in enumerate(_noted(state / "done.json")["alpha_rows"]):
        rows = flags[shard * SHARD :][:SHARD]
        rows[:] = np.unpackbits(
            np.frombuffer(bytes.fromhex(bits), np.uint8), count=len(rows)
        )
    return flags


def _bits(flags: Sequence[bool]) -> str:
    """A bit per image of a shard, as hexadecimal text, which takes less room than numbers."""
    return np.packbits(np.array(flags, dtype=bool)).tobytes().hex()


def leave_out(file: Path, rows: Sequence[int]) -> None:
    """Take some rows out of the array of ``decode_all``; the others move up.

    A job that is stopped meanwhile decodes them all again.
    """
    (file.parent / "done.json").unlink()
    array = np.lib.format.open_memmap(file, "r+")
    shape = (len(array) - len(rows), *array.shape[1:])
    _move_up(array, list(rows))
    del array
    _shape(file, shape)


def _note(file: Path, **known) -> None:
    write_sealed(file, known)


def _noted(file: Path) -> dict:
    """What a stopped job has done; nothing where the file is damaged.

    Raises StockpotError where the file cannot be read: what was decoded may be whole.
    """
    try:
        return unsealed(file.read_bytes(), file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unreadable(file, error) from error
    except ValueError as error:
        log.warning("%s: damaged (%s); decoding begins anew", file, error)
        return {}


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


def _into(
    array, row: int, encoded: Encoded, transform: Transform, border: int, memory: Budget
) -> tuple[str, bool]:
    """Decode one image into its row; what is wrong with it, or "", and has it an alpha channel?"""
    try:
        array[row], alpha = _decoded(encoded, transform, border, memory)
        return "", alpha
    except Unreachable:  # a file that is missing is no reason to leave an image out
        raise
    except StockpotError as error:
        return str(error), False


def _move_up(array: np.memmap, gone: list[int]) -> None:
    """Close the gaps of these rows; nobody reads what is left at the end."""
    kept = np.setdiff1d(np.arange(gone[0], len(array)), gone)
    for start in range(0, len(kept), SHARD):
        rows = kept[start : start + SHARD]
        array[gone[0] + start :][: len(rows)] = array[rows]
    array.flush()
