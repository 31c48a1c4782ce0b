"""Tests which files of a folder are images, and at which level classes are."""

import json
import os
from pathlib import Path

import pytest

from stockpot.datasets import sources
from stockpot.runtime.errors import StockpotError
from tests.support.own_data import encoded_colour, known_classes
from tests.support.solid_colours import labelled, paint_all, prepared_dataset

pytestmark = pytest.mark.process


def test_names_of_files_never_break_a_line_of_the_log(tmp_path):
    name = os.fsdecode(b"caf\xe9\nerror: \x1b[2J")
    paint_all(tmp_path / "in", {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / f"in/b/{name}.png").write_bytes(b"no image")
    with pytest.raises(StockpotError) as raised:
        prepared_dataset("folder", tmp_path / "out", path=str(tmp_path / "in"))
    assert r"b/caf\xe9\nerror: \x1b[2J.png: not a readable image" in str(raised.value)
    assert str(raised.value).isprintable()


def refusal_of_folder(folder: Path) -> str:
    """What planning says of a folder that is refused."""
    entry = {"source": "folder", "path": str(folder)}
    with pytest.raises(StockpotError) as raised:
        sources.module("folder").facts(entry, Path, "datasets.own")
    line = str(raised.value)
    assert len(line) <= 500
    assert line.isprintable()
    return line


def test_jpeg_is_read_under_any_of_its_names(tmp_path):
    suffixes = ("jpg", "JPEG", "jpe", "jfif", "JFIF", "jif", "jfi")
    paint_all(
        tmp_path / "in", {f"a/{i}.{kind}": "red" for i, kind in enumerate(suffixes)}
    )
    paint_all(tmp_path / "in", {"b/1.png": "green"})
    data = prepared_dataset("folder", tmp_path / "out", path=str(tmp_path / "in"))
    assert [colour for colour, _ in labelled(data)] == ["red"] * 7 + ["green"]


def test_files_that_are_not_read_are_counted_in_plan_and_card(tmp_path):
    files = {
        "a/1.png": "red",
        "a/.thumbs/1.png": "red",
        "a/._1.png": "red",
        "b/2.png": "green",
        "a/deep/deeper/3.png": "red",
        "beside.png": "red",
    }
    paint_all(tmp_path / "in", files)
    for text in (
        "README.md",
        "a/1.txt",
        "a/deep/2.txt",
        "b/Thumbs.db",
        "b/LICENSE",
        ".DS_Store",
    ):
        (tmp_path / "in" / text).write_text("words")
    entry = {"source": "folder", "path": str(tmp_path / "in")}
    assert sources.unused(entry, Path) == (
        "1 .db (as b/Thumbs.db), 2 .txt (as a/1.txt), 1 beside the class folders, .md (as README"
        ".md), 1 beside the class folders, .png (as beside.png), 3 hidden (as .DS_Store), "
        "1 without suffix (as b/LICENSE)"
    )
    prepared_dataset("folder", tmp_path / "out", path=str(tmp_path / "in"))
    card = json.loads((tmp_path / "out/dataset.json").read_text())
    counted = {kind: n for kind, (n, _) in card["source"]["unused"].items()}
    assert counted == {
        ".txt": 2,
        ".db": 1,
        "without suffix": 1,
        "hidden": 3,
        "beside the class folders, .md": 1,
        "beside the class folders, .png": 1,
    }
    assert card["n"] == 3


@pytest.mark.parametrize(
    "kind", ["heic", "avif", "tif", "TIFF", "gif", "jp2", "ico", "dcm", "CR2"]
)
def test_other_kinds_of_images_are_refused(kind, tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / f"b/2.{kind}").write_bytes(b"x")
    assert f"1 images, as {tmp_path}/b/2.{kind}, are of a kind" in refusal_of_folder(
        tmp_path
    )


@pytest.mark.parametrize("name", ["2", "2.jpg_large", "2.png.1"])
def test_images_without_a_known_suffix_are_refused(name, tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / "b" / name).write_bytes(encoded_colour("red", "jpeg"))
    assert f"1 images, as {tmp_path}/b/{name}, have a name" in refusal_of_folder(
        tmp_path
    )


LAYOUTS = {
    "one level too high": (["train/a", "train/b", "test/a", "test/b"], "give {}/train"),
    "one split alone": (["Validation/a", "Validation/b"], "give {}/Validation"),
    "numbered splits": (["train2017/a", "val2017/a", "x/a"], "give {}/train2017"),
    "splits of images": (["train", "test"], "the images into a folder per class"),
    "as a zip unpacks": (["pics/a", "pics/b"], "give {}/pics"),
    "twice as a zip unpacks": (["pics/all/a", "pics/all/b"], "give {}/pics/all"),
    "domains": (["art/a", "art/b", "photo/a", "photo/b"], "give {}/art"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_at_the_wrong_level_is_refused_with_the_right_one(layout, tmp_path):
    folders, line = LAYOUTS[layout]
    paint_all(tmp_path, {f"{folder}/1.png": "red" for folder in folders})
    assert line.format(tmp_path) in refusal_of_folder(tmp_path)


@pytest.mark.parametrize(
    "folders",
    [
        ["train", "bus"],
        ["cat/raw", "dog/raw"],
        ["cat", "cat/2019", "dog", "dog/2019", "dog/2020"],
        ["cat/day", "cat/night", "dog/day", "dog/night"],
        ["photo/raw", "sketch/raw"],
    ],
)
def test_classes_may_be_called_so_and_have_folders(folders, tmp_path):
    paint_all(tmp_path, {f"{folder}/1.png": "red" for folder in folders})
    entry = {"source": "folder", "path": str(tmp_path)}
    assert sources.module("folder").facts(entry, Path, "own")["files"]


def test_the_plan_doubts_class_folders_that_hold_the_same_folders(tmp_path):
    entry = {"source": "folder", "path": str(tmp_path)}
    paint_all(
        tmp_path,
        {f"{name}/1.png": "red" for name in ("cat/day", "cat/night", "dog/day")},
    )
    assert sources.layout_warning(entry, Path) == ""
    paint_all(tmp_path, {"dog/night/1.png": "red"})
    assert "folders of equal names (day, night), whose images count for the outer" in (
        sources.layout_warning(entry, Path)
    )
    assert known_classes("folder", path=str(tmp_path)) == (["cat", "dog"], [2, 2])


@pytest.mark.parametrize("brand", [b"qt  ", b"mp42", b"isom"])
def test_a_film_is_no_image(brand, tmp_path):
    """As the .MOV beside a phone's photo, whose first bytes are like those of HEIC."""
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / "b/1.MOV").write_bytes(b"\0\0\0\x14ftyp" + brand)
    entry = {"source": "folder", "path": str(tmp_path)}
    assert sources.module("folder").facts(entry, Path, "own")["files"]
    assert sources.unused(entry, Path) == "1 .mov (as b/1.MOV)"


@pytest.mark.parametrize("brand", [b"heic", b"hevc", b"mif1", b"avif"])
def test_an_image_of_a_phone_without_its_suffix_is_one(brand, tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / "b/2").write_bytes(b"\0\0\0\x14ftyp" + brand)
    assert f"1 images, as {tmp_path}/b/2, have a name" in refusal_of_folder(tmp_path)


def test_a_link_that_leads_nowhere_is_counted_or_refused(tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / "b/notes").symlink_to("nowhere")
    entry = {"source": "folder", "path": str(tmp_path)}
    assert sources.module("folder").facts(entry, Path, "own")["files"]
    assert sources.unused(entry, Path) == "1 without suffix (as b/notes)"
    (tmp_path / "b/2.png").symlink_to("nowhere")
    assert f"cannot read {tmp_path}/b/2.png" in refusal_of_folder(tmp_path)


def test_a_file_under_two_classes_is_refused(tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "green"})
    (tmp_path / "b/linked.png").symlink_to(tmp_path / "a/1.png")
    assert (
        "a/1.png and b/linked.png are one file, so the image would count under two classes"
        in (refusal_of_folder(tmp_path))
    )
    entry = {"source": "folder", "path": str(tmp_path), "duplicates": "keep"}
    assert sources.module("folder").facts(entry, Path, "own")["files"]


def test_a_file_that_links_lead_to_twice_counts_once(tmp_path):
    folder = paint_all(tmp_path / "in", {"a/1.png": "red", "b/1.png": "green"})
    os.link(folder / "b/1.png", folder / "b/again.png")
    once = prepared_dataset(
        "folder", tmp_path / "once", path=str(folder), duplicates="once"
    )
    assert labelled(once) == [("red", "a"), ("green", "b")]
    keep = prepared_dataset(
        "folder", tmp_path / "keep", path=str(folder), duplicates="keep"
    )
    assert labelled(keep) == [("red", "a"), ("green", "b"), ("green", "b")]


def test_folders_that_link_to_each_other_are_entered_once(tmp_path):
    for one in range(12):
        paint_all(tmp_path, {f"a/{one}/1.png": "red"})
        for other in range(12):
            (tmp_path / f"a/{one}/to{other}").symlink_to(tmp_path / f"a/{other}")
    paint_all(tmp_path, {"b/1.png": "red"})
    assert known_classes("folder", path=str(tmp_path)) == (["a", "b"], [12, 1])


def test_pipes_are_refused_and_not_opened(tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "green"})
    os.mkfifo(tmp_path / "b/2.png")
    assert "b/2.png: is a pipe, a socket or a device" in refusal_of_folder(tmp_path)
    (tmp_path / "list.csv").write_text("path,label\nb/2.png,a\n")
    with pytest.raises(StockpotError, match=r"list\.csv, line 2: b/2\.png is no file"):
        prepared_dataset("csv", tmp_path / "out", path=str(tmp_path / "list.csv"))
    for source, name in (("webdataset", "one.tar"), ("parquet", "a.parquet")):
        os.mkfifo(tmp_path / name)
        with pytest.raises(StockpotError, match="it is a pipe, not a file"):
            known_classes(source, path=str(tmp_path / name))
