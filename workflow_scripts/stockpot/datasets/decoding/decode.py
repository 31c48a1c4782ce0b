"""Decode and resize a list of images into one array on disk, with all cores, shard by shard.

A stopped job goes on at the first shard that is not done. Threads are enough, as Pillow decodes and
resizes without holding Python's lock.

The state of a job is two files: ``images.npy``, the array with a row per image, and ``done.json``,
its progress. If unreadable images are left out, the others move up to close the gaps, and the array
becomes shorter.
"""

import io
import logging
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.file_kinds import PNG_MARK
from ...runtime.sealed import unreadable, unsealed, write_sealed
from ..bounded import MEMORY_BASE_BYTES
from ..disk import require_space, reserve
from ..examples import EncodedImage
from .colours import has_alpha, require_full_range
from .memory_bounds import Budget, require_few_pixels
from .transform import Transform
from .truncation import require_few_scans, require_whole

log = logging.getLogger(__name__)

# Images that are decoded before the progress is written.
SHARD = 1024
# Seconds between two lines of the log.
LOG_INTERVAL_S = 10
ARRAY_FILE = "images.npy"
PROGRESS_FILE = "done.json"
# Offset of the bits per channel in a PNG file.
PNG_BIT_DEPTH = 24


class UnreachableError(StockpotError):
    """The bytes of an image cannot be had, so it is not known whether they are an image."""


class _RefusedError(StockpotError):
    """An image was read, but it is of no use."""


class _Outcome(NamedTuple):
    """What became of one image.

    Attributes:
        reason: Why it could not be decoded, or "".
        has_alpha: Has it an alpha channel?
    """

    reason: str
    has_alpha: bool


@dataclass(frozen=True)
class _Task:
    """How the images of one list are decoded, and where to.

    Attributes:
        transform: Resizes images.
        border: Pixels that are cut from every side first.
        memory: Memory that all threads may take together.
        array: uint8 [n, side, side, 3], to be filled.
    """

    transform: Transform
    border: int
    memory: Budget
    array: np.memmap


def decode(
    encoded: EncodedImage,
    transform: Transform,
    border: int = 0,
) -> np.ndarray:
    """Decode and resize one image.

    Args:
        encoded: The image.
        transform: Resizes it.
        border: Pixels that are cut from every side first.

    Returns:
        uint8 [side, side, 3].

    Raises:
        StockpotError: It is no whole image; its name is given.
        UnreachableError: Its bytes cannot be had.
    """
    pixels, _ = _decoded(
        encoded,
        transform,
        border,
        Budget(MEMORY_BASE_BYTES),
    )
    return pixels


def _decoded(
    encoded: EncodedImage,
    transform: Transform,
    border: int,
    memory: Budget,
) -> tuple[np.ndarray, bool]:
    """The pixels of ``decode``, and whether the image has an alpha channel."""
    with _named_errors(encoded.name), encoded.open() as image:
        data = _encoded_bytes(image)
        with memory.hold(_needed_memory(image, data, transform)):
            bits = _load_pixels(image, data)
            pixels = _transformed(image, transform, border, encoded.name, bits)
            return pixels, has_alpha(image)


@contextmanager
def _named_errors(name: str) -> Iterator[None]:
    """Turn errors about an image into one line that names it.

    It becomes a StockpotError if the image is at fault, else UnreachableError.
    """
    try:
        yield
    except _RefusedError as error:
        raise StockpotError(str(error)) from error
    except StockpotError as error:
        # The source raised it; it is about a whole file of images.
        raise UnreachableError(str(error)) from error
    except MemoryError as error:
        # It says nothing about the image, and which ones it hits depends on the machine.
        raise UnreachableError(
            f"{name}: no memory left to decode it; give the job more, or fewer threads"
        ) from error
    except Exception as error:  # Pillow raises all kinds for damaged bytes
        # Errors of the system have a number, those of Pillow have none.
        if isinstance(error, OSError) and error.errno:
            raise UnreachableError(
                f"{name}: cannot be read ({error.strerror})"
            ) from error
        raise StockpotError(
            f"{name}: not a readable image ({one_line(_error_text(error), 250)})"
        ) from error


def _error_text(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "of no known format"  # its own text has an address in memory
    return str(error) or type(error).__name__


def _encoded_bytes(image: Image.Image) -> bytes:
    """The bytes that an image was opened from; none where it was made from an array."""
    file = getattr(image, "fp", None)
    if isinstance(file, io.BytesIO):
        return file.getvalue()
    return b""


def _needed_memory(
    image: Image.Image,
    data: bytes,
    transform: Transform,
) -> int:
    """Bytes that an image takes; ValueError where that is more than its file size allows."""
    if not data:
        return 0
    is_progressive = bool(image.info.get("progressive"))
    if is_progressive:
        require_few_scans(data)
    needed = require_few_pixels(
        image.size,
        image.format,
        image.mode,
        len(data),
        progressive=is_progressive,
        alpha=has_alpha(image),
    )
    return needed + transform.memory(image.size)


def _load_pixels(image: Image.Image, data: bytes) -> int:
    """Decode the pixels of an image; return how many bits each channel has in its file."""
    image.load()
    if image.format == "WEBP":
        image._decoder = None  # it holds two pictures of its own
    if not data:
        return 8
    require_whole(image, data)
    if not data.startswith(PNG_MARK):
        return 8
    bits = data[PNG_BIT_DEPTH]
    require_full_range(image, bits)
    return bits


def _transformed(
    image: Image.Image,
    transform: Transform,
    border: int,
    name: str,
    bits: int,
) -> np.ndarray:
    """Cut the border and resize; _RefusedError where that is not possible."""
    width, height = image.size
    if min(width, height) <= 2 * border:
        raise _RefusedError(
            f"{name}: {width} x {height} pixels are too few to cut {border} on each side"
        )
    if border:
        image = image.crop((border, border, width - border, height - border))
    try:
        return transform(image, bits)
    except ValueError as error:
        raise _RefusedError(f"{name}: cannot be resized ({error})") from error


class _Progress:
    """What a job has done, which ``done.json`` keeps.

    Attributes:
        shards: Number of shards that are done.
        bad: Row and reason of each image that could not be decoded.
        alpha_rows: For each shard which images have an alpha channel, see ``_bits_to_text``.
        is_moved_up: Have the rows moved up that follow images that were left out?
    """

    def __init__(self, noted: dict[str, Any]) -> None:
        self.shards: int = noted.get("shards", 0)
        self.bad: list[Sequence[Any]] = noted.get("bad", [])
        self.alpha_rows: list[str] = noted.get("alpha_rows", [])
        self.is_moved_up = bool(noted.get("moved_up"))

    @classmethod
    def read(cls, state: Path) -> "_Progress":
        """Read the progress of a stopped job.

        Args:
            state: Folder of the job.

        Returns:
            The progress; that of a new job where there is none.
        """
        if not (state / ARRAY_FILE).exists():
            return cls({})
        progress = cls(_noted(state / PROGRESS_FILE))
        # An earlier version of this module only counted the images with an alpha channel.
        if len(progress.alpha_rows) != progress.shards:
            return cls({})
        return progress

    def unreadable(self) -> list[tuple[int, str]]:
        """Return the images that could not be decoded.

        Returns:
            Row and reason of each.
        """
        return [(row, reason) for row, reason in self.bad]


class _RateLog:
    """Reports in the log how fast images are decoded, and how long it will go on."""

    def __init__(self, total: int, done: int) -> None:
        self.total = total
        self.done_before = done
        self.started = time.monotonic()
        self.last_logged = self.started

    def report(self, done: int) -> None:
        """Write a line to the log if the last one is some seconds old, or all images are done.

        Args:
            done: Number of images that are done.
        """
        now = time.monotonic()
        is_last = done == self.total
        if now - self.last_logged <= LOG_INTERVAL_S and not is_last:
            return
        # Images of an earlier call do not count, as they took no time in this one.
        rate = (done - self.done_before) / (now - self.started)
        seconds_left = (self.total - done) / rate
        log.info(
            "%d/%d images  %.0f images/s  %.0f s left",
            done,
            self.total,
            rate,
            seconds_left,
        )
        self.last_logged = now


def decode_all(
    images: Sequence[EncodedImage],
    transform: Transform,
    state: Path,
    border: int = 0,
    *,
    skip: bool = False,
    threads: int = 1,
) -> tuple[Path, list[tuple[int, str]]]:
    """Decode all images into an array file.

    Args:
        images: The images.
        transform: Resizes them.
        state: A folder for this list of images and this transform only, where a stopped job goes
            on.
        border: Pixels that are cut from every side first.
        skip: Leave unreadable images out.
        threads: Threads that decode.

    Returns:
        The file, uint8 [n, side, side, 3], and the row in ``images`` and the reason of each image
        that was left out.

    Raises:
        StockpotError: An image is unreadable and ``skip`` is False. Or, in any case, the bytes of
            an image cannot be had, or the disk is full.
    """
    state.mkdir(parents=True, exist_ok=True)
    file = state / ARRAY_FILE
    progress_file = state / PROGRESS_FILE
    progress = _Progress.read(state)
    if progress.is_moved_up:
        return file, progress.unreadable()
    if not progress.shards:
        # It may be the progress of an array that was moved away.
        progress_file.unlink(missing_ok=True)
    shape = (len(images), transform.side, transform.side, 3)
    array = _open_array(file, shape, progress.shards * SHARD)
    task = _Task(
        transform,
        border,
        Budget(threads * MEMORY_BASE_BYTES),
        array,
    )
    _decode_shards(
        images,
        task,
        progress,
        progress_file,
        threads=threads,
        skip=skip,
    )
    if progress.bad:
        _close_gaps(file, array, progress)
    return file, progress.unreadable()


def _decode_shards(
    images: Sequence[EncodedImage],
    task: _Task,
    progress: _Progress,
    progress_file: Path,
    *,
    threads: int,
    skip: bool,
) -> None:
    """Decode the shards that are not done, and write the progress after each."""
    starts = range(progress.shards * SHARD, len(images), SHARD)
    rate_log = _RateLog(len(images), progress.shards * SHARD)
    with ThreadPoolExecutor(threads) as pool:
        for start in starts:
            rows = range(start, min(start + SHARD, len(images)))
            outcomes = _decode_rows(images, rows, task, pool)
            bad = []
            for row, outcome in zip(rows, outcomes):
                if outcome.reason:
                    bad.append((row, outcome.reason))
            if bad and not skip:
                raise StockpotError(_unreadable_text(bad, len(rows)))
            alpha_flags = [outcome.has_alpha for outcome in outcomes]
            progress.bad += bad
            progress.alpha_rows.append(_bits_to_text(alpha_flags))
            progress.shards += 1
            # First the images, so that the progress never promises images that are not there.
            task.array.flush()
            _note(
                progress_file,
                shards=progress.shards,
                bad=progress.bad,
                alpha_rows=progress.alpha_rows,
            )
            rate_log.report(rows.stop)


def _decode_rows(
    images: Sequence[EncodedImage],
    rows: range,
    task: _Task,
    pool: Executor,
) -> list[_Outcome]:
    """Decode one shard into the rows of the array."""
    encoded = [images[row] for row in rows]
    return list(pool.map(_decode_into, repeat(task), rows, encoded))


def _decode_into(
    task: _Task,
    row: int,
    encoded: EncodedImage,
) -> _Outcome:
    """Decode one image into its row of the array."""
    try:
        pixels, image_has_alpha = _decoded(
            encoded, task.transform, task.border, task.memory
        )
    except (
        UnreachableError
    ):  # a file that is missing is no reason to leave an image out
        raise
    except StockpotError as error:
        return _Outcome(str(error), has_alpha=False)
    task.array[row] = pixels
    return _Outcome("", image_has_alpha)


def _unreadable_text(bad: list[tuple[int, str]], shard_size: int) -> str:
    """Say which image of a shard is unreadable, and how many others are."""
    _, reason = bad[0]
    further = f"; so are {len(bad) - 1} of the next {shard_size}" if bad[1:] else ""
    return f"{reason}{further}; on_corrupt: skip leaves such images out and counts them"


def _close_gaps(
    file: Path,
    array: np.memmap,
    progress: _Progress,
) -> None:
    """Move rows up to where images were left out, and shorten the array.

    A job that is stopped meanwhile decodes the shards again from the first gap on.
    """
    progress_file = file.parent / PROGRESS_FILE
    gaps = [row for row, _ in progress.bad]
    # Rows before the first gap do not move, so these shards stay true all the time.
    unmoved_shards = gaps[0] // SHARD
    _note(
        progress_file,
        shards=unmoved_shards,
        bad=[],
        alpha_rows=progress.alpha_rows[:unmoved_shards],
    )
    _move_up(array, gaps)
    row_count = len(array) - len(gaps)
    _shape(file, (row_count, *array.shape[1:]))
    _note(
        progress_file,
        shards=progress.shards,
        bad=progress.bad,
        alpha_rows=progress.alpha_rows,
        moved_up=True,
    )


def alpha_rows(state: Path, n: int) -> np.ndarray:
    """Tell which images of ``decode_all`` have an alpha channel.

    Args:
        state: The folder of ``decode_all``.
        n: Number of its images, with those that were left out.

    Returns:
        bool [n]; False for images that were left out.
    """
    flags = np.zeros(n, dtype=bool)
    for shard, text in enumerate(_noted(state / PROGRESS_FILE)["alpha_rows"]):
        start = shard * SHARD
        shard_flags = flags[start : start + SHARD]
        packed = np.frombuffer(bytes.fromhex(text), np.uint8)
        shard_flags[:] = np.unpackbits(packed, count=len(shard_flags))
    return flags


def _bits_to_text(flags: Sequence[bool]) -> str:
    """A bit per image of a shard, as hexadecimal text, which takes less room than numbers."""
    return np.packbits(np.array(flags, dtype=bool)).tobytes().hex()


def leave_out(file: Path, rows: Sequence[int]) -> None:
    """Take rows out of the array of ``decode_all``; the others move up.

    A job that is stopped meanwhile decodes all images again.

    Args:
        file: The file that ``decode_all`` returned.
        rows: Rows of it, rising.
    """
    (file.parent / PROGRESS_FILE).unlink()
    array = np.lib.format.open_memmap(file, "r+")
    shape = (len(array) - len(rows), *array.shape[1:])
    _move_up(array, list(rows))
    # The map is closed before the file becomes shorter.
    del array
    _shape(file, shape)


def _note(file: Path, **progress: Any) -> None:
    write_sealed(file, progress)


def _noted(file: Path) -> dict[str, Any]:
    """Read what a stopped job has done; nothing where the file is missing or damaged.

    A file that cannot be read is a StockpotError, as what was decoded may be whole.
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


def _open_array(
    file: Path,
    shape: tuple[int, ...],
    done: int,
) -> np.memmap:
    """Open an array with blocks on the disk for all its rows; keep its first ``done`` rows."""
    held_bytes = 0
    if done:
        # A disk that compresses reports fewer blocks than were written.
        block_bytes = file.stat().st_blocks * 512
        held_bytes = max(block_bytes, done * math.prod(shape[1:]))
    else:
        file.unlink(missing_ok=True)
    needed = math.prod(shape) - held_bytes
    require_space(file.parent, needed, f"{shape[0]} decoded images")
    _shape(file, shape)
    reserve(file, file.stat().st_size)
    return np.lib.format.open_memmap(file, "r+")


def _shape(file: Path, shape: tuple[int, ...]) -> None:
    """Make a file hold a uint8 array of this shape.

    Rows of an earlier shape are kept, as NumPy leaves room in the header for any number of rows.
    """
    header = {
        "descr": "|u1",
        "fortran_order": False,
        "shape": shape,
    }
    with open(file, "r+b" if file.exists() else "w+b") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + math.prod(shape))


def _move_up(array: np.memmap, gaps: list[int]) -> None:
    """Close the gaps of some rows; nobody reads the rows that are left over at the end."""
    first_gap = gaps[0]
    kept = np.setdiff1d(np.arange(first_gap, len(array)), gaps)
    for start in range(0, len(kept), SHARD):
        rows = kept[start : start + SHARD]
        target = first_gap + start
        array[target : target + len(rows)] = array[rows]
    array.flush()
