"""Tests which files of a folder are listed, and the digest of the list."""

import shutil

import pytest

from stockpot.datasets.listing import files_below, listing_digest
from stockpot.runtime.errors import StockpotError


def test_the_listing_of_a_missing_folder_names_the_key(tmp_path):
    with pytest.raises(
        StockpotError, match=r"datasets\.own\.path: no folder .*nowhere"
    ):
        listing_digest(tmp_path / "nowhere", "datasets.own.path")


def test_the_listing_does_not_depend_on_where_the_folder_is(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "cat").mkdir(parents=True)
        (tmp_path / name / "cat/1.png").write_bytes(b"1")
    shutil.copystat(tmp_path / "one/cat/1.png", tmp_path / "two/cat/1.png")
    one, two = (listing_digest(tmp_path / name, "key") for name in ("one", "two"))
    assert one == two
    (tmp_path / "two/cat/1.png").rename(tmp_path / "two/cat/2.png")
    assert listing_digest(tmp_path / "two", "key") != one


def test_links_are_followed_but_not_in_circles(tmp_path):
    real, folder = tmp_path / "real", tmp_path / "folder"
    (real / "deep").mkdir(parents=True)
    (real / "deep/2.png").write_bytes(b"2")
    (real / "deep/up").symlink_to(real)
    folder.mkdir()
    (folder / "1.png").write_bytes(b"1")
    (folder / "linked").symlink_to(real)
    names = [str(path.relative_to(folder)) for path in files_below(folder)]
    assert names == ["1.png", "linked/deep/2.png"]
    before = listing_digest(folder, "key")
    (real / "deep/2.png").write_bytes(b"22")
    assert listing_digest(folder, "key") != before


def test_hidden_files_are_none(tmp_path):
    for file in (
        "cat/1.png",
        "cat/._1.png",
        "cat/.ipynb_checkpoints/1.png",
        ".DS_Store",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"x")
    assert files_below(tmp_path) == [tmp_path / "cat/1.png"]


def test_a_link_to_nowhere_is_named(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    with pytest.raises(StockpotError, match=r"key: cannot read .*gone\.png"):
        listing_digest(tmp_path, "key")
