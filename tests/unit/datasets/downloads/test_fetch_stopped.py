"""Tests fetches that were stopped, and several at the same time."""

import errno
import fcntl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stockpot.datasets.downloads import fetch as fetch_module
from stockpot.datasets.downloads.fetch import fetch
from stockpot.runtime.errors import StockpotError
from tests.support.archive_site import (
    BODIES,
    HASHES,
    TRAIN,
    WHOLE,
    only_the_folder_is_left,
    spec_of,
    texts_below,
    texts_in,
)


def test_connections_that_are_cut_are_taken_up_again(site, three_archives, tmp_path):
    site.broken = {"/a/train.tar.gz", "/a/test.zip"}
    assert fetch(three_archives) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert [site.asked.count(path) for path in BODIES] == [2, 2, 1]


def test_a_wrong_checksum_is_one_line_and_what_came_before_stays(
    site, three_archives, tmp_path
):
    three_archives["archives"][1]["checksum"] = "sha256:" + "0" * 64
    with pytest.raises(
        StockpotError, match=rf"^{site.url}/a/test\.zip: its sha256 is "
    ):
        fetch(three_archives)
    assert texts_below(tmp_path) == texts_in("own/train", TRAIN)
    assert only_the_folder_is_left(tmp_path)
    three_archives["archives"][1]["checksum"] = ""
    assert fetch(three_archives) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert site.asked.count("/a/train.tar.gz") == 1


@pytest.mark.parametrize("into", ["", "x"])
def test_a_first_archive_that_is_damaged_leaves_no_data_set(site, tmp_path, into):
    site.bodies["/a/test.zip"] = b"no archive"
    broken = {
        "url": f"{site.url}/a/test.zip",
        "checksum": "",
        "size": None,
        "into": into,
    }
    with pytest.raises(StockpotError, match=r"test\.zip"):
        fetch(spec_of(tmp_path / "own", broken))
    assert not (tmp_path / "own").exists()


STEPS = ("download", "unpack", "_claim", "_place_file", "_move_contents", "_write_note")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [0, 1, 2])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "into", [("train", "deep/test", "meta"), ("", "deep/test", "meta")]
)
def test_a_call_that_was_stopped_anywhere_goes_on(
    site, three_archives, tmp_path, monkeypatch, into, step, call, after
):
    """Before or after the n-th time that it downloads, unpacks, moves, notes."""
    for archive, place in zip(three_archives["archives"], into):
        archive["into"] = place
    real, times = getattr(fetch_module, step), []

    def stop(*given, **named):
        times.append(1)
        if len(times) != call + 1:
            return real(*given, **named)
        if after:
            real(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch_module, step, stop)
    try:
        fetch(three_archives)
        assert len(times) <= call
    except KeyboardInterrupt:
        pass
    monkeypatch.setattr(fetch_module, step, real)
    assert fetch(three_archives) == HASHES
    assert texts_below(tmp_path / "own") == (
        WHOLE if into[0] else {**TRAIN, **texts_without(WHOLE, "train")}
    )
    assert only_the_folder_is_left(tmp_path)
    archives = [path for path in BODIES if path.startswith("/a")]
    assert all(site.asked.count(path) == 1 for path in archives), (
        "no archive is fetched twice"
    )


def texts_without(files, folder):
    return {
        name: text for name, text in files.items() if not name.startswith(f"{folder}/")
    }


@pytest.mark.parametrize("moved", [1, 2])
def test_an_archive_that_was_moved_in_part(
    site, three_archives, tmp_path, monkeypatch, moved
):
    """Half of an archive is in the folder: the other half follows."""
    real, times = Path.rename, []

    def stop(self, target):
        if ".unpacked" in str(self):
            times.append(1)
            if len(times) == moved:
                raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch(three_archives)
    monkeypatch.setattr(Path, "rename", real)
    assert len(texts_below(tmp_path / "own")) == moved - 1
    fetch(three_archives)
    assert texts_below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)


# Several processes, disks without locks.


def test_those_who_want_the_same_folder_wait_for_each_other(
    site, three_archives, tmp_path, monkeypatch
):
    for step in ("unpack", "_move_contents", "_write_note"):
        real = getattr(fetch_module, step)

        def slow(*given, real=real, **named):
            time.sleep(0.02)
            return real(*given, **named)

        monkeypatch.setattr(fetch_module, step, slow)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fetch(three_archives), range(4)))
    assert found == [HASHES] * 4
    assert site.asked == list(BODIES)
    assert texts_below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)


def test_the_folder_of_a_process_that_waited_is_gone_meanwhile(
    three_archives, tmp_path, monkeypatch
):
    """The one before takes the folder away between another's making and locking it."""
    real, times = fetch_module.locked_partial_file, []

    def gone(target, algorithms):
        times.append(1)
        if len(times) == 1:
            target.parent.rmdir()
        return real(target, algorithms)

    monkeypatch.setattr(fetch_module, "locked_partial_file", gone)
    assert fetch(three_archives) == HASHES
    assert len(times) == 2
    assert only_the_folder_is_left(tmp_path)


def test_a_disk_without_locks(three_archives, tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert fetch(three_archives) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)
