"""Is an image whole? Decoders fill what a file lacks with black or grey, and say nothing.

Pillow refuses a file that is cut off. It does not refuse one whose compressed data end too early
but properly, as after a program that stopped halfway and still closed the file.
"""

import io
import re
import zlib
from collections.abc import Iterator
from itertools import pairwise

from PIL import Image

from ...runtime.file_kinds import PNG_MARK
from .bounds import MOST_SCANS

GREY = (127, 128)  # what libjpeg fills with, in any colour model
# Stands for missing data of a JPEG; decodes to anything but even grey.
NOISE = bytes.fromhex("5aa53cc3") * 2048
BLOCK = 1 << 16
# Of the seven passes of an interlaced PNG: first column and row, and the steps between.
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of the colour types of PNG
# A marker that ends the data of a scan: not a byte 255 of the data (00), nor a restart (D0 to D7).
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
START_OF_SCAN, END_OF_IMAGE, PROGRESSIVE_FRAME = 0xDA, 0xD9, 0xC2
COEFFICIENTS = 64  # of a block; a scan has some of them, to some bit


def require_few_scans(data: bytes) -> None:
    """Raises ValueError for a progressive JPEG of many scans: each goes through all pixels, though
    it may be a few bytes long."""
    scans = 0
    for marker, _ in jpeg_markers(data):
        scans += marker == START_OF_SCAN
        if scans > MOST_SCANS:
            raise ValueError(f"a progressive JPEG of more than {MOST_SCANS} scans")


def require_whole(image: Image.Image, data: bytes) -> None:
    """Raises ValueError where not all pixels of a decoded image come from its file's bytes."""
    if image.format == "PNG":
        _require_whole_png(image, data)
    elif image.format in ("JPEG", "MPO"):
        if image.info.get("progressive"):
            _require_all_scans(data)
        else:
            _require_whole_jpeg(image, data)


def jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, where it begins) of the first picture of a JPEG file, up to its end."""
    at = 2
    while True:
        found = _MARKER.search(data, at)
        if not found:
            return
        marker = found[1][0]
        yield marker, found.end() - 2
        if marker == END_OF_IMAGE:
            return
        at = found.end()
        if marker != 0x01:  # the one other marker without a length
            at += int.from_bytes(data[at : at + 2], "big")


def _require_whole_jpeg(image: Image.Image, data: bytes) -> None:
    """Where data lack, libjpeg leaves even grey up to the last pixel. Real images have that too:
    so it is decoded once more with noise after the data, which changes an image that lacks
    some."""
    corner = image.getpixel((image.width - 1, image.height - 1))
    channels = corner if isinstance(corner, tuple) else (corner,)
    if any(channel not in GREY for channel in channels):
        return
    markers = list(jpeg_markers(data))
    ends = [
        end for (marker, _), (_, end) in pairwise(markers) if marker == START_OF_SCAN
    ]
    if not ends:
        return
    noisy = data[: ends[-1]] + NOISE + data[ends[-1] :]
    with Image.open(io.BytesIO(noisy), formats=("JPEG",)) as other:
        other.load()
        step = max(1, BLOCK // image.width)
        for top in range(0, image.height, step):
            box = (0, top, image.width, min(top + step, image.height))
            if image.crop(box).tobytes() != other.crop(box).tobytes():
                raise ValueError("truncated: its data end before its last row")


def _require_all_scans(data: bytes) -> None:
    """A progressive JPEG has every coefficient of every channel down to its last bit, in one scan
    or another. Where the last of its scans are missing it is blurred."""
    missing = set()
    for marker, at in jpeg_markers(data):
        header = at + 4
        if marker == PROGRESSIVE_FRAME:
            n = data[header + 5]
            channels = data[header + 6 : header + 6 + 3 * n : 3]
            missing = {
                (channel, i) for channel in channels for i in range(COEFFICIENTS)
            }
        if marker == START_OF_SCAN:
            n = data[header]
            channels = data[header + 1 : header + 1 + 2 * n : 2]
            first, last, bits = data[header + 1 + 2 * n : header + 4 + 2 * n]
            if bits & 0x0F == 0:
                missing -= {
                    (channel, i) for channel in channels for i in range(first, last + 1)
                }
    if missing:
        raise ValueError("truncated: its data end before its last scan")


def _require_whole_png(image: Image.Image, data: bytes) -> None:
    """Rows that lack are left black, or clear. Real images have such rows too: so only then its
    data are unpacked once more, and counted."""
    interlaced = bool(image.info.get("interlace")) or data[28:29] == b"\1"
    last = image.crop((0, image.height - 1, image.width, image.height))
    if not interlaced and last.getbbox() is not None:
        return
    unpacker, found = zlib.decompressobj(), 0
    wanted = _png_bytes(data)
    for chunk in _png_data(data):
        while chunk and found < wanted:
            found += len(unpacker.decompress(chunk, BLOCK))
            chunk = unpacker.unconsumed_tail
    if found < wanted:
        raise ValueError("truncated: its data end before its last row")


def _png_data(data: bytes) -> Iterator[bytes]:
    """The compressed bytes, chunk by chunk."""
    at = len(PNG_MARK)
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if kind == b"IDAT":
            yield data[at + 8 : at + 8 + length]
        elif kind == b"IEND":
            return
        at += 12 + length


def _png_bytes(data: bytes) -> int:
    """How many bytes the data of a PNG unpack to, from its header."""
    width = int.from_bytes(data[16:20], "big")
    height = int.from_bytes(data[20:24], "big")
    depth, colours, interlaced = data[24], data[25], data[28]
    bits = depth * CHANNELS[colours]
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, right, down in passes:
        columns = -(-(width - left) // right)
        rows = -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total
