"""Open an encoded image, of a few formats only, whatever its file is called.

Pillow itself opens many more. It hands one of them, PostScript, to another program (Ghostscript),
and few of the others are needed. So the formats are named wherever an image is opened.
"""

import io
import warnings

# These modules of Pillow register their formats when they are imported.
from PIL import GifImagePlugin, Image, WebPImagePlugin  # noqa: F401

from ...runtime.file_kinds import START_BYTES, stand_in
from .memory_bounds import require_few_pixels

# Pillow warns of many pixels in its own words; ``memory_bounds`` decides how many are too many.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)

# JPEG includes MPO, a JPEG with more than one picture, of which the first is read.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")

# How files of other kinds begin, so that a message can name the kind: (offset, bytes, kind).
OTHER_KINDS = (
    (0, b"%!PS", "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript"),
    (0, b"%PDF", "PDF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"PF\n", "portable float map"),
    (0, b"Pf\n", "portable float map"),
    (0, b"8BPS", "Photoshop"),
    (0, b"icns", "ICNS"),
    (0, b"\0\0\x01\0", "icon"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
)


class UnreadFormatError(ValueError):
    """The bytes are of a format that is not read."""


def open_image(data: bytes) -> Image.Image:
    """Open the bytes of an image file. Its pixels are not decoded yet.

    Args:
        data: The whole file.

    Returns:
        An image of Pillow.

    Raises:
        UnreadFormatError: The bytes are of no format that is read.
        ValueError: The image has more pixels than a file of this size may.
        OSError: The bytes are broken.
    """
    _require_small_webp(data)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise UnreadFormatError(_why_unread(data)) from error


def _why_unread(data: bytes) -> str:
    """Say what the bytes are, if that is known."""
    for start, mark, kind in OTHER_KINDS:
        if data[start : start + len(mark)] == mark:
            return f"{kind} is not read, whatever the file is called; convert it to PNG or JPEG"
    return stand_in(data[:START_BYTES]) or "of no known format"


def _require_small_webp(data: bytes) -> None:
    """Refuse a WebP image of too many pixels; Pillow takes memory for all when it opens one."""
    size = webp_size(data)
    if size is not None:
        require_few_pixels(
            size,
            "WEBP",
            "RGB",
            len(data),
        )


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Read the size that the first chunk of a WebP file declares.

    Args:
        data: Bytes of any file.

    Returns:
        Width and height; None where it is no WebP file.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    chunk = data[12:16]
    # The extended format has 24 bits for each side, less 1.
    if chunk == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return width, height
    # The lossless format packs 14 bits for each side, less 1.
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width = (bits & 0x3FFF) + 1
        height = (bits >> 14 & 0x3FFF) + 1
        return width, height
    # The lossy format has 14 bits for each side; the two bits above are a scale.
    if chunk == b"VP8 ":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
        return width, height
    return None
