"""Image files that tests encode, some of them byte by byte."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from stockpot.datasets.dataset import read_card, read_dataset
from stockpot.datasets.decoding.opening import open_image
from stockpot.datasets.decoding.transform import Transform
from stockpot.datasets.prepare import prepare
from tests.support.data_specs import encoded_spec

WHITE = Transform(8, background="white", as_stored=False)


class EncodedImage:
    """The bytes of an image file."""

    def __init__(self, data, name="own.png"):
        self.data, self.name = data, name

    def open(self):
        return open_image(self.data)


def random_pixels(width, height, bands=3, low=0, high=256, dtype=np.uint8):
    pixels = np.random.default_rng(0).integers(
        low, high, (height, width, bands), dtype=dtype
    )
    return pixels[..., 0] if bands == 1 else pixels


def image_file(image, kind="PNG", **options):
    stream = io.BytesIO()
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(name, data):
    return (
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
    )


def png_file(width, height, depth, colours, rows, interlaced=0, before=b""):
    """A PNG of raw rows, each with its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + before
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


RED = (255, 0, 0)


def emoji(alpha=255):
    """A red disc on nothing."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[4:12, 4:12] = (*RED, alpha)
    return Image.fromarray(pixels)


def write_square(folder, name, value):
    """A picture of its own: a square whose place follows from ``value``."""
    pixels = np.full((16, 16, 3), 60, np.uint8)
    pixels[value % 12 : value % 12 + 4, value // 12 : value // 12 + 4] = 220
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image_file(pixels))
    return path


def prepare_with_card(folder, to, **options):
    prepare(to, encoded_spec("folder", 16, path=str(folder), **options))
    return read_dataset(to), read_card(to)
