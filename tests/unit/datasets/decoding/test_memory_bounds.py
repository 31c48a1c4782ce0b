"""Tests bounds on the memory that images take."""

import struct

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.decoding import decode as decode_module
from stockpot.datasets.decoding.decode import UnreachableError, decode, decode_all
from stockpot.datasets.decoding.memory_bounds import Budget
from stockpot.datasets.examples import Pixels
from stockpot.runtime.errors import StockpotError
from tests.support.encoded_images import (
    WHITE,
    EncodedImage,
    image_file,
    png_chunk,
    png_file,
    random_pixels,
)


def declared_webp(width, height):
    bits = (width - 1) | (height - 1) << 14
    body = (
        b"WEBPVP8L" + struct.pack("<IB", 10, 0x2F) + struct.pack("<I", bits) + b"\0" * 6
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


BOMBS = {
    "png": lambda: png_file(9000, 9000, 8, 2, b""),
    "png of a palette": lambda: png_file(
        13000, 13000, 8, 3, b"", before=png_chunk(b"PLTE", b"abc")
    ),
    "webp": lambda: declared_webp(16000, 10000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_pixels_that_a_file_is_too_small_for_are_refused_before_they_take_memory(
    kind, monkeypatch
):
    monkeypatch.setattr(np, "empty", None)  # nothing is asked for
    with pytest.raises(
        StockpotError, match=r"pixels in \d+ bytes need [\d,]+ MB of memory"
    ):
        decode(EncodedImage(BOMBS[kind]()), WHITE)


def test_a_photograph_of_fifty_megapixels_may_be_read():
    """Of about ten megabytes, in each format, and progressive."""
    size, n = (8660, 5780), 10_000_000
    for kind, progressive in (
        ("JPEG", False),
        ("JPEG", True),
        ("WEBP", False),
        ("PNG", False),
    ):
        assert (
            decode_module.require_few_pixels(
                size, kind, "RGB", n, progressive=progressive
            )
            < 720e6
        )


def test_a_progressive_file_of_many_scans_is_refused():
    """Each goes through all pixels, and a few bytes hold one."""
    data = image_file(random_pixels(64, 64), "JPEG", progressive=True)
    assert decode(EncodedImage(data), WHITE).shape == (8, 8, 3)
    last = data.rindex(b"\xff\xda")
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x3f\x3f\x00" + b"\0"
    many = data[:last] + scan * 101 + data[last:]
    with pytest.raises(
        StockpotError, match="a progressive JPEG of more than 100 scans"
    ):
        decode(EncodedImage(many), WHITE)


@pytest.mark.parametrize("skip", [False, True])
def test_a_lack_of_memory_is_never_a_corrupt_image(tmp_path, skip, monkeypatch):
    def without_memory(image):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", lambda *_: without_memory(None))
    images = [Pixels(random_pixels(9, 9), str(i)) for i in range(3)]
    with pytest.raises(UnreachableError, match=r"^0: no memory left to decode it"):
        decode_all(images, WHITE, tmp_path, skip=skip)


def test_images_side_by_side_share_a_budget():
    budget = Budget(100)
    with budget.hold(60), budget.hold(40):
        assert budget.taken == 100
    with budget.hold(1000):  # alone
        assert budget.taken == 1000
    with pytest.raises(MemoryError), budget.hold(1 << 60):
        pass
    assert budget.taken == 0
