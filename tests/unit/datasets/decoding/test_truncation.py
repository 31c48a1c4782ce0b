"""Tests images whose data end early."""

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.decoding.decode import decode
from stockpot.runtime.errors import StockpotError
from tests.support.encoded_images import (
    WHITE,
    EncodedImage,
    image_file,
    png_chunk,
    png_file,
    random_pixels,
)


def cut_png(
    colours, channels, depth=8, interlaced=0, rows=10, height=16, width=16, before=b""
):
    """A whole PNG, and one whose data end after some rows, properly packed."""
    row = b"\0" + bytes([200]) * (width * channels * depth // 8)
    if not interlaced:
        return (
            png_file(width, height, depth, colours, row * height, before=before),
            png_file(width, height, depth, colours, row * rows, before=before),
        )
    whole = image_file(np.full((height, width, 3), 200, np.uint8))
    total = b""
    for columns, lines in ((2, 2), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8), (16, 8)):
        total += (b"\0" + bytes([200]) * columns * channels) * lines
    return (
        (
            png_file(width, height, depth, colours, total, 1),
            png_file(width, height, depth, colours, total[: len(total) // 2], 1),
        )
        if whole
        else None
    )


@pytest.mark.parametrize(
    "case",
    [
        {"colours": 2, "channels": 3},
        {"colours": 6, "channels": 4},
        {"colours": 0, "channels": 1},
        {"colours": 4, "channels": 2},
        {"colours": 2, "channels": 3, "depth": 16},
        {"colours": 2, "channels": 3, "interlaced": 1},
        {"colours": 2, "channels": 3, "rows": 15},
        {"colours": 2, "channels": 3, "rows": 0},
        {"colours": 3, "channels": 1, "before": png_chunk(b"PLTE", b"abc" * 256)},
    ],
    ids=str,
)
def test_a_png_whose_data_end_early_is_refused(case):
    whole, cut = cut_png(**case)
    assert decode(EncodedImage(whole), WHITE).shape == (8, 8, 3)
    with pytest.raises(StockpotError, match="truncated"):
        decode(EncodedImage(cut), WHITE)


def test_a_png_that_is_black_or_clear_at_its_end_is_whole():
    black = np.zeros((20, 20, 3), np.uint8)
    clear = np.zeros((20, 20, 4), np.uint8)
    for pixels in (black, clear, black[..., 0]):
        assert decode(EncodedImage(image_file(pixels)), WHITE).shape == (8, 8, 3)


@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 0}, {"grey": True}, {"quality": 30}], ids=str
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_jpeg_whose_data_end_early_but_properly_is_refused(options, share):
    pixels = random_pixels(64, 64, 1 if options.pop("grey", False) else 3)
    data = image_file(pixels, "JPEG", **options)
    start = data.index(b"\xff\xda")
    cut = data[: start + int(share * (len(data) - start))].rstrip(b"\xff") + b"\xff\xd9"
    assert decode(EncodedImage(data), WHITE).shape == (8, 8, 3)
    with pytest.raises(StockpotError, match="truncated"):
        decode(EncodedImage(cut), WHITE)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_progressive_jpeg_without_its_last_scans_is_refused(mode, share):
    data = image_file(
        Image.fromarray(random_pixels(64, 64)).convert(mode), "JPEG", progressive=True
    )
    assert decode(EncodedImage(data), WHITE).shape == (8, 8, 3)
    cut = data[: int(share * len(data))].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(StockpotError, match="truncated"):
        decode(EncodedImage(cut), WHITE)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(64, 64), (37, 19)], ids=str)
def test_a_jpeg_that_is_grey_at_its_end_is_whole(mode, size):
    grey = Image.new(mode, size, (128,) * len(mode) if len(mode) > 1 else 128)
    grey.paste(Image.fromarray(random_pixels(10, 10)).convert(mode), (0, 0))
    for options in (
        {},
        {"progressive": True},
        {"restart_marker_blocks": 2},
        {"quality": 95},
    ):
        assert decode(
            EncodedImage(image_file(grey, "JPEG", **options)), WHITE
        ).shape == (
            8,
            8,
            3,
        )


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP"])
def test_other_formats_whose_data_end_early_are_refused(kind):
    data = image_file(random_pixels(64, 64), kind)
    with pytest.raises(StockpotError, match="not a readable image"):
        decode(EncodedImage(data[: len(data) // 2]), WHITE)
