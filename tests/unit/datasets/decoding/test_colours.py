"""Tests colours: of many bits, of palettes, and of what is transparent."""

import re
import struct

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.decoding.decode import decode
from stockpot.datasets.decoding.transform import Transform
from stockpot.runtime.errors import StockpotError
from tests.support.encoded_images import (
    RED,
    WHITE,
    EncodedImage,
    emoji,
    image_file,
    png_chunk,
    png_file,
    random_pixels,
)


def test_the_upper_eight_of_sixteen_bits_are_taken():
    grey = random_pixels(8, 8, 1)
    deep = image_file(grey.astype(np.uint16) * 257)
    assert (decode(EncodedImage(deep), WHITE) == grey[..., None]).all()
    odd = random_pixels(8, 8, 1, high=65536, dtype=np.uint16)
    assert (decode(EncodedImage(image_file(odd)), WHITE) == (odd >> 8)[..., None]).all()


@pytest.mark.parametrize(("colours", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_colours_of_sixteen_bits_too(colours, channels):
    values = random_pixels(8, 8, channels, high=65536, dtype=np.uint16)
    if colours in (4, 6):
        values.reshape(64, channels)[:, -1] = 65535
    lines = values.reshape(8, -1).astype(">u2")
    rows = b"".join(b"\0" + line.tobytes() for line in lines)
    found = decode(EncodedImage(png_file(8, 8, 16, colours, rows)), WHITE)
    opaque = values.reshape(8, 8, channels)[..., : 1 if channels < 3 else 3]
    assert (found == (opaque >> 8)).all()


@pytest.mark.parametrize(("colours", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_twelve_bits_in_sixteen_are_refused(colours, channels):
    """They would be all but black."""
    values = random_pixels(8, 8, channels, high=4096, dtype=np.uint16).reshape(
        8, 8, channels
    )
    if channels == 4:
        values[..., 3] = 65535
    rows = b"".join(
        b"\0" + line.tobytes() for line in values.reshape(8, -1).astype(">u2")
    )
    with pytest.raises(
        StockpotError, match=r"^own\.png: .*16 bits.* convert it to 8 bits"
    ):
        decode(EncodedImage(png_file(8, 8, 16, colours, rows)), WHITE)


@pytest.mark.parametrize("mode", ["F", "I", "LAB", "HSV"])
def test_values_without_a_known_range_are_refused(mode):
    class Opened(EncodedImage):
        def open(self):
            return Image.new(mode, (9, 9))

    with pytest.raises(
        StockpotError, match=r"^own\.png: .* convert it to 8 bits per channel"
    ):
        decode(Opened(b""), WHITE)


def test_palettes_are_resized_as_colours():
    """By the nearest entries, a fine pattern becomes one of its colours, or the other."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    image = Image.fromarray(stripes)
    expected = decode(EncodedImage(image_file(image)), WHITE)
    assert abs(expected.astype(int) - 128).max() <= 20
    for other in (image.quantize(4), image.convert("1")):
        assert other.mode in ("P", "1")
        for background in ("white", "black"):
            transform = Transform(8, background=background, as_stored=False)
            assert (
                decode(EncodedImage(image_file(other)), transform) == expected
            ).all(), other.mode
    assert (
        decode(EncodedImage(image_file(image.quantize(4), "GIF")), WHITE) == expected
    ).all()


@pytest.mark.parametrize(
    ("background", "colour"),
    [
        ("white", (255,) * 3),
        ("#ffffff", (255,) * 3),
        ("lime", (0, 255, 0)),
        ("#102030", (16, 32, 48)),
        ("black", (0, 0, 0)),
        ("#000000", (0, 0, 0)),
    ],
)
def test_what_is_clear_shows_the_background(background, colour):
    transform = Transform(16, background=background, as_stored=False)
    grey = Image.merge("LA", [Image.new("L", (16, 16), 90), emoji().getchannel("A")])
    palette = emoji().quantize(8)
    for image, inside in ((emoji(), RED), (grey, (90,) * 3), (palette, RED)):
        found = decode(EncodedImage(image_file(image)), transform)
        if background not in ("black", "#000000") or image.mode != "LA":
            assert tuple(found[0, 0]) == colour, image.mode
        assert tuple(found[8, 8]) == inside, image.mode
    webp = decode(
        EncodedImage(image_file(emoji(), "WEBP", lossless=True, exact=True)), transform
    )
    assert tuple(webp[0, 0]) == colour
    assert tuple(webp[8, 8]) == RED


def test_what_is_half_clear_is_mixed_with_the_background():
    found = decode(
        EncodedImage(image_file(emoji(128))), Transform(16, background="white")
    )
    assert found[8, 8].tolist() == [255, 127, 127]


def test_an_image_on_a_background_is_the_flattened_image():
    """However it is resized."""
    pixels = random_pixels(40, 31, 4)
    flat = Image.new("RGB", (40, 31), "teal")
    flat.paste(Image.fromarray(pixels), mask=Image.fromarray(pixels).getchannel("A"))
    for mode in ("shortest", "longest", "squash"):
        transform = Transform(16, mode, background="teal")
        expected = decode(EncodedImage(image_file(flat)), transform)
        assert (decode(EncodedImage(image_file(pixels)), transform) == expected).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
@pytest.mark.parametrize("background", ["white", "#123456"])
def test_images_without_transparency_need_no_background(mode, background):
    image = Image.fromarray(random_pixels(20, 20)).convert(mode)
    plain = Transform(8, background="black", as_stored=False)
    other = Transform(8, background=background, as_stored=False)
    assert (
        decode(EncodedImage(image_file(image)), other)
        == decode(EncodedImage(image_file(image)), plain)
    ).all()


@pytest.mark.parametrize(
    ("depth", "colours", "key", "row"),
    [
        (8, 2, (9, 8, 7), bytes([9, 8, 7, 9, 8, 6])),
        (16, 2, (0x0908, 0x0807, 0x0706), b"\x09\x08\x08\x07\x07\x06" + b"\xff" * 6),
        (8, 0, (9,), bytes([9, 8])),
        (16, 0, (0x0908,), b"\x09\x08\xff\xff"),
        (4, 0, (9,), bytes([0x98])),
        (1, 0, (1,), bytes([0x80])),
    ],
)
def test_one_colour_may_be_clear(depth, colours, key, row):
    """The first of two pixels, in the file's own bits."""
    clear = png_chunk(b"tRNS", b"".join(struct.pack(">H", value) for value in key))
    data = png_file(2, 1, depth, colours, b"\0" + row, before=clear)
    found = decode(
        EncodedImage(data), Transform(2, "squash", "bilinear", background="lime")
    )
    assert found[0, 0].tolist() == [0, 255, 0]
    assert found[0, 1].tolist() != [0, 255, 0]


def test_errors_are_one_short_line():
    with pytest.raises(StockpotError) as error:
        decode(EncodedImage(b"no image" * 999, "a\x1b[31m.png"), WHITE)
    assert re.fullmatch(r"[^\n]{1,500}", str(error.value))
