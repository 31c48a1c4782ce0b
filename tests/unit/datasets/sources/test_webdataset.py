"""Tests shards of WebDataset."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from stockpot.datasets import sources
from stockpot.runtime.errors import StockpotError
from tests.support.own_data import check_answers, encoded_colour, known_classes
from tests.support.solid_colours import labelled, paint_all, prepared_dataset

pytestmark = pytest.mark.process


def write_shard(file: Path, members: dict[str, bytes | str], mode: str = "w") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, mode) as archive:
        for name, content in members.items():
            content = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_shards_with_numbers(tmp_path, class_list, painter):
    shards = tmp_path / "shards"
    write_shard(
        shards / "b-000001.tar",
        {
            "x/0003.jpg": encoded_colour("green", "jpeg"),
            "x/0003.cls": "0",
            "x/0003.json": "{}",
        },
    )
    write_shard(
        shards / "b-000000.tar",
        {
            # The label first, and a caption that is no label where there is a number.
            "0001.cls": b"1\n",
            "0001.png": encoded_colour("red"),
            "0001.txt": "a red dog",
            "0002.cls": "0",
            "0002.WEBP": encoded_colour("green", "webp"),
            "0002.seg.png": encoded_colour("blue"),
            "._0002.png": b"",
        },
    )
    options = {"path": str(shards), "classes": class_list}
    data = prepared_dataset("webdataset", tmp_path / "out", **options)
    assert labelled(data) == [("red", "dog"), ("green", "cat"), ("green", "cat")]
    assert known_classes("webdataset", **options) == (["cat", "dog"], [2, 1])
    check_answers(painter, data)


def test_a_shard_with_names(tmp_path):
    file = tmp_path / "one.tar"
    write_shard(
        file,
        {
            "1.png": encoded_colour("red"),
            "1.txt": "dog\n",
            "2.png": encoded_colour("green"),
            "2.cls": "cat",
        },
    )
    data = prepared_dataset("webdataset", tmp_path / "out", path=str(file))
    assert labelled(data) == [("red", "dog"), ("green", "cat")]
    assert known_classes("webdataset", path=str(file)) == (["cat", "dog"], [1, 1])


def test_equal_keys_of_two_folders_are_two_samples(tmp_path):
    file = tmp_path / "one.tar"
    write_shard(
        file,
        {
            "a/1.png": encoded_colour("red"),
            "a/1.txt": "dog",
            "b/1.png": encoded_colour("green"),
            "b/1.txt": "cat",
        },
    )
    data = prepared_dataset("webdataset", tmp_path / "out", path=str(file))
    assert labelled(data) == [("red", "dog"), ("green", "cat")]


def test_members_never_touch_the_disk(tmp_path):
    file = tmp_path / "in/evil.tar"
    write_shard(
        file,
        {
            "../../escaped.png": encoded_colour("red"),
            "../../escaped.txt": "dog",
            f"{tmp_path}/absolute.png": encoded_colour("green"),
            f"{tmp_path}/absolute.txt": "cat",
        },
    )
    with tarfile.open(file, "a") as archive:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    before = {path for path in tmp_path.rglob("*")}
    data = prepared_dataset("webdataset", tmp_path / "out", path=str(file))
    assert labelled(data) == [("red", "dog"), ("green", "cat")]
    new = {
        path
        for path in tmp_path.rglob("*")
        if not path.is_relative_to(tmp_path / "out")
    }
    assert new == before


def test_a_changed_shard_is_seen(tmp_path):
    file = tmp_path / "one.tar"
    write_shard(file, {"1.png": encoded_colour("red"), "1.txt": "dog"})
    entry = {"source": "webdataset", "path": str(file)}
    before, names = sources.module("webdataset").facts(entry, Path, "key"), ["dog"]
    assert known_classes("webdataset", path=str(file)) == (names, [1])
    write_shard(file, {"1.png": encoded_colour("red"), "1.txt": "fox"})
    os.utime(file, ns=(1, 1))
    assert sources.module("webdataset").facts(entry, Path, "key") != before
    assert known_classes("webdataset", path=str(file)) == (["fox"], [1])


@pytest.mark.parametrize(
    ("members", "classes", "line"),
    [
        ({"1.png": b"x"}, None, r"one\.tar: 1\.png has no label 1\.cls or 1\.txt"),
        ({"1.png": b"x", "1.txt": " "}, None, "1.png has no label"),
        (
            {"1.png": b"x", "1.cls": "3"},
            None,
            r"one\.tar: 1\.png: the label 3 is a number",
        ),
        (
            {"1.png": b"x", "1.cls": "2"},
            "animals",
            r"1\.png: the label 2 is not 0 to 1",
        ),
        (
            {"1.png": b"x", "1.cls": "fox"},
            "animals",
            r"'fox' is none of the 2 .*cat, dog",
        ),
        ({"1.png": b"x", "1.jpg": b"x"}, None, r"one\.tar: two images of 1: 1\.jpg"),
        (
            {"1.json": "{}"},
            None,
            r"one\.tar: no images \(bmp, .*jfif, .*jpg, png, webp\)",
        ),
        (
            {"1.png": b"no", "1.txt": "dog"},
            None,
            r"one\.tar: 1\.png: not a readable image",
        ),
    ],
)
def test_a_wrong_shard_is_named(members, classes, line, tmp_path, class_list):
    write_shard(tmp_path / "one.tar", members)
    options = {"classes": class_list} if classes else {}
    with pytest.raises(StockpotError, match=line):
        prepared_dataset(
            "webdataset", tmp_path / "out", path=str(tmp_path / "one.tar"), **options
        )


def test_other_files_are_no_shards(tmp_path, class_list):
    members = {"1.png": encoded_colour("red"), "1.txt": "dog"}
    write_shard(tmp_path / "packed.tar", members, "w:gz")
    line = r"packed\.tar: not readable .*; a shard is an uncompressed, whole tar file"
    with pytest.raises(StockpotError, match=line):
        prepared_dataset(
            "webdataset", tmp_path / "out", path=str(tmp_path / "packed.tar")
        )
    write_shard(tmp_path / "cut.tar", members)
    (tmp_path / "cut.tar").write_bytes((tmp_path / "cut.tar").read_bytes()[:300])
    with pytest.raises(StockpotError, match=r"cut\.tar: not readable"):
        prepared_dataset("webdataset", tmp_path / "out", path=str(tmp_path / "cut.tar"))
    (tmp_path / "empty").mkdir()
    for path in ("gone.tar", "empty"):
        with pytest.raises(
            StockpotError, match=rf"own\.path: no file .*{path}, nor a folder .*tar"
        ):
            prepared_dataset("webdataset", tmp_path / "out", path=str(tmp_path / path))
    with pytest.raises(StockpotError, match=r"own\.classes: no file .*gone\.txt"):
        prepared_dataset(
            "webdataset",
            tmp_path / "out",
            path=str(tmp_path / "packed.tar"),
            classes=str(tmp_path / "gone.txt"),
        )
    (tmp_path / "twice.txt").write_text("dog\ncat\ndog\n")
    write_shard(tmp_path / "one.tar", members)
    with pytest.raises(StockpotError, match="'dog' is listed twice"):
        prepared_dataset(
            "webdataset",
            tmp_path / "out",
            path=str(tmp_path / "one.tar"),
            classes=str(tmp_path / "twice.txt"),
        )


def test_a_shard_cut_short_anywhere_is_refused(tmp_path):
    file = tmp_path / "one.tar"
    members = {}
    for i in range(4):
        members |= {f"{i}.png": encoded_colour("red"), f"{i}.txt": "ab"[i % 2]}
    write_shard(file, members)
    whole = file.read_bytes()
    with tarfile.open(file) as archive:
        starts = [member.offset for member in archive]
    for size in (
        starts[6],
        starts[6] + 200,
        starts[6] + 512,
        starts[4] + 600,
        starts[1] - 100,
    ):
        file.write_bytes(whole[:size])
        with pytest.raises(
            StockpotError, match=r"one\.tar: not readable .*(cut short|end of data)"
        ):
            known_classes("webdataset", path=str(file))
    file.write_bytes(whole + whole)
    with pytest.raises(StockpotError, match="more members follow the mark of the end"):
        known_classes("webdataset", path=str(file))
    file.write_bytes(whole + bytes(5000))
    assert known_classes("webdataset", path=str(file)) == (["a", "b"], [2, 2])


def test_what_a_shard_has_beside_its_samples_is_counted(tmp_path):
    file = tmp_path / "shards/one.tar"
    members = {
        "1.png": encoded_colour("red"),
        "1.txt": "a",
        "1.json": "{}",
        "1.seg.png": encoded_colour("red"),
        "2.jfif": encoded_colour("red", "jpeg"),
        "2.cls": "b",
        "2.txt": "a caption",
        "._2.jpg": b"x",
        "3.cls": "a",
        "README": "words",
    }
    write_shard(file, members)
    (tmp_path / "shards/notes.txt").write_text("words")
    (tmp_path / "shards/deep").mkdir()
    write_shard(tmp_path / "shards/deep/two.tar", members)
    entry = {"source": "webdataset", "path": str(tmp_path / "shards")}
    assert known_classes(**entry) == (["a", "b"], [1, 1])
    counted = {
        kind: n
        for kind, (n, _) in sources.module("webdataset").unused(entry, Path).items()
    }
    assert counted == {
        ".json": 1,
        ".seg.png": 1,
        "hidden": 1,
        "labels without an image": 1,
        ".": 1,
        ".txt beside .cls": 1,
        ".txt": 1,
        ".tar": 1,
    }
    assert "1 .seg.png (as one.tar: 1.seg.png)" in sources.unused(entry, Path)


@pytest.mark.parametrize(
    ("members", "line"),
    [
        (
            {"a.1.png": b"x", "a.1.txt": "a"},
            r"a\.1\.png is no image of a sample: .* first dot",
        ),
        (
            {"1.heic": b"x", "1.cls": "a"},
            r"1\.heic is of a kind that is not read; read are bmp",
        ),
        (
            {"1.tif": b"x", "1.cls": "a", "2.png": b"x", "2.cls": "a"},
            r"1\.tif is of a kind",
        ),
    ],
)
def test_samples_whose_image_is_not_read_are_refused(members, line, tmp_path):
    write_shard(tmp_path / "one.tar", members)
    with pytest.raises(StockpotError, match=line):
        known_classes("webdataset", path=str(tmp_path / "one.tar"))


def test_packed_shards_are_not_left_out(tmp_path):
    write_shard(tmp_path / "one.tar", {"1.png": encoded_colour("red"), "1.txt": "a"})
    write_shard(
        tmp_path / "two.tar.gz", {"2.png": encoded_colour("red"), "2.txt": "a"}, "w:gz"
    )
    entry = {"source": "webdataset", "path": str(tmp_path)}
    with pytest.raises(
        StockpotError, match=r"own\.path: 1 shards of .* as two\.tar\.gz; unpack"
    ):
        sources.module("webdataset").facts(entry, Path, "own")


def test_hostile_shards_are_one_line(tmp_path):
    """Sizes that lead back, rows of digits that regular expressions go through again and again."""
    header = tarfile.TarInfo("header")
    header.type, file = tarfile.XHDTYPE, tmp_path / "one.tar"
    for content, line in (
        (b"14 size=-1536\n", "has -1536 bytes"),
        (b"1" * 9000, "digits in a row"),
    ):
        header.size = len(content)
        start = (
            header.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)
        )
        file.write_bytes(start + tarfile.TarInfo("1.png").tobuf() + bytes(1024))
        with pytest.raises(StockpotError, match=line):
            known_classes("webdataset", path=str(file))


def test_names_that_are_not_utf_8(tmp_path):
    """They are read, split and kept in the card; only a class must be text."""
    name = os.fsdecode(b"caf\xe9")
    for label in "ab":
        paint_all(tmp_path / "in", {f"{label}/{i}.png": "red" for i in range(3)})
        os.rename(tmp_path / f"in/{label}/0.png", tmp_path / f"in/{label}/{name}.png")
    write_shard(
        tmp_path / "one.tar", {f"{name}.png": encoded_colour("red"), f"{name}.txt": "a"}
    )
    split = {"part": "train", "held_out": 1, "test": 1}
    data = prepared_dataset(
        "folder", tmp_path / "out", path=str(tmp_path / "in"), split=split
    )
    assert data.labels.tolist() == [0, 1]
    assert (
        len(
            prepared_dataset(
                "webdataset", tmp_path / "shard", path=str(tmp_path / "one.tar")
            )
        )
        == 1
    )
    (tmp_path / f"in/{name}").mkdir()
    with pytest.raises(StockpotError, match=r"the class 'caf\\xe9' has .* not UTF-8"):
        known_classes("folder", path=str(tmp_path / "in"))
