"""Tests how the images of a list are decoded, shard by shard."""

import errno
import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from stockpot.datasets.decoding import decode as decode_module
from stockpot.datasets.decoding.decode import decode_all
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import write_sealed
from tests.support.drawn_images import (
    BROKEN,
    TRANSFORM,
    Drawn,
    draw_images,
    expected_of,
    noise,
)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 11])
def test_images_keep_their_order_whatever_the_threads(shards_of_four, tmp_path, n):
    images = draw_images(n)
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
    shards_of_four, tmp_path, stop, at
):
    images = draw_images(11)
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


def test_what_was_left_out_is_known_to_the_job_that_goes_on(shards_of_four, tmp_path):
    images = draw_images(9)
    images[1].image, images[6].image = BROKEN, KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path, skip=True)
    images[6].image = noise(9, 9)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert bad == [(1, "1.png: not a readable image (broken)")]
    assert images[1].opened == 1
    kept = [image for image in images if image.image is not BROKEN]
    assert (np.load(file) == expected_of(kept)).all()


def test_a_state_without_its_array_is_no_state(shards_of_four, tmp_path):
    """As after a stop between the move of the array and the card of the data set."""
    images = draw_images(5)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    file.unlink()
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


def test_a_state_without_its_array_is_none_for_the_job_after_the_next_either(
    shards_of_four, tmp_path
):
    """The next one makes the array anew, and is stopped before it has anything."""
    images = draw_images(5)
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
def test_unreadable_images_are_left_out_and_told(shards_of_four, tmp_path, rows):
    images = draw_images(10)
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
def test_the_first_unreadable_image_is_named(shards_of_four, tmp_path, rows, more):
    images = draw_images(10)
    for row in rows:
        images[row].image = BROKEN
    with pytest.raises(StockpotError) as error:
        decode_all(images, TRANSFORM, tmp_path, threads=3)
    said = f"{min(rows)}.png: not a readable image (broken){more}"
    assert str(error.value).startswith(said)
    assert "on_corrupt: skip" in str(error.value)


def test_the_log_has_the_rate_and_the_time_left(
    shards_of_four, tmp_path, monkeypatch, caplog
):
    """A line every ten seconds, and one at the end; what was done before does not count."""
    caplog.set_level(logging.INFO)
    clock = iter([0, 5, 16, 20, 40])
    monkeypatch.setattr(decode_module.time, "monotonic", lambda: next(clock))
    decode_all(draw_images(16), TRANSFORM, tmp_path)
    assert caplog.messages == [
        "8/16 images  0 images/s  16 s left",
        "16/16 images  0 images/s  0 s left",
    ]
    caplog.clear()
    noted = {"shards": 2, "bad": [], "alpha_rows": ["00", "00"]}
    write_sealed(tmp_path / "done.json", noted)
    clock = iter([0, 0.05, 0.1])
    decode_all(draw_images(16), TRANSFORM, tmp_path)
    assert caplog.messages == ["16/16 images  80 images/s  0 s left"]


def test_a_note_that_cannot_be_read_takes_nothing_away(
    shards_of_four, tmp_path, monkeypatch
):
    decode_all(draw_images(8), TRANSFORM, tmp_path)
    before = (tmp_path / "images.npy").read_bytes()

    def stale(path):
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", stale)
        with pytest.raises(StockpotError, match=r"done\.json: cannot be read \(Stale"):
            decode_all(draw_images(8), TRANSFORM, tmp_path)
    assert (tmp_path / "images.npy").read_bytes() == before
    again = draw_images(8)
    decode_all(again, TRANSFORM, tmp_path)
    assert [image.opened for image in again] == [0] * 8


GONE = [errno.ENOENT, errno.EACCES, errno.EIO, errno.EMFILE, errno.ESTALE]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("code", GONE, ids=errno.errorcode.get)
def test_an_image_that_cannot_be_had_is_never_left_out(
    shards_of_four, tmp_path, code, skip
):
    images = draw_images(10)
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


def test_what_a_source_says_of_a_whole_file_stops_in_any_case(shards_of_four, tmp_path):
    """As of a table that is gone, of which every image is a row."""
    images = draw_images(3)
    images[1].image = StockpotError("a.parquet: No such file or directory")
    with pytest.raises(StockpotError, match=r"^a\.parquet: No such file or directory$"):
        decode_all(images, TRANSFORM, tmp_path, skip=True)
