"""Tests that decoded images have room on the disk, also where some are left out."""

import errno
import json
import os

import numpy as np
import pytest

from stockpot.datasets.decoding import decode as decode_module
from stockpot.datasets.decoding.decode import decode_all
from stockpot.runtime.errors import StockpotError
from tests.support.drawn_images import (
    BROKEN,
    TRANSFORM,
    Drawn,
    draw_images,
    expected_of,
    noise,
)


def free_are(monkeypatch, free):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(
        "stockpot.datasets.disk.shutil.disk_usage", lambda folder: usage
    )


def test_a_disk_without_room_is_said_first(shards_of_four, tmp_path, monkeypatch):
    images = draw_images(10)
    free_are(monkeypatch, 10 * 192 - 1)
    with pytest.raises(StockpotError) as error:
        decode_all(images, TRANSFORM, tmp_path)
    said = f"10 decoded images: needs 1.92kB on the disk of {tmp_path}, which has 1.92kB free"
    assert str(error.value) == said
    assert not any(image.opened for image in images)
    free_are(monkeypatch, 10 * 192)
    assert decode_all(images, TRANSFORM, tmp_path)[1] == []


def test_what_a_stopped_job_holds_is_room(shards_of_four, tmp_path, monkeypatch):
    images = draw_images(10)
    images[5].image = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path)
    images[5].image = noise(9, 9)
    free_are(monkeypatch, 6 * 192)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


def test_an_array_of_no_use_takes_no_room(shards_of_four, tmp_path, monkeypatch):
    """It is gone before the room for the next is looked for."""
    np.save(tmp_path / "images.npy", np.ones((40, 8, 8, 3), np.uint8))

    def usage(folder):
        return type(
            "Usage", (), {"free": 0 if (tmp_path / "images.npy").exists() else 5 * 192}
        )

    monkeypatch.setattr("stockpot.datasets.disk.shutil.disk_usage", usage)
    images = draw_images(5)
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
        decode_all(draw_images(10), TRANSFORM, tmp_path)


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, None])
def test_a_file_system_that_takes_no_blocks_ahead(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    if code is None:
        monkeypatch.delattr(os, "posix_fallocate")
    images = draw_images(10)
    file, _ = decode_all(images, TRANSFORM, tmp_path)
    assert (np.load(file) == expected_of(images)).all()


LEFT_OUT = [[9], [5, 9, 10], [0, 1, 7], [4, 5, 6, 7, 8, 10]]


def with_broken(rows):
    images = draw_images(11)
    for row in rows:
        images[row].image = BROKEN
    return images, [image for image in images if image.image is not BROKEN]


@pytest.mark.parametrize("rows", LEFT_OUT, ids=str)
def test_leaving_out_takes_no_second_array(shards_of_four, tmp_path, rows):
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
    shards_of_four, tmp_path, monkeypatch, rows, step, after
):
    """Before or after each step, and when some rows have moved."""
    images, kept = with_broken(rows)
    name = "_move_up" if step == "moving" else step
    real, moved = getattr(decode_module, name), []

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

    monkeypatch.setattr(
        decode_module, name, stop_while_moving if step == "moving" else stop
    )
    with pytest.raises(KeyboardInterrupt):
        decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert moved or step == "moving"
    monkeypatch.setattr(decode_module, name, real)
    file, bad = decode_all(images, TRANSFORM, tmp_path, skip=True)
    assert [row for row, _ in bad] == rows
    assert (np.load(file) == expected_of(kept)).all()
    whole = 11 if (step, after) == ("_note", True) else rows[0] // 4 * 4
    assert [image.opened for image in images] == [1] * whole + [2] * (11 - whole)
    assert json.loads((tmp_path / "done.json").read_text())["moved_up"]
