"""Tests which formats of images are read."""

import re

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.decoding.decode import decode
from stockpot.datasets.decoding.opening import UnreadFormatError, open_image, webp_size
from stockpot.datasets.examples import ImageFile
from stockpot.runtime.errors import StockpotError
from tests.support.encoded_images import WHITE, EncodedImage, image_file, random_pixels
from tests.support.paths import ROOT

POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.eps"])
def test_postscript_starts_no_program(tmp_path, monkeypatch, name):
    """Pillow would run gs, the first one on the path."""
    ghostscript, called = tmp_path / "bin/gs", tmp_path / "called"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\necho called >> {called}\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", str(ghostscript.parent), prepend=":")
    (tmp_path / name).write_bytes(POSTSCRIPT)
    with pytest.raises(
        StockpotError, match=r"not a readable image \(PostScript is not read"
    ):
        decode(ImageFile(str(tmp_path / name)), WHITE)
    assert not called.exists()


@pytest.mark.parametrize(
    "kind", ["TIFF", "JPEG2000", "ICNS", "TGA", "PPM", "ICO", "PCX", "SGI"]
)
def test_formats_that_are_not_needed_are_not_read(kind):
    image = Image.fromarray(random_pixels(32, 32)).convert("RGB")
    with pytest.raises(UnreadFormatError):
        open_image(image_file(image, kind))
    with pytest.raises(StockpotError, match=r"^own\.png: not a readable image \("):
        decode(EncodedImage(image_file(image, kind)), WHITE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF"])
def test_formats_that_are_needed_are_read_whatever_the_name(kind):
    grey = np.full((8, 8, 3), 200, np.uint8)
    found = decode(EncodedImage(image_file(grey, kind)), WHITE)
    assert (abs(found.astype(int) - 200) <= 2).all()


def test_a_pointer_instead_of_an_image_says_what_to_do():
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    with pytest.raises(StockpotError, match="git lfs pull fetches"):
        decode(EncodedImage(pointer), WHITE)


def test_the_size_of_a_webp_is_known_before_it_is_opened():
    for options in ({}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}):
        assert webp_size(image_file(random_pixels(31, 20), "WEBP", **options)) == (
            31,
            20,
        ), options
    assert webp_size(image_file(random_pixels(31, 20, 4), "WEBP")) == (31, 20)
    assert webp_size(image_file(random_pixels(9, 9))) is None


def test_formats_are_named_wherever_an_image_is_opened():
    for folder in ("workflow_scripts", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in re.findall(r"Image\.open\(.*", path.read_text("utf-8")):
                assert "formats=" in call, f"{path}: {call}"
