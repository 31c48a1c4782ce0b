"""Tests fetches of several files into one folder."""

import errno
import json
import os
from pathlib import Path

import pytest

from stockpot.datasets.downloads.fetch import fetch
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import read_sealed
from tests.support.archive_site import (
    BODIES,
    HASHES,
    LABELS,
    NOTE,
    TEST,
    TRAIN,
    WHOLE,
    archive_entry,
    only_the_folder_is_left,
    spec_of,
    tar,
    texts_below,
    texts_in,
    zipped,
)


def test_archives_and_files_go_where_they_belong(site, three_archives, tmp_path):
    assert fetch(three_archives) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)
    assert read_sealed(tmp_path / "own" / NOTE) == HASHES
    assert site.asked == list(BODIES)


def test_a_second_call_fetches_nothing(site, three_archives, tmp_path):
    fetch(three_archives)
    site.asked.clear()
    assert fetch(three_archives) == HASHES
    assert site.asked == []
    assert texts_below(tmp_path / "own") == WHOLE


def test_a_note_of_an_earlier_version_counts_and_gets_a_seal(
    site, three_archives, tmp_path
):
    fetch(three_archives)
    asked = list(site.asked)
    (tmp_path / "own" / NOTE).write_text(json.dumps(HASHES, indent=1) + "\n")
    assert fetch(three_archives) == HASHES
    assert site.asked == asked
    assert read_sealed(tmp_path / "own" / NOTE) == HASHES


def test_an_archive_that_a_later_version_adds_is_fetched(
    site, three_archives, tmp_path
):
    assert set(
        fetch({**three_archives, "archives": three_archives["archives"][:2]})
    ) == {
        "train.tar.gz",
        "test.zip",
    }
    site.asked.clear()
    assert fetch(three_archives) == HASHES
    assert site.asked == ["/b/labels.txt"]
    assert texts_below(tmp_path / "own") == WHOLE


@pytest.mark.parametrize("empty", [False, True])
def test_one_archive_is_the_folder(site, tmp_path, empty):
    """An empty folder is no data set of the user's."""
    if empty:
        (tmp_path / "own").mkdir()
    assert set(
        fetch(spec_of(tmp_path / "own", archive_entry(site, "/a/test.zip")))
    ) == {"test.zip"}
    assert texts_below(tmp_path / "own") == TEST
    assert only_the_folder_is_left(tmp_path)


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_is_a_link_to_another_disk(
    site, three_archives, tmp_path, exists
):
    (tmp_path / "data").mkdir()
    (tmp_path / "own").symlink_to(tmp_path / "data/own")
    if exists:
        (tmp_path / "data/own").mkdir()
    fetch(three_archives)
    assert texts_below(tmp_path / "data/own") == WHOLE
    assert sorted(os.listdir(tmp_path)) == ["data", "own"]
    assert (tmp_path / "own").is_symlink()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
@pytest.mark.parametrize("into", ["", "all"])
def test_several_may_share_a_folder(site, tmp_path, order, into):
    site.bodies["/a/more.tar.xz"] = tar({"star/4.png": "4"}, "xz")
    more = {
        "url": f"{site.url}/a/more.tar.xz",
        "checksum": "",
        "size": None,
        "into": into,
    }
    files = [
        archive_entry(site, "/a/train.tar.gz", into),
        more,
        archive_entry(site, "/b/labels.txt", into),
    ]
    fetch(spec_of(tmp_path / "own", *(files[i] for i in order)))
    expected = TRAIN | {"star/4.png": "4", "labels.txt": LABELS.decode()}
    assert texts_below(tmp_path / "own" / into) == expected
    assert only_the_folder_is_left(tmp_path)


def test_two_archives_with_the_same_name_in_them_are_refused(site, tmp_path):
    wanted = spec_of(
        tmp_path / "own",
        archive_entry(site, "/a/train.tar.gz", "x"),
        archive_entry(site, "/a/test.zip", "x"),
    )
    with pytest.raises(
        StockpotError, match=r"own/x/ball: is there already; move it away"
    ):
        fetch(wanted)
    assert texts_below(tmp_path / "own") == texts_in("x", TRAIN), (
        "nothing of it is written over"
    )
    (tmp_path / "own/x/ball").rename(tmp_path / "ball")
    fetch(wanted)
    assert texts_below(tmp_path / "own/x") == {"moon/2.png": "2", "ball/3.png": "3"}


def test_a_query_is_no_part_of_the_name(site, tmp_path):
    site.bodies["/a/test.zip?download=1"] = site.bodies.pop("/a/test.zip")
    wanted = archive_entry(site, "/a/test.zip")
    wanted["url"] += "?download=1"
    assert set(fetch(spec_of(tmp_path / "own", wanted))) == {"test.zip"}
    assert texts_below(tmp_path / "own") == TEST


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
def test_every_kind_of_tar_is_unpacked(site, tmp_path, mode):
    name = f"/a/x.tar{mode and '.'}{mode}"
    site.bodies[name] = tar(TRAIN, mode)
    wanted = {"url": site.url + name, "checksum": "", "size": None, "into": ""}
    fetch(spec_of(tmp_path / "own", wanted))
    assert texts_below(tmp_path / "own") == TRAIN


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_mirror_has_files_of_the_same_names(site, three_archives, tmp_path, slash):
    site.bodies = {
        f"/mirror/{path.rpartition('/')[2]}": body for path, body in BODIES.items()
    }
    assert fetch({**three_archives, "mirror": f"{site.url}/mirror{slash}"}) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert all(path.startswith("/mirror/") for path in site.asked)


def test_a_mirror_on_this_machine(three_archives, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for path, body in BODIES.items():
        (mirror / path.rpartition("/")[2]).write_bytes(body)
    assert fetch({**three_archives, "mirror": mirror.as_uri()}) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert len(os.listdir(mirror)) == 3


def test_a_folder_that_somebody_filled_is_left_alone(
    site, three_archives, tmp_path, caplog
):
    caplog.set_level("INFO")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/theirs.png").write_text("theirs")
    assert fetch(three_archives) == {}
    assert site.asked == []
    assert texts_below(tmp_path) == {"own/theirs.png": "theirs"}
    assert "nothing is fetched" in caplog.text


def test_a_file_in_the_folder_is_not_written_over(site, three_archives, tmp_path):
    fetch({**three_archives, "archives": three_archives["archives"][:2]})
    (tmp_path / "own/meta").mkdir()
    (tmp_path / "own/meta/labels.txt").write_text("theirs")
    with pytest.raises(
        StockpotError, match=r"own/meta/labels\.txt: is there already; move it"
    ):
        fetch(three_archives)
    assert (tmp_path / "own/meta/labels.txt").read_text() == "theirs"
    (tmp_path / "own/meta/labels.txt").unlink()
    assert fetch(three_archives) == HASHES
    assert texts_below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)
    assert site.asked == list(BODIES), "nothing is fetched twice"


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("name", [NOTE, f"./{NOTE}", ".Fetched.JSON", f"{NOTE}/1.png"])
@pytest.mark.parametrize("into", ["", "x"])
def test_an_archive_that_says_what_was_fetched_is_refused(
    site, tmp_path, make, name, into
):
    site.bodies["/a/test.zip"] = make({**TEST, name: "{}"})
    url = f"{site.url}/a/test.zip"
    wanted = {"url": url, "checksum": "", "size": None, "into": into}
    for _ in range(2):
        with pytest.raises(
            StockpotError, match=r"test\.zip, '.*': has a name that is kept"
        ):
            fetch(spec_of(tmp_path / "own", wanted))
        assert not (tmp_path / "own").exists()


def test_a_disk_that_cannot_be_written_may_have_the_folder(
    three_archives, tmp_path, monkeypatch
):
    fetch(three_archives)

    def mkdir(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert fetch(three_archives) == HASHES
