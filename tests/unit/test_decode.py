"""Encoded images: pixels as open_clip makes them, shard by shard, parts of one folder."""

import io
import json
import logging
import re
import shutil
import threading
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, encoded_spec
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stockpot import spec as planning
from stockpot.datasets import decode as module
from stockpot.datasets import prepare as preparing
from stockpot.datasets import sources
from stockpot.datasets.classes import class_names
from stockpot.datasets.dataset import Scoring, read_card, read_dataset
from stockpot.datasets.decode import decode, decode_all
from stockpot.datasets.examples import Examples, File, Pixels
from stockpot.datasets.prepare import prepare
from stockpot.datasets.split import PARTS, part_of, part_size
from stockpot.datasets.transform import Transform
from stockpot.errors import StockpotError

# Pixels as open_clip makes them.


def noise(width, height, mode="RGB", seed=0):
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, bands), dtype=np.uint8)
    return Image.fromarray(pixels[..., 0] if bands == 1 else pixels, mode)


def palette(width, height):
    return noise(width, height).quantize(16)


def deep_grey(width, height):
    values = np.random.default_rng(0).integers(0, 65536, (height, width), dtype=np.uint16)
    return Image.fromarray(values)


def turned(width, height):
    """EXIF says that it has to be turned by 90 degrees."""
    image = noise(width, height)
    image.getexif()[0x0112] = 6
    return image


def of_mode(mode):
    return lambda width, height: noise(width, height, mode)


KINDS = {
    "jpeg": (of_mode("RGB"), "JPEG", {}),
    "jpeg grey": (of_mode("L"), "JPEG", {}),
    "jpeg cmyk": (of_mode("CMYK"), "JPEG", {}),
    "jpeg progressive": (of_mode("RGB"), "JPEG", {"progressive": True}),
    "jpeg turned": (turned, "JPEG", {}),
    "png": (of_mode("RGB"), "PNG", {}),
    "png grey": (of_mode("L"), "PNG", {}),
    "png grey alpha": (of_mode("LA"), "PNG", {}),
    "png alpha": (of_mode("RGBA"), "PNG", {}),
    "png palette": (palette, "PNG", {}),
    "png palette, one colour clear": (palette, "PNG", {"transparency": 3}),
    "png palette, alphas": (palette, "PNG", {"transparency": bytes(range(0, 240, 15))}),
    "png one colour clear": (of_mode("RGB"), "PNG", {"transparency": (1, 2, 3)}),
    "png bits": (lambda *size: noise(*size, "L").convert("1"), "PNG", {}),
    "png 16 bits": (deep_grey, "PNG", {}),
    "webp": (of_mode("RGB"), "WEBP", {}),
    "webp alpha": (of_mode("RGBA"), "WEBP", {"lossless": True}),
    "bmp": (of_mode("RGB"), "BMP", {}),
    "bmp palette": (palette, "BMP", {}),
    "bmp bits": (lambda *size: noise(*size, "L").convert("1"), "BMP", {}),
}
MODES = ("shortest", "longest", "squash")


class Bytes:
    """An encoded image in memory that counts how often it is opened."""

    def __init__(self, data, name="own.png"):
        self.data, self.name, self.opened = data, name, 0

    def open(self):
        self.opened += 1
        return Image.open(io.BytesIO(self.data))


def encoded(kind, width, height):
    make, form, options = KINDS[kind]
    stream = io.BytesIO()
    image = make(width, height)
    image.save(stream, form, **options, **({"exif": image.getexif()} if make is turned else {}))
    return Bytes(stream.getvalue(), kind)


def theirs(image, transform):
    """What open_clip's own transform makes; None where it fails."""
    from stockpot.models.openclip import open_clip

    own = open_clip.image_transform(
        transform.side, is_train=False, mean=(0, 0, 0), std=(1, 1, 1), fill_color=transform.fill,
        resize_mode=transform.resize_mode, interpolation=transform.interpolation,
    )  # fmt: skip
    try:
        with image.open() as opened:
            made = own(opened)
    except (ValueError, OSError, ZeroDivisionError):
        return None
    return (made * 255).round().byte().permute(1, 2, 0).numpy()


def ours(image, transform):
    try:
        return decode(image, transform)
    except StockpotError as error:
        assert str(error).startswith(f"{image.name}: ") and "\n" not in str(error)
        return None


def same(image, transform):
    """Both make the same pixels, or both refuse."""
    made, expected = ours(image, transform), theirs(image, transform)
    if expected is None or made is None:
        return made is expected
    assert made.dtype == expected.dtype and made.shape == expected.shape
    return bool((made == expected).all())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_file_has_the_pixels_that_open_clip_gives_it(kind, mode):
    for width, height in ((51, 40), (40, 91), (20, 20)):
        image = encoded(kind, width, height)
        for interpolation in ("bicubic", "bilinear"):
            for fill in (0, 200) if mode == "longest" else (0,):
                transform = Transform(32, mode, interpolation, fill)
                assert theirs(image, transform) is not None or kind == "png 16 bits"
                assert same(image, transform), (width, height, interpolation, fill)


SIZES = [(1, 1), (1, 7), (2, 3), (32, 32), (33, 31), (37, 411), (400, 65), (500, 3), (3, 500)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_every_size_has_the_pixels_that_open_clip_gives_it(size, mode):
    for kind in ("jpeg", "png palette", "png alpha"):
        for side, interpolation in ((32, "bicubic"), (32, "bilinear"), (33, "bicubic")):
            assert same(encoded(kind, *size), Transform(side, mode, interpolation)), (kind, side)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(4200, 31), (250, 190), (5, 224), (2000, 3)], ids=str)
def test_large_sides_have_the_pixels_that_open_clip_gives_them(size, mode):
    image = encoded("jpeg", *size)
    if (size, mode) == ((2000, 3), "shortest"):  # 149333 pixels wide in between
        image = encoded("jpeg grey", *size)
    assert same(image, Transform(224, mode))


class Drawn:
    """An image that counts how often it is opened, and may have to be stopped at."""

    def __init__(self, image, name="drawn"):
        self.image, self.name, self.opened = image, name, 0

    def open(self):
        self.opened += 1
        if isinstance(self.image, BaseException):
            raise self.image
        return self.image.copy()


@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)), st.integers(1, 40), st.sampled_from(MODES),
    st.sampled_from(["bicubic", "bilinear"]), st.sampled_from(["L", "RGB", "LA", "RGBA", "CMYK"]),
    st.integers(0, 255),
)  # fmt: skip
def test_any_size_has_the_pixels_that_open_clip_gives_it(
    size, side, mode, interpolation, bands, fill
):
    assert same(Drawn(noise(*size, bands)), Transform(side, mode, interpolation, fill))


def test_what_the_files_of_these_tests_are():
    """They are what their names say, so that none is tested twice in place of another."""
    opened = {kind: encoded(kind, 20, 30).open() for kind in KINDS}
    modes = {kind: image.mode for kind, image in opened.items()}
    assert set(modes.values()) == {"RGB", "L", "CMYK", "LA", "RGBA", "P", "1", "I;16"}
    assert opened["jpeg turned"].getexif()[0x0112] == 6 and opened["jpeg progressive"].info[
        "progressive"
    ]
    assert {k for k, image in opened.items() if "transparency" in image.info} == {
        "png palette, one colour clear", "png palette, alphas", "png one colour clear",
    }  # fmt: skip


def test_a_side_that_would_have_no_pixels_is_refused():
    """So does open_clip: 3 of 500 pixels are less than half a pixel of 32."""
    image = encoded("png", 500, 3)
    assert theirs(image, Transform(32, "longest")) is None
    with pytest.raises(StockpotError, match="^png: cannot be resized"):
        decode(image, Transform(32, "longest"))


# One image.


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
    with pytest.raises(StockpotError, match=r"^small\.png: \d x \d pixels are too few to cut 2"):
        decode(image, Transform(8, mode), border=2)
    assert decode(image, Transform(8, "squash")).shape == (8, 8, 3)
    assert decode(Drawn(noise(5, 5)), Transform(8, mode), border=2).shape == (8, 8, 3)


def test_an_image_within_a_larger_file(tmp_path):
    """As in a tar: some bytes of it, which begin somewhere."""
    one, two = (encoded("png", 20, side).data for side in (20, 30))
    (tmp_path / "all.tar").write_bytes(b"head" + one + two + b"tail")
    path, transform = str(tmp_path / "all.tar"), Transform(8)
    for start, data in ((4, one), (4 + len(one), two)):
        image = File(path, start, len(data), "a/1.png")
        assert image.name == f"{path}: a/1.png"
        assert (decode(image, transform) == decode(Bytes(data), transform)).all()
    with pytest.raises(StockpotError, match=rf"^{re.escape(path)}: a/2\.png: not a readable"):
        decode(File(path, 4, 60, "a/2.png"), transform)


def test_pixels_need_no_file():
    for array in (np.asarray(noise(8, 8)), np.asarray(noise(8, 8, "L"))):
        expected = array if array.ndim == 3 else np.stack([array] * 3, -1)
        assert (decode(Pixels(array, "scan 1"), Transform(8)) == expected).all()


@pytest.mark.parametrize(
    "error",
    [OSError("cut"), ValueError("x"), SyntaxError("x"), TypeError("x"), EOFError(), MemoryError()],
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


# All images of a list, in shards of four.


@pytest.fixture
def shards(monkeypatch):
    monkeypatch.setattr(module, "SHARD", 4)
    monkeypatch.setattr(preparing, "decode_all", module.decode_all)


def drawn(n):
    return [Drawn(noise(12 + i, 10, seed=i), f"{i}.png") for i in range(n)]


BROKEN = OSError("broken")
TRANSFORM = Transform(8)


def expected_of(images):
    return np.stack([decode(Drawn(image.image), TRANSFORM) for image in images])


@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 11])
def test_images_keep_their_order_whatever_the_threads(shards, tmp_path, n):
    images = drawn(n)
    for threads in (1, 5):
        file, bad = decode_all(images, TRANSFORM, tmp_path / str(threads), threads=threads)
        assert bad == [] and (np.load(file) == expected_of(images)).all()
    assert [image.opened for image in images] == [2] * n
    one, two = ((tmp_path / name / "images.npy").read_bytes() for name in ("1", "5"))
    assert one == two


def test_threads_work_side_by_side(tmp_path):
    """Four images are open at once, or nobody passes the barrier."""
    barrier = threading.Barrier(4, timeout=10)

    class Waiting(Drawn):
        def open(self):
            barrier.wait()
            return super().open()

    images = [Waiting(noise(9, 9), str(i)) for i in range(8)]
    assert decode_all(images, TRANSFORM, tmp_path, threads=4)[1] == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(1), BROKEN])
@pytest.mark.parametrize("at", [0, 3, 4, 6, 10])
def test_a_stopped_job_goes_on_with_the_first_shard_that_is_not_done(shards, tmp_path, stop, at):
    images = drawn(11)
    whole, images[at].image = images[at].image, stop
    with pytest.raises(StockpotError if stop is BROKEN else type(stop)):
        decode_all(images, TRANSFORM, tmp_path)
    done = 4 * (at // 4)
    assert [image.opened for image in images[:done]] == [1] * done
    images[at].image = whole
    for image in images:
        image.opened = 0
    file, bad = decode_all(images, TRANSFORM, tmp_path)
    assert bad == [] and (np.load(file) == expected_of(images)).all()
    assert [image.opened for image in images] == [0] * done + [1] * (11 - done)
    decode_all(images, TRANSFORM, tmp_path)
    assert sum(image.opened for image in images) == 11 - done, "what is whole is not decoded again"


def test_what_was_left_out_is_known_to_the_job_that_goes_on(shards, tmp_path):
    images = drawn(9)
    images[1].image, images[6].image = BROKEN, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path, skip=True)
    images[6].image = noise(9, 9)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert bad == [(1, "1.png: not a readable image (broken)")] and images[1].opened == 1
    kept = [image for image in images if image.image is not BROKEN]
    assert (np.load(file) == expected_of(kept)).all()


def test_a_state_without_its_array_is_no_state(shards, tmp_path):
    """As after a stop between the move of the array and the card of the data set."""
    images = drawn(5)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    file.unlink()
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


@pytest.mark.parametrize(
    "rows", [[0], [9], [0, 9], [4, 5, 6, 7], [1, 2, 8], list(range(9)), list(range(10))], ids=str
)
def test_unreadable_images_are_left_out_and_told(shards, tmp_path, rows):
    images = drawn(10)
    for row in rows:
        images[row].image = BROKEN
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True, threads=3)
    assert bad == [(row, f"{row}.png: not a readable image (broken)") for row in rows]
    kept, made = [image for image in images if image.image is not BROKEN], np.load(file)
    assert made.shape == (len(kept), 8, 8, 3) and made.dtype == np.uint8
    assert not kept or (made == expected_of(kept)).all()


@pytest.mark.parametrize(
    "rows, more", [([2], ""), ([5, 6], "; so are 1 of the next 4"), ([9, 8], "; so are 1")]
)
def test_the_first_unreadable_image_is_named(shards, tmp_path, rows, more):
    images = drawn(10)
    for row in rows:
        images[row].image = BROKEN
    with pytest.raises(StockpotError) as error:
        decode_all(images, TRANSFORM, tmp_path, threads=3)
    said = f"{min(rows)}.png: not a readable image (broken){more}"
    assert str(error.value).startswith(said) and "on_corrupt: skip" in str(error.value)


def test_the_log_has_the_rate_and_the_time_left(shards, tmp_path, monkeypatch, caplog):
    """A line every ten seconds, and one at the end; what was done before does not count."""
    caplog.set_level(logging.INFO)
    clock = iter([0, 5, 16, 20, 40])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    decode_all(drawn(16), TRANSFORM, tmp_path)
    assert caplog.messages == [
        "8/16 images  0 images/s  16 s left", "16/16 images  0 images/s  0 s left",
    ]  # fmt: skip
    caplog.clear()
    (tmp_path / "done.json").write_text('{"shards": 2, "bad": []}')
    clock = iter([0, 0.05, 0.1])
    decode_all(drawn(16), TRANSFORM, tmp_path)
    assert caplog.messages == ["16/16 images  80 images/s  0 s left"]
