"""Tests how one image is decoded."""

import re

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.decoding.decode import decode
from stockpot.datasets.decoding.transform import Transform
from stockpot.datasets.examples import ImageFile, Pixels
from stockpot.runtime.errors import StockpotError
from tests.support.drawn_images import MODES, Bytes, Drawn, encoded, noise


def test_a_border_is_cut_before_anything_else():
    inner = noise(30, 21)
    framed = Image.new("RGB", (34, 25), (255, 0, 0))
    framed.paste(inner, (2, 2))
    for mode in MODES:
        transform = Transform(16, mode)
        found = decode(Drawn(framed), transform, border=2)
        assert (found == decode(Drawn(inner), transform)).all()
        assert (found != decode(Drawn(framed), transform)).any()


@pytest.mark.parametrize("size", [(4, 9), (9, 4), (3, 9), (1, 1)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_an_image_smaller_than_its_border_is_refused_by_name(size, mode):
    image = Drawn(noise(*size), "small.png")
    with pytest.raises(
        StockpotError, match=r"^small\.png: \d x \d pixels are too few to cut 2"
    ):
        decode(image, Transform(8, mode), border=2)
    assert decode(image, Transform(8, "squash")).shape == (8, 8, 3)
    assert decode(Drawn(noise(5, 5)), Transform(8, mode), border=2).shape == (8, 8, 3)


def test_an_image_within_a_larger_file(tmp_path):
    """As in a tar: some bytes of it, which begin somewhere."""
    one, two = (encoded("png", 20, side).data for side in (20, 30))
    (tmp_path / "all.tar").write_bytes(b"head" + one + two + b"tail")
    path, transform = str(tmp_path / "all.tar"), Transform(8)
    for start, data in ((4, one), (4 + len(one), two)):
        image = ImageFile(path, start, len(data), "a/1.png")
        assert image.name == f"{path}: a/1.png"
        assert (decode(image, transform) == decode(Bytes(data), transform)).all()
    with pytest.raises(
        StockpotError, match=rf"^{re.escape(path)}: a/2\.png: not a readable"
    ):
        decode(ImageFile(path, 4, 60, "a/2.png"), transform)


def test_pixels_need_no_file():
    for array in (np.asarray(noise(8, 8)), np.asarray(noise(8, 8, "L"))):
        expected = array if array.ndim == 3 else np.stack([array] * 3, -1)
        assert (decode(Pixels(array, "scan 1"), Transform(8)) == expected).all()


@pytest.mark.parametrize(
    "error",
    [OSError("cut"), ValueError("x"), SyntaxError("x"), TypeError("x"), EOFError()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_the_library_says_of_broken_bytes_names_the_image(error):
    """Pillow has no common error; of a TIFF named .png it says TypeError."""
    said = str(error) or type(error).__name__
    with pytest.raises(StockpotError) as found:
        decode(Drawn(error, "a.png"), Transform(8))
    assert str(found.value) == f"a.png: not a readable image ({said})"


def test_a_bomb_is_refused_before_its_pixels_take_memory(monkeypatch):
    image = encoded("png", 60, 60)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1700)
    with pytest.raises(StockpotError, match=r"^png: not a readable image \(.*bomb"):
        decode(image, Transform(8))
