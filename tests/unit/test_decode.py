"""Encoded images: pixels as open_clip makes them, shard by shard, parts of one folder."""

import errno
import io
import json
import logging
import os
import re
import shutil
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stockpot.datasets import checked_images, sources
from stockpot.datasets import prepare as preparing
from stockpot.datasets.dataset import Scoring, read_card, read_dataset
from stockpot.datasets.decoding import decode as module
from stockpot.datasets.decoding.decode import decode, decode_all
from stockpot.datasets.decoding.transform import Transform
from stockpot.datasets.examples import Examples, ImageFile, Pixels
from stockpot.datasets.prepare import prepare
from stockpot.datasets.split import SPLITS, split_rows, split_size
from stockpot.planning import build_plan as planning
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import write_sealed
from tests.support.data_specs import encoded_spec
from tests.support.paths import ROOT

# Pixels as open_clip makes them.


def noise(width, height, mode="RGB", seed=0):
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    pixels = np.random.default_rng(seed).integers(
        0, 256, (height, width, bands), dtype=np.uint8
    )
    return Image.fromarray(pixels[..., 0] if bands == 1 else pixels, mode)


def palette(width, height):
    return noise(width, height).quantize(16)


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
    image.save(
        stream, form, **options, **({"exif": image.getexif()} if make is turned else {})
    )
    return Bytes(stream.getvalue(), kind)


def theirs(image, transform):
    """What open_clip's own transform makes; None where it fails."""
    from stockpot.models.third_party import open_clip

    own = open_clip.image_transform(
        transform.side,
        is_train=False,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        fill_color=transform.fill,
        resize_mode=transform.resize_mode,
        interpolation=transform.interpolation,
    )
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
        refusal = str(error)
    assert refusal.startswith(f"{image.name}: ")
    assert "\n" not in refusal
    return None


def same(image, transform):
    """Both make the same pixels, or both refuse."""
    made, expected = ours(image, transform), theirs(image, transform)
    if expected is None or made is None:
        return made is expected
    assert made.dtype == expected.dtype
    assert made.shape == expected.shape
    return bool((made == expected).all())


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_file_has_the_pixels_that_open_clip_gives_it(kind, mode):
    for width, height in ((51, 40), (40, 91), (20, 20)):
        image = encoded(kind, width, height)
        for interpolation in ("bicubic", "bilinear"):
            for fill in (0, 200) if mode == "longest" else (0,):
                transform = Transform(32, mode, interpolation, fill)
                assert theirs(image, transform) is not None
                assert same(image, transform), (width, height, interpolation, fill)


SIZES = [
    (1, 1),
    (1, 7),
    (2, 3),
    (32, 32),
    (33, 31),
    (37, 411),
    (400, 65),
    (500, 3),
    (3, 500),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_every_size_has_the_pixels_that_open_clip_gives_it(size, mode):
    for kind in ("jpeg", "png palette", "png alpha"):
        for side, interpolation in ((32, "bicubic"), (32, "bilinear"), (33, "bicubic")):
            assert same(encoded(kind, *size), Transform(side, mode, interpolation)), (
                kind,
                side,
            )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(4200, 31), (250, 190), (5, 224), (600, 3)], ids=str)
def test_large_sides_have_the_pixels_that_open_clip_gives_them(size, mode):
    assert same(encoded("jpeg", *size), Transform(224, mode))


class Drawn:
    """An image that counts how often it is opened, and may have to be stopped at."""

    def __init__(self, image, name="drawn"):
        self.image, self.name, self.opened = image, name, 0

    def open(self):
        self.opened += 1
        if isinstance(self.image, BaseException):
            raise self.image
        return self.image.copy()


@pytest.mark.slow
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.integers(1, 40),
    st.sampled_from(MODES),
    st.sampled_from(["bicubic", "bilinear"]),
    st.sampled_from(["L", "RGB", "LA", "RGBA", "CMYK"]),
    st.integers(0, 255),
)
def test_any_size_has_the_pixels_that_open_clip_gives_it(
    size, side, mode, interpolation, bands, fill
):
    assert same(Drawn(noise(*size, bands)), Transform(side, mode, interpolation, fill))


def test_what_the_files_of_these_tests_are():
    """They are what their names say, so that none is tested twice in place of another."""
    opened = {kind: encoded(kind, 20, 30).open() for kind in KINDS}
    modes = {kind: image.mode for kind, image in opened.items()}
    assert set(modes.values()) == {"RGB", "L", "CMYK", "LA", "RGBA", "P", "1"}
    assert opened["jpeg turned"].getexif()[0x0112] == 6
    assert opened["jpeg progressive"].info["progressive"]
    assert {k for k, image in opened.items() if "transparency" in image.info} == {
        "png palette, one colour clear",
        "png palette, alphas",
        "png one colour clear",
    }


def test_a_side_that_would_have_no_pixels_is_refused():
    """So does open_clip: 3 of 500 pixels are less than half a pixel of 32."""
    image = encoded("png", 500, 3)
    assert theirs(image, Transform(32, "longest")) is None
    with pytest.raises(StockpotError, match="^png: cannot be resized"):
        decode(image, Transform(32, "longest"))


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1), (603, 3)], ids=str)
def test_a_thin_image_does_not_take_gigabytes(size):
    """Its shorter side would be the model's, and the longer one 60,000 times that."""
    image = Drawn(noise(*size), "thin.png")
    size_and_limit = r"\d+ x \d+ pixels, more than 200 times as long as wide"
    said = rf"^thin\.png: cannot be resized \({size_and_limit}\)$"
    with pytest.raises(StockpotError, match=said):
        decode(image, Transform(224))
    for mode in {*MODES} - {"shortest"} if 3 in size else {"squash"}:
        assert decode(image, Transform(224, mode)).shape == (224, 224, 3)


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
        file, bad = decode_all(
            images, TRANSFORM, tmp_path / str(threads), threads=threads
        )
        assert bad == []
        assert (np.load(file) == expected_of(images)).all()
    assert [image.opened for image in images] == [2] * n
    one, two = ((tmp_path / name / "images.npy").read_bytes() for name in ("1", "5"))
    assert one == two


def test_threads_work_side_by_side(tmp_path):
    """Four images are open at once, or nobody passes the barrier."""
    barrier = threading.Barrier(4, timeout=120)

    class Waiting(Drawn):
        def open(self):
            barrier.wait()
            return super().open()

    images = [Waiting(noise(9, 9), str(i)) for i in range(8)]
    assert decode_all(images, TRANSFORM, tmp_path, threads=4)[1] == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(1), BROKEN])
@pytest.mark.parametrize("at", [0, 3, 4, 6, 10])
def test_a_stopped_job_goes_on_with_the_first_shard_that_is_not_done(
    shards, tmp_path, stop, at
):
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
    assert bad == []
    assert (np.load(file) == expected_of(images)).all()
    assert [image.opened for image in images] == [0] * done + [1] * (11 - done)
    decode_all(images, TRANSFORM, tmp_path)
    assert sum(image.opened for image in images) == 11 - done, (
        "what is whole is not decoded again"
    )


def test_what_was_left_out_is_known_to_the_job_that_goes_on(shards, tmp_path):
    images = drawn(9)
    images[1].image, images[6].image = BROKEN, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path, skip=True)
    images[6].image = noise(9, 9)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert bad == [(1, "1.png: not a readable image (broken)")]
    assert images[1].opened == 1
    kept = [image for image in images if image.image is not BROKEN]
    assert (np.load(file) == expected_of(kept)).all()


def test_a_state_without_its_array_is_no_state(shards, tmp_path):
    """As after a stop between the move of the array and the card of the data set."""
    images = drawn(5)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    file.unlink()
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


def test_a_state_without_its_array_is_none_for_the_job_after_the_next_either(
    shards, tmp_path
):
    """The next one makes the array anew, and is stopped before it has anything."""
    images = drawn(5)
    decode_all(images, TRANSFORM, tmp_path)[0].unlink()
    whole, images[1].image = images[1].image, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path)
    images[1].image = whole
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


@pytest.mark.parametrize(
    "rows",
    [[0], [9], [0, 9], [4, 5, 6, 7], [1, 2, 8], list(range(9)), list(range(10))],
    ids=str,
)
def test_unreadable_images_are_left_out_and_told(shards, tmp_path, rows):
    images = drawn(10)
    for row in rows:
        images[row].image = BROKEN
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True, threads=3)
    assert bad == [(row, f"{row}.png: not a readable image (broken)") for row in rows]
    kept, made = [image for image in images if image.image is not BROKEN], np.load(file)
    assert made.shape == (len(kept), 8, 8, 3)
    assert made.dtype == np.uint8
    assert not kept or (made == expected_of(kept)).all()


@pytest.mark.parametrize(
    ("rows", "more"),
    [([2], ""), ([5, 6], "; so are 1 of the next 4"), ([9, 8], "; so are 1")],
)
def test_the_first_unreadable_image_is_named(shards, tmp_path, rows, more):
    images = drawn(10)
    for row in rows:
        images[row].image = BROKEN
    with pytest.raises(StockpotError) as error:
        decode_all(images, TRANSFORM, tmp_path, threads=3)
    said = f"{min(rows)}.png: not a readable image (broken){more}"
    assert str(error.value).startswith(said)
    assert "on_corrupt: skip" in str(error.value)


def test_the_log_has_the_rate_and_the_time_left(shards, tmp_path, monkeypatch, caplog):
    """A line every ten seconds, and one at the end; what was done before does not count."""
    caplog.set_level(logging.INFO)
    clock = iter([0, 5, 16, 20, 40])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    decode_all(drawn(16), TRANSFORM, tmp_path)
    assert caplog.messages == [
        "8/16 images  0 images/s  16 s left",
        "16/16 images  0 images/s  0 s left",
    ]
    caplog.clear()
    noted = {"shards": 2, "bad": [], "alpha_rows": ["00", "00"]}
    write_sealed(tmp_path / "done.json", noted)
    clock = iter([0, 0.05, 0.1])
    decode_all(drawn(16), TRANSFORM, tmp_path)
    assert caplog.messages == ["16/16 images  80 images/s  0 s left"]


def test_a_note_that_cannot_be_read_takes_nothing_away(shards, tmp_path, monkeypatch):
    decode_all(drawn(8), TRANSFORM, tmp_path)
    before = (tmp_path / "images.npy").read_bytes()

    def stale(path):
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", stale)
        with pytest.raises(StockpotError, match=r"done\.json: cannot be read \(Stale"):
            decode_all(drawn(8), TRANSFORM, tmp_path)
    assert (tmp_path / "images.npy").read_bytes() == before
    again = drawn(8)
    decode_all(again, TRANSFORM, tmp_path)
    assert [image.opened for image in again] == [0] * 8


GONE = [errno.ENOENT, errno.EACCES, errno.EIO, errno.EMFILE, errno.ESTALE]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("code", GONE, ids=errno.errorcode.get)
def test_an_image_that_cannot_be_had_is_never_left_out(shards, tmp_path, code, skip):
    images = drawn(10)
    images[1].image, images[5].image = (
        BROKEN if skip else images[1].image,
        OSError(code, "gone"),
    )
    with pytest.raises(StockpotError, match=r"^5\.png: cannot be read \(gone\)$"):
        decode_all(images, TRANSFORM, tmp_path, skip=skip, threads=3)
    images[5].image = noise(9, 9)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=skip)
    assert [row for row, _ in bad] == ([1] if skip else [])
    kept = [image for image in images if image.image is not BROKEN]
    assert (np.load(file) == expected_of(kept)).all()


def test_what_a_source_says_of_a_whole_file_stops_in_any_case(shards, tmp_path):
    """As of a table that is gone, of which every image is a row."""
    images = drawn(3)
    images[1].image = StockpotError("a.parquet: No such file or directory")
    with pytest.raises(StockpotError, match=r"^a\.parquet: No such file or directory$"):
        decode_all(images, TRANSFORM, tmp_path, skip=True)


# Room on the disk: an image is 192 bytes.


def free_are(monkeypatch, free):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(
        "stockpot.datasets.disk.shutil.disk_usage", lambda folder: usage
    )


def test_a_disk_without_room_is_said_first(shards, tmp_path, monkeypatch):
    images = drawn(10)
    free_are(monkeypatch, 10 * 192 - 1)
    with pytest.raises(StockpotError) as error:
        decode_all(images, TRANSFORM, tmp_path)
    said = f"10 decoded images: needs 1.92kB on the disk of {tmp_path}, which has 1.92kB free"
    assert str(error.value) == said
    assert not any(image.opened for image in images)
    free_are(monkeypatch, 10 * 192)
    assert decode_all(images, TRANSFORM, tmp_path)[1] == []


def test_what_a_stopped_job_holds_is_room(shards, tmp_path, monkeypatch):
    images = drawn(10)
    images[5].image = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path)
    images[5].image = noise(9, 9)
    free_are(monkeypatch, 6 * 192)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


def test_an_array_of_no_use_takes_no_room(shards, tmp_path, monkeypatch):
    """It is gone before the room for the next is looked for."""
    np.save(tmp_path / "images.npy", np.ones((40, 8, 8, 3), np.uint8))

    def usage(folder):
        return type(
            "Usage", (), {"free": 0 if (tmp_path / "images.npy").exists() else 5 * 192}
        )

    monkeypatch.setattr("stockpot.datasets.disk.shutil.disk_usage", usage)
    images = drawn(5)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


def test_the_blocks_are_there_before_the_first_image(tmp_path):
    """Else a disk that fills up kills the process where it writes to the mapped file."""
    images = [Drawn(KeyboardInterrupt(), str(i)) for i in range(1000)]
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path)
    found = (tmp_path / "images.npy").stat()
    assert found.st_size > 192_000
    assert found.st_blocks * 512 >= found.st_size


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_gives_no_blocks_is_one_line(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, "refused")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(
        StockpotError, match=r"images\.npy: no room for its 2\.05kB \(refused\)$"
    ):
        decode_all(drawn(10), TRANSFORM, tmp_path)


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, None])
def test_a_file_system_that_takes_no_blocks_ahead(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    if code is None:
        monkeypatch.delattr(os, "posix_fallocate")
    images = drawn(10)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


# Images that are left out: the others move up in the same file.

LEFT_OUT = [[9], [5, 9, 10], [0, 1, 7], [4, 5, 6, 7, 8, 10]]


def with_broken(rows):
    images = drawn(11)
    for row in rows:
        images[row].image = BROKEN
    return images, [image for image in images if image.image is not BROKEN]


@pytest.mark.parametrize("rows", LEFT_OUT, ids=str)
def test_leaving_out_takes_no_second_array(shards, tmp_path, rows):
    images, kept = with_broken(rows)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert [row for row, _ in bad] == rows
    assert sorted(os.listdir(tmp_path)) == ["done.json", "images.npy"]
    np.save(tmp_path / "own.npy", expected_of(kept))
    assert file.read_bytes() == (tmp_path / "own.npy").read_bytes()
    again = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert again == (file, bad)
    assert [image.opened for image in images] == [1] * 11


def stop_while_moving(array, gone):
    array[gone[0] :] = 77
    raise KeyboardInterrupt


@pytest.mark.parametrize("rows", LEFT_OUT, ids=str)
@pytest.mark.parametrize("step", ["_move_up", "moving", "_shape", "_note"])
@pytest.mark.parametrize("after", [False, True])
def test_a_job_that_was_stopped_while_images_moved(
    shards, tmp_path, monkeypatch, rows, step, after
):
    """Before or after each step, and when some rows have moved."""
    images, kept = with_broken(rows)
    name = "_move_up" if step == "moving" else step
    real, moved = getattr(module, name), []

    def stop(*given, **named):
        last = {
            "_shape": len(given) > 1 and given[1][0] != 11,
            "_note": "moved_up" in named,
        }
        if not last.get(name, True):
            return real(*given, **named)
        moved.append(1)
        if after:
            real(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, stop_while_moving if step == "moving" else stop)
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert moved or step == "moving"
    monkeypatch.setattr(module, name, real)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert [row for row, _ in bad] == rows
    assert (np.load(file) == expected_of(kept)).all()
    whole = 11 if (step, after) == ("_note", True) else rows[0] // 4 * 4
    assert [image.opened for image in images] == [1] * whole + [2] * (11 - whole)
    assert json.loads((tmp_path / "done.json").read_text())["moved_up"]


# From a source to a data set.


def write_classes(folder, sizes, start=0):
    """Files of one colour each, all of them different; sizes: class -> how many."""
    for label, (name, n) in enumerate(sizes.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(start, start + n):
            Image.new("RGB", (4, 4), (label, i // 256, i % 256)).save(
                folder / name / f"{i}.png"
            )


def colours(made):
    """Class name and colour of every image of a data set of ``write_classes``."""
    return [
        (made.class_names[label], tuple(image[0, 0].tolist()))
        for label, image in zip(made.labels, made.images)
    ]


def prepared(folder, to, **options):
    prepare(to, encoded_spec("folder", 4, path=str(folder), **options), threads=2)
    assert sorted(p.name for p in to.iterdir()) == [
        "dataset.json",
        "digests.npy",
        "images.npy",
        "labels.npy",
        "names.json",
    ], "no state is left"
    return read_dataset(to)


def test_every_image_is_hashed_once(tmp_path, monkeypatch):
    write_classes(tmp_path / "in", {"a": 5, "b": 4})
    Image.new("RGB", (4, 4), (0, 0, 2)).save(tmp_path / "in/a/again.png")
    digest_of, hashed = checked_images.image_digest, []

    def count(image):
        hashed.append(1)
        return digest_of(image)

    monkeypatch.setattr(checked_images, "image_digest", count)
    data = prepared(tmp_path / "in", tmp_path / "out", duplicates="once")
    assert len(hashed) == 10
    assert len(data) == 9
    assert len(set(colours(data))) == 9  # each is compared with its own digest


def split_of(part, **options):
    return {"part": part, "held_out": 0.1, "test": 0.2, "seed": 0} | options


SPLIT_OPTIONS = [
    {},
    {"held_out": 0.5, "test": 0.5},
    {"held_out": 2, "test": 1},
    {"seed": 3, "test": 0},
]


@pytest.mark.parametrize("options", SPLIT_OPTIONS, ids=str)
def test_parts_of_a_folder_are_disjoint_complete_and_of_the_size_that_was_planned(
    tmp_path, options
):
    sizes = {"ant": 1, "bee": 2, "cat": 3, "dog": 11, "eel": 40}
    write_classes(tmp_path / "own", sizes)
    whole, found = prepared(tmp_path / "own", tmp_path / "whole"), Counter()
    for part in SPLITS:
        entry = {"path": str(tmp_path / "own"), "split": {"part": part, **options}}
        planned = sum(sources.counts({"source": "folder", **entry}, Path))
        if planned:
            made = prepared(
                to=tmp_path / part,
                folder=entry["path"],
                split=split_of(**entry["split"]),
            )
            assert len(made) == planned
            assert made.class_names == list(sizes)
            assert made.labels.tolist() == sorted(made.labels), (
                "in the order of the folder"
            )
            found += Counter(colours(made))
    assert found == Counter(colours(whole))
    assert set(found.values()) == {1}


def test_a_part_without_images_is_a_line(tmp_path):
    write_classes(tmp_path / "own", {"ant": 1, "bee": 1})
    entry = {
        "source": "folder",
        "path": str(tmp_path / "own"),
        "split": {"part": "train"},
    }
    assert sources.counts(entry, Path) == [0, 0]
    with pytest.raises(StockpotError, match="^own: no images in this part of folder$"):
        prepared(tmp_path / "own", tmp_path / "made", split=split_of("train"))


SIZES_OF_PARTS = {  # n, held_out, test: held-out, test, train
    (10, 0.1, 0.2): (1, 2, 7),
    (100, 0.1, 0.2): (10, 20, 70),
    (3, 0.1, 0.2): (1, 1, 1),
    (2, 0.1, 0.2): (1, 1, 0),
    (1, 0.1, 0.2): (1, 0, 0),
    (10, 3, 4): (3, 4, 3),
    (5, 3, 4): (3, 2, 0),
    (10, 0, 0): (0, 0, 10),
    (10, 0, 0.2): (0, 2, 8),
    (10, 0.5, 0.5): (5, 5, 0),
    (10, 0.99, 0.2): (10, 0, 0),
    (10, 1, 1): (1, 1, 8),
    (10, 0.25, 0.35): (2, 4, 4),
    (0, 0.1, 0.2): (0, 0, 0),
}


@pytest.mark.parametrize("given", SIZES_OF_PARTS, ids=str)
def test_shares_and_numbers_of_images(given):
    """A share is at least one image; held-out images come first, then test, then training."""
    n, held_out, test = given
    sizes = {
        p: split_size(n, split_of(p, held_out=held_out, test=test)) for p in SPLITS
    }
    assert (sizes["held-out"], sizes["test"], sizes["train"]) == SIZES_OF_PARTS[given]


AMOUNTS = st.one_of(st.integers(0, 12), st.floats(0, 0.999))


@given(
    st.lists(st.integers(1, 25), min_size=1, max_size=6),
    AMOUNTS,
    AMOUNTS,
    st.integers(0, 9),
)
def test_the_parts_of_any_folder(sizes, held_out, test, seed):
    """Disjoint, complete, as many of every class as planning counts."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    keys = [f"{label}/{i}.png" for i, label in enumerate(labels)]
    options = {"held_out": held_out, "test": test, "seed": seed}
    rows = {
        part: split_rows(keys, labels, split_of(part, **options)) for part in SPLITS
    }
    assert sorted(np.concatenate(list(rows.values()))) == list(range(len(labels)))
    for part, own in rows.items():
        planned = [split_size(n, split_of(part, **options)) for n in sizes]
        assert np.bincount(labels[own], minlength=len(sizes)).tolist() == planned
        assert own.tolist() == sorted(own)


@given(
    st.integers(2, 30),
    st.integers(0, 8),
    st.integers(0, 8),
    st.randoms(use_true_random=False),
)
def test_one_more_image_moves_few(n, held_out, test, random):
    """One of a class moves one image across each border; those of other classes none."""
    keys = [f"a/{i}" for i in range(n)]

    def parts(keys, labels):
        found = {}
        for part in SPLITS:
            rows = split_rows(
                keys, labels, split_of(part, held_out=held_out, test=test)
            )
            found[part] = {keys[row] for row in rows}
        return found

    before = parts(keys, [0] * n)
    beside = parts([*keys, "b/1", "b/2"], [0] * n + [1, 1])
    for part in SPLITS:
        assert before[part] == {key for key in beside[part] if key.startswith("a/")}
    more = [*keys, "a/new"]
    random.shuffle(more)
    after = parts(more, [0] * (n + 1))
    moved = {
        part: (before[part] - after[part], after[part] - before[part])
        for part in SPLITS
    }
    assert all(len(gone) <= 1 and len(come) <= 1 for gone, come in moved.values())


def test_a_part_stays_when_the_folder_moves_and_changes_with_the_seed(tmp_path):
    write_classes(tmp_path / "own", {"ant": 30, "bee": 30})
    first = prepared(tmp_path / "own", tmp_path / "1", split=split_of("test"))
    shutil.move(tmp_path / "own", tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for i, place in enumerate(("elsewhere", "link")):
        again = prepared(
            tmp_path / place, tmp_path / f"again{i}", split=split_of("test")
        )
        assert again.fingerprint == first.fingerprint
    other = prepared(tmp_path / "link", tmp_path / "2", split=split_of("test", seed=1))
    assert len(other) == len(first)
    assert set(colours(other)) != set(colours(first))
    write_classes(tmp_path / "link", {"cow": 5})
    more = prepared(tmp_path / "link", tmp_path / "3", split=split_of("test"))
    assert [c for c in colours(more) if c[0] != "cow"] == colours(first)


@pytest.mark.parametrize("part", [None, *SPLITS])
def test_images_that_are_left_out_are_counted_on_the_card(tmp_path, caplog, part):
    write_classes(tmp_path / "own", {"ant": 20, "bee": 20})
    options = {"split": split_of(part)} if part else {}
    before = prepared(tmp_path / "own", tmp_path / "before", **options)
    assert "left_out" not in read_card(tmp_path / "before")["source"]
    gone = colours(before)[:1] + colours(before)[-1:]
    for name, (_, _, i) in gone:
        (tmp_path / "own" / name / f"{i}.png").write_bytes(b"no image")
    with pytest.raises(StockpotError, match="not a readable image"):
        prepared(tmp_path / "own", tmp_path / "refused", **options)
    made = prepared(tmp_path / "own", tmp_path / "made", on_corrupt="skip", **options)
    assert colours(made) == colours(before)[1:-1]
    assert read_card(tmp_path / "made")["source"]["left_out"] == 2
    assert f"2 of {len(before)} images are left out" in caplog.text
    assert all(f"{name}/{i}.png" in caplog.text for name, (_, _, i) in gone)


@pytest.mark.parametrize("on_corrupt", ["refuse", "skip"])
def test_a_file_that_is_missing_stops_the_study(listed, tmp_path, on_corrupt):
    """What was not unpacked would make a test set smaller without a word."""
    _, examples = scored(3)
    examples.images[1] = ImageFile(str(tmp_path / "gone.png"))
    with pytest.raises(
        StockpotError, match=r"/gone\.png: cannot be read \(No such file or dir"
    ):
        listed(tmp_path / "made", examples, on_corrupt=on_corrupt)


def test_a_folder_without_a_readable_image_is_one_line(tmp_path):
    write_classes(tmp_path / "own", {"ant": 2, "bee": 3})
    for path in tmp_path.glob("own/*/*"):
        path.write_bytes(b"no image")
    with pytest.raises(StockpotError) as error:
        prepared(tmp_path / "own", tmp_path / "made", on_corrupt="skip")
    said = f"own: none of 5 images can be read; {tmp_path}/own/ant/0.png: not a readable image"
    assert str(error.value) == f"{said} (of no known format)"
    assert not (tmp_path / "made/dataset.json").exists()


@pytest.fixture
def listed(monkeypatch):
    """A source that gives what a test makes, and a call that prepares it."""
    made = {}
    monkeypatch.setattr(
        preparing.sources, "load", lambda name: lambda spec: made["examples"]
    )

    def call(folder, examples, **changes):
        made["examples"] = examples
        prepare(folder, encoded_spec("folder", 8, path="own") | changes)
        return read_dataset(folder)

    return call


def scored(n):
    images = drawn(n)
    return images, Examples(
        images,
        np.arange(n) % 2,
        ["ant", "bee"],
        [f"{i}" for i in range(n)],
        Scoring(
            "accuracy",
            [*range(n)],
            [i // 2 for i in range(n)],
            [[i % 2] for i in range(n)],
        ),
    )


COLUMNS = ("groups", "videos", "accepted")


@pytest.mark.parametrize("columns", [COLUMNS, ("groups",), ()], ids=len)
@pytest.mark.parametrize("part", [None, "train", "test"])
def test_what_is_scored_stays_with_its_image(listed, shards, tmp_path, part, columns):
    images, examples = scored(20)
    for name in set(COLUMNS) - set(columns):
        setattr_frozen(examples, name)
    split = split_of(part, test=0.5) if part else None
    rows = (
        split_rows(examples.keys, examples.labels, split).tolist()
        if part
        else list(range(20))
    )
    for row in (rows[0], rows[3]):
        images[row].image = BROKEN
    kept = [row for row in rows if row not in (rows[0], rows[3])]
    made = listed(tmp_path, examples, split=split, on_corrupt="skip")
    assert (made.images == expected_of([images[row] for row in kept])).all()
    assert made.labels.tolist() == [row % 2 for row in kept]
    for name, value in (
        ("groups", int),
        ("videos", lambda i: i // 2),
        ("accepted", lambda i: [i % 2]),
    ):
        expected = [value(row) for row in kept] if name in columns else []
        assert getattr(made.scoring, name) == expected


def setattr_frozen(examples, name):
    examples.scoring = type(examples.scoring)(
        **{
            key: [] if key == name else value
            for key, value in vars(examples.scoring).items()
        }
    )


def stopped(listed, folder, examples, images, at=6, **changes):
    """A call that a signal ends; what was opened for it is forgotten."""
    whole, images[at].image = images[at].image, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        listed(folder, examples, **changes)
    images[at].image = whole
    for image in images:
        image.opened = 0


def test_a_stopped_job_goes_on_and_its_state_is_gone_afterwards(
    listed, shards, tmp_path
):
    images, examples = scored(10)
    stopped(listed, tmp_path, examples, images)
    assert len(list((tmp_path / ".state").iterdir())) == 1
    made = listed(tmp_path, examples)
    assert [image.opened for image in images] == [0] * 4 + [1] * 6
    assert (made.images == expected_of(images)).all()
    assert not (tmp_path / ".state").exists()


OTHERS = {
    "another transform": lambda e: {"resize_mode": "squash"},
    "another size": lambda e: {"image_size": 9},
    "other files": lambda e: {"files": "changed"},
    "another part": lambda e: {"split": split_of("train", held_out=0, test=0)},
    "another list": lambda e: e.keys.__setitem__(9, "other") or {},
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_job_does_not_go_on_from_there(listed, shards, tmp_path, case):
    images, examples = scored(10)
    stopped(listed, tmp_path, examples, images)
    changes = OTHERS[case](examples)
    listed(tmp_path, examples, **changes)
    assert [image.opened for image in images] == [1] * 10
    assert not (tmp_path / ".state").exists(), "nor is anything of the first left"


def test_the_border_of_a_source_is_cut(listed, tmp_path):
    images, examples = scored(5)
    examples.border = 2
    made = listed(tmp_path, examples)
    assert (made.images == [decode(Drawn(i.image), TRANSFORM, 2) for i in images]).all()


def test_images_that_are_decoded_already_are_written_as_they_are(listed, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    made = listed(tmp_path, Examples(images, np.array([0, 1, 0, 1]), ["ant", "bee"]))
    assert (made.images == images).all()
    assert "files" not in read_card(tmp_path)["source"]


# Parts of one folder in one study.


@pytest.fixture
def parted(config, tmp_path):
    """A function that plans a study whose three sets are one folder, but for some changes."""
    folder = tmp_path / "own"
    for name in ("ball", "moon"):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            (folder / name / f"{i}.png").write_bytes(b"unread")
    (tmp_path / "link").symlink_to(folder)
    shutil.copytree(folder, tmp_path / "copy")
    config["data"] |= {"shifts": [], "corrupted": []}
    config["baselines"]["models"] = {}

    def plan(shifts=(), **changes):
        for name, part in (
            ("train", "train"),
            ("held-out", "held-out"),
            ("reference", "test"),
        ):
            entry = {"source": "folder", "path": "own", "split": {"part": part}}
            config["datasets"][name] = entry | changes.get(name.replace("-", "_"), {})
        config["data"]["shifts"] = list(shifts)
        return planning.build(
            config,
            lambda path: tmp_path / path if (tmp_path / path).exists() else ROOT / path,
        )

    plan.config = config
    return plan


def spec_of(plan, name):
    (job,) = (job for job in plan.datasets.values() if job.spec["name"] == name)
    return job.spec


def test_one_folder_may_train_choose_and_test(parted):
    plan = parted()
    assert plan.sizes == {"reference": 8, "held-out": 4}
    expected = {"part": "test", "held_out": 0.1, "test": 0.2, "seed": 0}
    assert spec_of(plan, "reference")["split"] == expected
    said = {"part": "test", "seed": 0, "held_out": 0.1, "test": 0.2}
    assert list(parted(reference={"split": said}).datasets) == list(plan.datasets)
    assert parted(reference={"path": "copy", "split": None}).sizes["reference"] == 40


LEAKS = {
    "the same part": ({"part": "train"}, "own", "train"),
    "the same part through a link": ({"part": "held-out"}, "link", "held-out"),
    "another seed": ({"part": "test", "seed": 1}, "own", "train"),
    "other shares": ({"part": "test", "test": 0.3}, "own", "train"),
    "other numbers": ({"part": "test", "held_out": 2}, "own", "train"),
    "the whole folder": (None, "own", "train"),
    "the whole folder through a link": (None, "link", "train"),
}


@pytest.mark.parametrize("case", LEAKS)
def test_parts_that_may_overlap_are_refused(parted, case):
    split, path, other = LEAKS[case]
    with pytest.raises(StockpotError) as error:
        parted(reference={"split": split, "path": path})
    role = {"train": "data.train", "held-out": "data.held_out"}[other]
    why = "training, held-out and test sets must differ"
    if case in ("another seed", "other shares", "other numbers"):
        why = "parts of one split need the same held_out, test, seed and held_out_list"
    assert str(error.value) == (
        f"data.reference: 'reference' holds the same images as {other!r}, which is {role}; {why}"
    )


def test_a_part_without_images_is_refused_at_planning(parted):
    with pytest.raises(
        StockpotError, match=r"^data\.reference: reference has no images"
    ):
        parted(
            **{
                k: {"split": {"part": p, "test": 0}}
                for k, p in (
                    ("train", "train"),
                    ("held_out", "held-out"),
                    ("reference", "test"),
                )
            }
        )


def test_training_sets_alone_may_be_stored_larger(parted, tmp_path):
    plan = parted(train={"image_size": 48})
    assert [spec_of(plan, name)["image_size"] for name in ("train", "held-out")] == [
        48,
        32,
    ]
    assert plan.model.transform["image_size"] == 32
    write_classes(tmp_path / "own", {"ball": 20, "moon": 20})
    spec = spec_of(plan, "train") | {"path": str(tmp_path / "own")}
    prepare(tmp_path / "made", spec)
    assert read_dataset(tmp_path / "made").images.shape == (28, 48, 48, 3)


@pytest.mark.parametrize("part", ["held_out", "reference", "shift", "pool"])
def test_sets_that_are_looked_at_may_not(parted, part):
    name = {"held_out": "held-out"}.get(part, part)
    changes, larger = {}, {"source": "folder", "path": "copy", "image_size": 48}
    datasets = parted.config["datasets"]
    if part == "shift":
        datasets["shift"], changes = larger, {"shifts": ["shift"]}
    elif part == "pool":
        datasets |= {
            "pool": larger,
            "hard": {"source": "adversarial", "pool": "pool", "images": 3},
        }
        adversary = {"source": "folder", "path": "own", "split": {"part": "train"}}
        datasets["adversary-train"], changes = adversary, {"shifts": ["hard"]}
        parted.config["adversary"]["images"] = 20
    else:
        changes = {part: {"image_size": 48}}
    with pytest.raises(
        StockpotError, match=rf"^datasets\.{name}\.image_size: .*only training sets"
    ):
        parted(**changes)
