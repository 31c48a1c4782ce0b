"""Count a user's own images that have an alpha channel, from the first bytes of each file.

The plan of a study reports it, as models see the background that transparent parts are laid on.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ...runtime.file_kinds import PNG_MARK
from ...runtime.regular_files import open_regular
from .. import sources

# Images that are looked at, at most. Of more images, so many are evenly spread.
MAX_IMAGES = 1000
# Bytes of a file that are read. The alpha channel is declared before the pixels.
START_BYTES = 8192
# Colour types of PNG with an alpha channel: grey and colours.
PNG_ALPHA_TYPES = (4, 6)
# Flags of WebP, in the headers of the extended and the lossless format.
VP8X_ALPHA = 0x10
VP8L_ALPHA = 1 << 28
# Begin of the GIF extension with the flag for a transparent colour.
GIF_CONTROL = b"\x21\xf9\x04"
GIF_TRANSPARENT = 1
# Bits per pixel of a BMP that may have alpha, size of the smallest header with a mask for alpha,
# and where that mask is.
BMP_32_BITS = b"\x20\0"
BMP_ALPHA_HEADER = 56
BMP_ALPHA_MASK = slice(66, 70)


def declares_alpha(start: bytes) -> bool:
    """Tell whether an image file declares an alpha channel, or a transparent colour.

    Args:
        start: First bytes of the file, ``START_BYTES`` or fewer.

    Returns:
        False also for a file that is cut short or of another format.
    """
    if start.startswith(PNG_MARK):
        return _png_has_alpha(start)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _webp_has_alpha(start)
    if start[:4] == b"GIF8":
        return _gif_has_alpha(start)
    if start[:2] == b"BM":
        return _bmp_has_alpha(start)
    return False


def _png_has_alpha(start: bytes) -> bool:
    # Slices, unlike indices, give nothing where the file is cut short.
    colour_type = int.from_bytes(start[25:26], "big")
    return colour_type in PNG_ALPHA_TYPES or _has_clear_colour(start)


def _has_clear_colour(start: bytes) -> bool:
    """Is there a tRNS chunk before the pixels of a PNG?

    A chunk has four bytes of length, four of kind, its data, and a checksum of four bytes.
    """
    offset = len(PNG_MARK)
    while offset + 8 <= len(start):
        length = int.from_bytes(start[offset : offset + 4], "big")
        kind = start[offset + 4 : offset + 8]
        if kind == b"IDAT":
            return False
        if kind == b"tRNS":
            return True
        offset += 12 + length
    return False


def _webp_has_alpha(start: bytes) -> bool:
    chunk = start[12:16]
    if chunk == b"VP8X":
        flags = int.from_bytes(start[20:21], "little")
        return bool(flags & VP8X_ALPHA)
    if chunk == b"VP8L":
        flags = int.from_bytes(start[21:25], "little")
        return bool(flags & VP8L_ALPHA)
    return False


def _gif_has_alpha(start: bytes) -> bool:
    control = start.find(GIF_CONTROL)
    if control < 0:
        return False
    flags = int.from_bytes(start[control + 3 : control + 4], "little")
    return bool(flags & GIF_TRANSPARENT)


def _bmp_has_alpha(start: bytes) -> bool:
    header_size = int.from_bytes(start[14:18], "little")
    if start[28:30] != BMP_32_BITS or header_size < BMP_ALPHA_HEADER:
        return False
    return start[BMP_ALPHA_MASK] != bytes(4)


def alpha_lines(
    datasets: dict[str, dict[str, Any]],
    names: Iterable[str],
    locate: Callable[[str], Path],
) -> list[str]:
    """Report own images with an alpha channel, in words for the plan.

    Args:
        datasets: Entries of the config.
        names: Data sets to report on.
        locate: Turns a path of the config into where the file is.

    Returns:
        A line for each source of images that has some with an alpha channel. Data sets with the
        same source and background share one.
    """
    lines = []
    for background, group in _groups(datasets, names, locate):
        entry = datasets[group[0]]
        count_text = _count_text(sources.ask_source("byte_positions", entry, locate))
        if count_text:
            lines.append(
                f"datasets.{', '.join(group)}: {count_text} have an alpha channel; background: "
                f"{background}"
            )
    return lines


def _groups(
    datasets: dict[str, dict[str, Any]],
    names: Iterable[str],
    locate: Callable[[str], Path],
) -> list[tuple[str, list[str]]]:
    """Group data sets of own images by source and background: (background, names) each."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in sorted(names):
        entry = datasets[name]
        if not _lies_in_files(entry["source"]):
            continue
        background = sources.with_defaults(entry)["background"]
        read = sources.identity(entry, locate).read
        groups.setdefault((read, background), []).append(name)
    return [(background, group) for (_, background), group in groups.items()]


def _lies_in_files(source: str) -> bool:
    """Are these a user's own images, each of which is a range of bytes of a file?"""
    if source not in sources.names() or not sources.reads_user_files(source):
        return False
    return hasattr(sources.module(source), "byte_positions")


def _count_text(positions: list[tuple[str, int]]) -> str:
    """Say how many images have an alpha channel; "" where none has.

    ``positions`` has the file and the first byte of each image.
    """
    image_count = len(positions)
    sample_size = min(image_count, MAX_IMAGES)
    alpha_count = 0
    for i in range(sample_size):
        path, first_byte = positions[i * image_count // sample_size]
        alpha_count += declares_alpha(_read_start(path, first_byte))
    if not alpha_count:
        return ""
    if sample_size == image_count:
        return f"{alpha_count:,} of {image_count:,} images"
    return (
        f"{alpha_count:,} of {sample_size:,} images that were looked at "
        f"(of {image_count:,})"
    )


def _read_start(path: str, first_byte: int) -> bytes:
    """The first bytes of an image; none of one that cannot be read, which preparing reports."""
    try:
        with open_regular(path) as file:
            file.seek(first_byte)
            return file.read(START_BYTES)
    except OSError:
        return b""
