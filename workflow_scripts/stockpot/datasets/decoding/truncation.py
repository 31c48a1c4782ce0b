"""Is an image whole? Decoders fill what a file lacks with black or grey, and report nothing.

Pillow refuses a file that is cut off. It does not refuse a file whose compressed data end too early
but properly, as a program leaves behind that stopped halfway and still closed the file.
"""

import io
import re
import zlib
from collections.abc import Iterator
from itertools import pairwise

from PIL import Image

from ...runtime.file_kinds import PNG_MARK
from .memory_bounds import MAX_SCANS

# Values that libjpeg fills missing pixels with, in any colour model.
GREY = (127, 128)
# Stands for missing data of a JPEG; it decodes to anything except even grey.
NOISE = bytes.fromhex("5aa53cc3") * 2048
# Bytes, or pixels, that are compared or unpacked at once.
BLOCK = 1 << 16

# The seven passes of an interlaced PNG: first column and row, step between columns and rows.
PNG_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
WHOLE_PNG = ((0, 0, 1, 1),)
# Colour type of PNG -> channels.
PNG_CHANNELS = {
    0: 1,
    2: 3,
    3: 1,
    4: 2,
    6: 4,
}

# A marker that ends the data of a scan. Within the data, 00 after a byte 255 stands for that byte
# itself, and D0 to D7 are restarts.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
START_OF_SCAN = 0xDA
END_OF_IMAGE = 0xD9
PROGRESSIVE_FRAME = 0xC2
# The only other marker that no length follows.
TEMPORARY = 0x01
# Coefficients of a block of pixels. A scan has some of them, down to some bit.
COEFFICIENTS = 64


def require_few_scans(data: bytes) -> None:
    """Refuse a progressive JPEG of many scans.

    Each scan goes through all pixels, though it may be a few bytes long.

    Args:
        data: The whole file.

    Raises:
        ValueError: It has more than ``MAX_SCANS`` scans.
    """
    scan_count = 0
    for marker, _ in jpeg_markers(data):
        if marker == START_OF_SCAN:
            scan_count += 1
        if scan_count > MAX_SCANS:
            raise ValueError(f"a progressive JPEG of more than {MAX_SCANS} scans")


def require_whole(image: Image.Image, data: bytes) -> None:
    """Require that all pixels of an image come from the bytes of its file.

    Args:
        image: A decoded image.
        data: The whole file.

    Raises:
        ValueError: Some pixels were filled in by the decoder.
    """
    if image.format == "PNG":
        _require_whole_png(image, data)
    elif image.format in ("JPEG", "MPO"):
        if image.info.get("progressive"):
            _require_all_scans(data)
        else:
            _require_whole_jpeg(image, data)


def jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Find the markers of the first picture of a JPEG file, up to its end.

    Args:
        data: The whole file.

    Yields:
        The marker and its offset.
    """
    offset = 2
    while True:
        match = _MARKER.search(data, offset)
        if not match:
            return
        marker = match[1][0]
        yield marker, match.end() - 2
        if marker == END_OF_IMAGE:
            return
        offset = match.end()
        # A segment begins with its length. Skip it, as its content may look like markers.
        if marker != TEMPORARY:
            offset += int.from_bytes(data[offset : offset + 2], "big")


def _require_whole_jpeg(image: Image.Image, data: bytes) -> None:
    """Refuse a baseline JPEG whose data end too early.

    Where data lack, libjpeg leaves even grey up to the last pixel. Real images may have that too.
    So such an image is decoded once more with noise after its data. Only an image that lacks data
    is changed by that.
    """
    corner = image.getpixel((image.width - 1, image.height - 1))
    channels = corner if isinstance(corner, tuple) else (corner,)
    if any(channel not in GREY for channel in channels):
        return
    scan_end = _last_scan_end(data)
    if scan_end is None:
        return
    noisy = data[:scan_end] + NOISE + data[scan_end:]
    with Image.open(io.BytesIO(noisy), formats=("JPEG",)) as other:
        other.load()
        _require_equal(image, other)


def _last_scan_end(data: bytes) -> int | None:
    """Offset of the marker after the last scan of a JPEG; None where no scan ends."""
    scan_end = None
    for (marker, _), (_, next_offset) in pairwise(jpeg_markers(data)):
        if marker == START_OF_SCAN:
            scan_end = next_offset
    return scan_end


def _require_equal(image: Image.Image, other: Image.Image) -> None:
    """Refuse an image that differs from itself with noise after its data."""
    # A strip of rows at once, so that no copy of the whole image is made.
    row_count = max(1, BLOCK // image.width)
    for top in range(0, image.height, row_count):
        bottom = min(top + row_count, image.height)
        box = (0, top, image.width, bottom)
        if image.crop(box).tobytes() != other.crop(box).tobytes():
            raise ValueError("truncated: its data end before its last row")


def _require_all_scans(data: bytes) -> None:
    """Refuse a progressive JPEG whose last scans are missing, which makes it blurred.

    A whole one has every coefficient of every channel down to its last bit, in one scan or another.
    """
    missing = set()
    for marker, offset in jpeg_markers(data):
        content = offset + 4  # after the marker and the length
        if marker == PROGRESSIVE_FRAME:
            channel_count = data[content + 5]
            first_channel = content + 6
            channels = data[first_channel : first_channel + 3 * channel_count : 3]
            missing = _pairs(channels, 0, COEFFICIENTS - 1)
        if marker == START_OF_SCAN:
            channel_count = data[content]
            after_channels = content + 1 + 2 * channel_count
            channels = data[content + 1 : after_channels : 2]
            first, last, bits = data[after_channels : after_channels + 3]
            # The lower half of the byte is the lowest bit that this scan has.
            if bits & 0x0F == 0:
                missing -= _pairs(channels, first, last)
    if missing:
        raise ValueError("truncated: its data end before its last scan")


def _pairs(
    channels: bytes,
    first: int,
    last: int,
) -> set[tuple[int, int]]:
    """All pairs of a channel and a coefficient from first to last."""
    pairs = set()
    for channel in channels:
        for coefficient in range(first, last + 1):
            pairs.add((channel, coefficient))
    return pairs


def _require_whole_png(image: Image.Image, data: bytes) -> None:
    """Refuse a PNG whose data end too early.

    Missing rows are left black, or clear. Real images may have such rows too. So only then the data
    are unpacked once more, and their bytes counted.
    """
    is_interlaced = bool(image.info.get("interlace")) or data[28:29] == b"\1"
    last_row = image.crop((0, image.height - 1, image.width, image.height))
    if not is_interlaced and last_row.getbbox() is not None:
        return
    needed = _png_unpacked_size(data)
    unpacked = 0
    unpacker = zlib.decompressobj()
    for chunk in _png_data(data):
        # In small steps, as a few bytes may unpack to many.
        while chunk and unpacked < needed:
            unpacked += len(unpacker.decompress(chunk, BLOCK))
            chunk = unpacker.unconsumed_tail
    if unpacked < needed:
        raise ValueError("truncated: its data end before its last row")


def _png_data(data: bytes) -> Iterator[bytes]:
    """Yield the compressed bytes of a PNG, chunk by chunk.

    A chunk has four bytes of length, four of kind, its data, and a checksum of four bytes.
    """
    offset = len(PNG_MARK)
    while offset + 8 <= len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        kind = data[offset + 4 : offset + 8]
        if kind == b"IDAT":
            yield data[offset + 8 : offset + 8 + length]
        elif kind == b"IEND":
            return
        offset += 12 + length


def _png_unpacked_size(data: bytes) -> int:
    """How many bytes the data of a PNG unpack to, from its header."""
    width = int.from_bytes(data[16:20], "big")
    height = int.from_bytes(data[20:24], "big")
    bit_depth = data[24]
    colour_type = data[25]
    is_interlaced = data[28]
    pixel_bits = bit_depth * PNG_CHANNELS[colour_type]
    passes = PNG_PASSES if is_interlaced else WHOLE_PNG
    total = 0
    for first_column, first_row, column_step, row_step in passes:
        column_count = _ceil_div(width - first_column, column_step)
        row_count = _ceil_div(height - first_row, row_step)
        if column_count > 0 and row_count > 0:
            # Each row has one byte that names its filter.
            row_bytes = 1 + _ceil_div(column_count * pixel_bits, 8)
            total += row_count * row_bytes
    return total


def _ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up."""
    return -(-dividend // divisor)
