"""Sources of users' own data: CSV lists, WebDataset shards, Parquet files."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from stockpot.datasets import sources
from stockpot.datasets.csv_file import read_columns
from stockpot.datasets.dataset import read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.datasets.sources import parquet as parquet_module
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.solid_colours import (
    COLOURS,
    Painter,
    labelled,
    made,
    paint_all,
    shown,
)

pytestmark = pytest.mark.process


def encoded(colour: str, kind: str = "png") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 36), COLOURS[colour]).save(stream, kind)
    return stream.getvalue()


def known(source: str, **entry):
    """(classes, images per class) as a plan knows them."""
    module, entry = sources.module(source), {"source": source, **entry}
    return module.classes(entry, Path), module.counts(entry, Path)


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    return Painter(tmp_path_factory.mktemp("coloured"))


def check_answers(painter, data):
    """Of a set of red dogs and green cats: all are taken for dogs."""
    answered = painter.ask(data, ["dog", "cat"], {"red": "dog", "green": "dog"})
    assert answered.names == ["dog"] * len(data)
    assert answered.correct == [colour == "red" for colour in shown(data)]


# CSV.


@pytest.fixture
def listed(tmp_path):
    """A list beside a folder of images, with an absolute path and one with spaces and a comma."""
    paint_all(
        tmp_path,
        {"images/1.png": "red", "images/a, b/2.jpg": "green", "far/3.webp": "blue"},
    )
    file = tmp_path / "images/list.csv"
    rows = [
        "path,split,label",
        "1.png,x,dog",
        '"a, b/2.jpg",x, cat ',
        f"{tmp_path}/far/3.webp,x,dog",
    ]
    file.write_text("\n".join(rows) + "\n")
    return file


def test_a_csv_list(listed, painter):
    data = made("csv", listed.parent.parent / "out", path=str(listed))
    assert labelled(data) == [("red", "dog"), ("green", "cat"), ("blue", "dog")]
    assert known("csv", path=str(listed)) == (["cat", "dog"], [1, 2])
    answered = painter.ask(
        data, ["dog", "cat"], {"red": "dog", "green": "dog", "blue": "cat"}
    )
    assert answered.correct == [True, False, False]


def test_a_csv_list_with_other_columns_elsewhere(listed, tmp_path):
    """As Excel saves it: with a mark at the beginning, and other ends of lines."""
    file = tmp_path / "other.csv"
    paint_all(tmp_path, {"images/2.png": "red"})
    file.write_bytes(b"\xef\xbb\xbffile, kind\r\n./1.png,7\r\n2.png,10\r\n")
    options = {
        "path_column": "file",
        "label_column": "kind",
        "image_folder": str(tmp_path / "images"),
    }
    data = made("csv", tmp_path / "out", path=str(file), **options)
    assert labelled(data) == [("red", "7"), ("red", "10")]
    assert data.class_names == [
        "10",
        "7",
    ]


def test_a_csv_list_can_be_split(tmp_path):
    paint_all(tmp_path, {f"{i}.png": "red" for i in range(20)})
    lines = ["path,label", *(f"{i}.png,{'ab'[i % 2]}" for i in range(20))]
    (tmp_path / "list.csv").write_text("\n".join(lines))
    entry = {"source": "csv", "path": str(tmp_path / "list.csv"), "duplicates": "keep"}
    for part, n in (("held-out", 2), ("test", 4), ("train", 14)):
        own = {**entry, "split": {"part": part}}
        assert sum(sources.counts(own, Path)) == n
        spec = encoded_spec(**own) | sources.module("csv").facts(own, Path, "key")
        prepare(tmp_path / part, spec)
        assert (
            np.bincount(read_dataset(tmp_path / part).labels).tolist() == [n // 2] * 2
        )


def test_a_changed_csv_list_is_seen(listed):
    facts, entry = sources.module("csv").facts, {"source": "csv", "path": str(listed)}
    before = facts(entry, Path, "key")
    listed.write_text(listed.read_text().replace("dog", "fox"))
    assert facts(entry, Path, "key") != before
    assert known("csv", path=str(listed))[0] == ["cat", "fox"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "file,label\n1.png,a\n",
            r"no column 'path'; there are file, label \(path_column",
        ),
        (
            "path,kind\n1.png,a\n",
            r"list\.csv: no column 'label'; .*\(label_column names another",
        ),
        (
            "path;label\n1.png;a\n",
            r"there are path;label .*; columns are separated by commas here",
        ),
        ("", r"no column 'path'; there are none"),
        ("path,label\n", r"list\.csv: no rows below the header"),
        ("path,label\n1.png,a\n\n1.png, \n", r"list\.csv, line 4: no label"),
        ("path,label\n1.png\n", r"list\.csv, line 2: no label"),
        ("path,label\n,a\n", r"list\.csv, line 2: no path"),
        (
            "path,label\n1.png,a\n9.png,b\n",
            r"list\.csv, line 3: no file .*images/9\.png",
        ),
        (
            "path,label\n../far/3.webp,a\n",
            r"line 2: \.\./far/3\.webp leads out of .*images;",
        ),
        ("path,label\nx/../../far/3.webp,a\n", r"line 2: .* leads out of"),
        ("path,label\n/nowhere/3.webp,a\n", r"line 2: no file /nowhere/3\.webp"),
        (b"path,label\n1.png,caf\xe9\n", r"line 2: .* 0xe9 is 'é' in .*cp1252"),
        (
            "path,label\n1.png,a\n".encode("utf-16"),
            r"list\.csv: is UTF-16; save it as UTF-8",
        ),
        (
            "path,label\n1.png,a\n".encode("utf-16-le"),
            r"line 1: has a zero byte; is it UTF-16",
        ),
        ("path,label\n1.png,a\n9.png,\0\n", r"list\.csv, line 3: has a zero byte"),
        (
            'path,label,x\n1.png,a,"5 inch\n2.png,b,x\n',
            r"line 2: a row begins .*quote not closed",
        ),
        (
            'path,label,x\n1.png,a,"5 inch\n2.png,b,"x\n',
            r"line 2: a .* begins .*quote not closed",
        ),
        (
            'path,label\n1.png,"a\nb"\n',
            r"line 2: a field that begins here goes on to line 3",
        ),
        (
            'path,label,x\n1.png,a,"5 inch\n2.png,b,6"\n',
            r"line 2: a field .* goes on to line 3",
        ),
        (
            'path,x,label\n1.png,"5 inch,a\n2.png,6 inch",b\n',
            r"line 2: .* goes on to line 3",
        ),
        (
            'path,label,x\n1.png,a,"5\n2.png,b,\n2.png,b,6"\n',
            r"line 2: .* goes on to line 4",
        ),
        (
            'path,label,"x\n1.png,a,6"\n',
            r"line 1: a field that begins here goes on to line 2",
        ),
        (
            'path,label,x\n1.png,a,"5 inch\n2.png,b,6\n',
            r"line 2: .* that cannot be read",
        ),
        ('path,label\n1.png,"a"b\n', r"line 2: a row begins here that cannot be read"),
        (
            "path,label\n1.png,a, b\n",
            r"line 2: 3 fields, but the header has 2; a field",
        ),
        ("path,label,label\n1.png,a,b\n", r"list\.csv: has 2 columns 'label'"),
        (
            "path,label\n" + 300 * "x" + ".png,a\n",
            r"line 2: no file .*\(File name too long\)",
        ),
        (
            "path,label\n1.png,a\n" + "y" * 200_000 + ",a\n",
            r"line 3: a row .*field larger",
        ),
        (
            "path,label\n1.png,a\n./1.png,a\n",
            r"line 3: \./1\.png is the image of line 2 .1\.png. again, and",
        ),
        (
            "path,label\n1.png,a\n1.png,b\n1.png,a\n",
            r"line 3: 1\.png is the image of line 2 again, with the label 'b' and not 'a', "
            r".*2 rows",
        ),
        (
            "path,label\nlinked.png,a\n1.png,b\n",
            r"line 3: 1\.png is the image of line 2 .linked\.png. again, with",
        ),
        (
            "path,label\n1.png,a\x1b[2Jb\n",
            r"line 2: the class 'a\\x1b\[2Jb' has a line break",
        ),
        ("path,label\n.,a\n", r"line 2: .* leads out of|line 2: \. is no file"),
    ],
)
def test_a_wrong_csv_list_is_named(text, line, listed, tmp_path):
    (listed.parent / "linked.png").symlink_to("1.png")
    listed.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StockpotError, match=line) as raised:
        made("csv", tmp_path / "out", path=str(listed), duplicates="once")
    assert len(str(raised.value)) <= 500
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        'path,label,note\n1.png,a,"big,\nred"\n9.png,b,\n',
        'note,path,label\n"big\r\n\r\nred",1.png,a\r\nx,9.png,b\r\n',
        'path,note,label\n1.png,"big\nred",a\n9.png,"a ""b""\nc, d",b\n',
        'path,label,"note\n(free)"\n1.png,a,\n9.png,b,\n',
    ],
)
def test_a_note_may_have_line_breaks(text, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(text, newline="")
    rows = read_columns(file, {"path": "", "label": ""})
    assert [values for _, values in rows] == [["1.png", "a"], ["9.png", "b"]]
    assert rows[1][0] == text[: text.index("9.png")].count("\n") + 1


def test_rows_of_a_csv_list_may_repeat_an_image_that_counts_each_time(listed, tmp_path):
    listed.write_text("path,label\n1.png,cat\n./1.png,cat\n1.png,dog\n")
    data = made("csv", tmp_path / "out", path=str(listed), duplicates="keep")
    assert data.labels.tolist() == [0, 0, 1]


def test_a_missing_csv_list_is_named(listed, tmp_path):
    with pytest.raises(
        StockpotError, match=r"datasets\.own\.path: no file .*gone\.csv"
    ):
        made("csv", tmp_path / "out", path=str(tmp_path / "gone.csv"))
    with pytest.raises(
        StockpotError, match=r"own\.path: no file .*; source: folder reads a folder"
    ):
        made("csv", tmp_path / "out", path=str(tmp_path))
    with pytest.raises(
        StockpotError, match=r"datasets\.own\.image_folder: no folder .*gone"
    ):
        made(
            "csv",
            tmp_path / "out",
            path=str(listed),
            image_folder=str(tmp_path / "gone"),
        )


# WebDataset.


def shard(file: Path, members: dict[str, bytes | str], mode: str = "w") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, mode) as archive:
        for name, content in members.items():
            content = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def animals(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("cat\ndog\n")
    return str(file)


def test_shards_with_numbers(tmp_path, animals, painter):
    shards = tmp_path / "shards"
    shard(
        shards / "b-000001.tar",
        {
            "x/0003.jpg": encoded("green", "jpeg"),
            "x/0003.cls": "0",
            "x/0003.json": "{}",
        },
    )
    shard(
        shards / "b-000000.tar",
        {
            # The label first, and a caption that is no label where there is a number.
            "0001.cls": b"1\n",
            "0001.png": encoded("red"),
            "0001.txt": "a red dog",
            "0002.cls": "0",
            "0002.WEBP": encoded("green", "webp"),
            "0002.seg.png": encoded("blue"),
            "._0002.png": b"",
        },
    )
    options = {"path": str(shards), "classes": animals}
    data = made("webdataset", tmp_path / "out", **options)
    assert labelled(data) == [("red", "dog"), ("green", "cat"), ("green", "cat")]
    assert known("webdataset", **options) == (["cat", "dog"], [2, 1])
    check_answers(painter, data)


def test_a_shard_with_names(tmp_path):
    file = tmp_path / "one.tar"
    shard(
        file,
        {
            "1.png": encoded("red"),
            "1.txt": "dog\n",
            "2.png": encoded("green"),
            "2.cls": "cat",
        },
    )
    data = made("webdataset", tmp_path / "out", path=str(file))
    assert labelled(data) == [("red", "dog"), ("green", "cat")]
    assert known("webdataset", path=str(file)) == (["cat", "dog"], [1, 1])


def test_equal_keys_of_two_folders_are_two_samples(tmp_path):
    file = tmp_path / "one.tar"
    shard(
        file,
        {
            "a/1.png": encoded("red"),
            "a/1.txt": "dog",
            "b/1.png": encoded("green"),
            "b/1.txt": "cat",
        },
    )
    data = made("webdataset", tmp_path / "out", path=str(file))
    assert labelled(data) == [("red", "dog"), ("green", "cat")]


def test_members_never_touch_the_disk(tmp_path):
    file = tmp_path / "in/evil.tar"
    shard(
        file,
        {
            "../../escaped.png": encoded("red"),
            "../../escaped.txt": "dog",
            f"{tmp_path}/absolute.png": encoded("green"),
            f"{tmp_path}/absolute.txt": "cat",
        },
    )
    with tarfile.open(file, "a") as archive:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    before = {path for path in tmp_path.rglob("*")}
    data = made("webdataset", tmp_path / "out", path=str(file))
    assert labelled(data) == [("red", "dog"), ("green", "cat")]
    new = {
        path
        for path in tmp_path.rglob("*")
        if not path.is_relative_to(tmp_path / "out")
    }
    assert new == before


def test_a_changed_shard_is_seen(tmp_path):
    file = tmp_path / "one.tar"
    shard(file, {"1.png": encoded("red"), "1.txt": "dog"})
    entry = {"source": "webdataset", "path": str(file)}
    before, names = sources.module("webdataset").facts(entry, Path, "key"), ["dog"]
    assert known("webdataset", path=str(file)) == (names, [1])
    shard(file, {"1.png": encoded("red"), "1.txt": "fox"})
    os.utime(file, ns=(1, 1))
    assert sources.module("webdataset").facts(entry, Path, "key") != before
    assert known("webdataset", path=str(file)) == (["fox"], [1])


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
def test_a_wrong_shard_is_named(members, classes, line, tmp_path, animals):
    shard(tmp_path / "one.tar", members)
    options = {"classes": animals} if classes else {}
    with pytest.raises(StockpotError, match=line):
        made("webdataset", tmp_path / "out", path=str(tmp_path / "one.tar"), **options)


def test_other_files_are_no_shards(tmp_path, animals):
    members = {"1.png": encoded("red"), "1.txt": "dog"}
    shard(tmp_path / "packed.tar", members, "w:gz")
    line = r"packed\.tar: not readable .*; a shard is an uncompressed, whole tar file"
    with pytest.raises(StockpotError, match=line):
        made("webdataset", tmp_path / "out", path=str(tmp_path / "packed.tar"))
    shard(tmp_path / "cut.tar", members)
    (tmp_path / "cut.tar").write_bytes((tmp_path / "cut.tar").read_bytes()[:300])
    with pytest.raises(StockpotError, match=r"cut\.tar: not readable"):
        made("webdataset", tmp_path / "out", path=str(tmp_path / "cut.tar"))
    (tmp_path / "empty").mkdir()
    for path in ("gone.tar", "empty"):
        with pytest.raises(
            StockpotError, match=rf"own\.path: no file .*{path}, nor a folder .*tar"
        ):
            made("webdataset", tmp_path / "out", path=str(tmp_path / path))
    with pytest.raises(StockpotError, match=r"own\.classes: no file .*gone\.txt"):
        made(
            "webdataset",
            tmp_path / "out",
            path=str(tmp_path / "packed.tar"),
            classes=str(tmp_path / "gone.txt"),
        )
    (tmp_path / "twice.txt").write_text("dog\ncat\ndog\n")
    shard(tmp_path / "one.tar", members)
    with pytest.raises(StockpotError, match="'dog' is listed twice"):
        made(
            "webdataset",
            tmp_path / "out",
            path=str(tmp_path / "one.tar"),
            classes=str(tmp_path / "twice.txt"),
        )


def test_a_shard_cut_short_anywhere_is_refused(tmp_path):
    file = tmp_path / "one.tar"
    members = {}
    for i in range(4):
        members |= {f"{i}.png": encoded("red"), f"{i}.txt": "ab"[i % 2]}
    shard(file, members)
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
            known("webdataset", path=str(file))
    file.write_bytes(whole + whole)
    with pytest.raises(StockpotError, match="more members follow the mark of the end"):
        known("webdataset", path=str(file))
    file.write_bytes(whole + bytes(5000))
    assert known("webdataset", path=str(file)) == (["a", "b"], [2, 2])


def test_what_a_shard_has_beside_its_samples_is_counted(tmp_path):
    file = tmp_path / "shards/one.tar"
    members = {
        "1.png": encoded("red"),
        "1.txt": "a",
        "1.json": "{}",
        "1.seg.png": encoded("red"),
        "2.jfif": encoded("red", "jpeg"),
        "2.cls": "b",
        "2.txt": "a caption",
        "._2.jpg": b"x",
        "3.cls": "a",
        "README": "words",
    }
    shard(file, members)
    (tmp_path / "shards/notes.txt").write_text("words")
    (tmp_path / "shards/deep").mkdir()
    shard(tmp_path / "shards/deep/two.tar", members)
    entry = {"source": "webdataset", "path": str(tmp_path / "shards")}
    assert known(**entry) == (["a", "b"], [1, 1])
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
    shard(tmp_path / "one.tar", members)
    with pytest.raises(StockpotError, match=line):
        known("webdataset", path=str(tmp_path / "one.tar"))


def test_packed_shards_are_not_left_out(tmp_path):
    shard(tmp_path / "one.tar", {"1.png": encoded("red"), "1.txt": "a"})
    shard(tmp_path / "two.tar.gz", {"2.png": encoded("red"), "2.txt": "a"}, "w:gz")
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
            known("webdataset", path=str(file))


def test_names_that_are_not_utf_8(tmp_path):
    """They are read, split and kept in the card; only a class must be text."""
    name = os.fsdecode(b"caf\xe9")
    for label in "ab":
        paint_all(tmp_path / "in", {f"{label}/{i}.png": "red" for i in range(3)})
        os.rename(tmp_path / f"in/{label}/0.png", tmp_path / f"in/{label}/{name}.png")
    shard(tmp_path / "one.tar", {f"{name}.png": encoded("red"), f"{name}.txt": "a"})
    split = {"part": "train", "held_out": 1, "test": 1}
    data = made("folder", tmp_path / "out", path=str(tmp_path / "in"), split=split)
    assert data.labels.tolist() == [0, 1]
    assert (
        len(made("webdataset", tmp_path / "shard", path=str(tmp_path / "one.tar"))) == 1
    )
    (tmp_path / f"in/{name}").mkdir()
    with pytest.raises(StockpotError, match=r"the class 'caf\\xe9' has .* not UTF-8"):
        known("folder", path=str(tmp_path / "in"))


def test_names_of_files_never_break_a_line_of_the_log(tmp_path):
    name = os.fsdecode(b"caf\xe9\nerror: \x1b[2J")
    paint_all(tmp_path / "in", {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / f"in/b/{name}.png").write_bytes(b"no image")
    with pytest.raises(StockpotError) as raised:
        made("folder", tmp_path / "out", path=str(tmp_path / "in"))
    assert r"b/caf\xe9\nerror: \x1b[2J.png: not a readable image" in str(raised.value)
    assert str(raised.value).isprintable()


# Folders.


def names_of_line(folder: Path) -> str:
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
    data = made("folder", tmp_path / "out", path=str(tmp_path / "in"))
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
    made("folder", tmp_path / "out", path=str(tmp_path / "in"))
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
    assert f"1 images, as {tmp_path}/b/2.{kind}, are of a kind" in names_of_line(
        tmp_path
    )


def test_tables_of_published_sets_are_read_strictly(tmp_path):
    from stockpot.datasets.sources._published import read_csv

    file = tmp_path / "metadata.csv"
    file.write_bytes('\ufeffname,label\r\nä,"1"\r\n'.encode())
    assert list(read_csv(file, "label", "name")) == [["1", "ä"]]
    file.write_text('name,label\na,"1\nb,2\n')
    with pytest.raises(StockpotError, match=r"metadata\.csv: not readable \("):
        list(read_csv(file, "label"))
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(StockpotError, match=r"pipe\.csv: it is a pipe"):
        list(read_csv(tmp_path / "pipe.csv", "label"))


def test_other_kinds_of_images_are_refused_in_published_sets_too(tmp_path):
    from stockpot.datasets.sources._published import in_folders

    paint_all(tmp_path, {"n1/1.JPEG": "red"})
    assert in_folders(tmp_path, {"n1": "n1"}) == [("n1/1.JPEG", "n1")]
    (tmp_path / "n1/2.tif").write_bytes(b"x")
    with pytest.raises(
        StockpotError, match=r"n1/2\.tif: an image of a kind that is not read"
    ):
        in_folders(tmp_path, {"n1": "n1"})


@pytest.mark.parametrize("name", ["2", "2.jpg_large", "2.png.1"])
def test_images_without_a_known_suffix_are_refused(name, tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / "b" / name).write_bytes(encoded("red", "jpeg"))
    assert f"1 images, as {tmp_path}/b/{name}, have a name" in names_of_line(tmp_path)


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
    assert line.format(tmp_path) in names_of_line(tmp_path)


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
    assert known("folder", path=str(tmp_path)) == (["cat", "dog"], [2, 2])


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
    assert f"1 images, as {tmp_path}/b/2, have a name" in names_of_line(tmp_path)


def test_a_link_that_leads_nowhere_is_counted_or_refused(tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "red"})
    (tmp_path / "b/notes").symlink_to("nowhere")
    entry = {"source": "folder", "path": str(tmp_path)}
    assert sources.module("folder").facts(entry, Path, "own")["files"]
    assert sources.unused(entry, Path) == "1 without suffix (as b/notes)"
    (tmp_path / "b/2.png").symlink_to("nowhere")
    assert f"cannot read {tmp_path}/b/2.png" in names_of_line(tmp_path)


def test_a_file_under_two_classes_is_refused(tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "green"})
    (tmp_path / "b/linked.png").symlink_to(tmp_path / "a/1.png")
    assert (
        "a/1.png and b/linked.png are one file, so the image would count under two classes"
        in (names_of_line(tmp_path))
    )
    entry = {"source": "folder", "path": str(tmp_path), "duplicates": "keep"}
    assert sources.module("folder").facts(entry, Path, "own")["files"]


def test_a_file_that_links_lead_to_twice_counts_once(tmp_path):
    folder = paint_all(tmp_path / "in", {"a/1.png": "red", "b/1.png": "green"})
    os.link(folder / "b/1.png", folder / "b/again.png")
    once = made("folder", tmp_path / "once", path=str(folder), duplicates="once")
    assert labelled(once) == [("red", "a"), ("green", "b")]
    keep = made("folder", tmp_path / "keep", path=str(folder), duplicates="keep")
    assert labelled(keep) == [("red", "a"), ("green", "b"), ("green", "b")]


def test_folders_that_link_to_each_other_are_entered_once(tmp_path):
    for one in range(12):
        paint_all(tmp_path, {f"a/{one}/1.png": "red"})
        for other in range(12):
            (tmp_path / f"a/{one}/to{other}").symlink_to(tmp_path / f"a/{other}")
    paint_all(tmp_path, {"b/1.png": "red"})
    assert known("folder", path=str(tmp_path)) == (["a", "b"], [12, 1])


def test_pipes_are_refused_and_not_opened(tmp_path):
    paint_all(tmp_path, {"a/1.png": "red", "b/1.png": "green"})
    os.mkfifo(tmp_path / "b/2.png")
    assert "b/2.png: is a pipe, a socket or a device" in names_of_line(tmp_path)
    (tmp_path / "list.csv").write_text("path,label\nb/2.png,a\n")
    with pytest.raises(StockpotError, match=r"list\.csv, line 2: b/2\.png is no file"):
        made("csv", tmp_path / "out", path=str(tmp_path / "list.csv"))
    for source, name in (("webdataset", "one.tar"), ("parquet", "a.parquet")):
        os.mkfifo(tmp_path / name)
        with pytest.raises(StockpotError, match="it is a pipe, not a file"):
            known(source, path=str(tmp_path / name))


# Parquet.

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def hugging_face(
    file: Path, rows: list[tuple[str, int]], names=("cat", "dog"), group: int = 2
):
    """A shard as the datasets library writes it."""
    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(names), "_type": "ClassLabel"},
    }
    table = pa.table(
        {
            "image": pa.array(
                [
                    {"bytes": encoded(colour), "path": f"{colour}.png"}
                    for colour, _ in rows
                ],
                IMAGE,
            ),
            "label": pa.array([label for _, label in rows], pa.int64()),
        }
    )
    described = json.dumps({"info": {"features": features}})
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table.replace_schema_metadata({"huggingface": described}),
        file,
        row_group_size=group,
    )


def test_shards_of_hugging_face(tmp_path, painter):
    """Rows of several groups; the test shards alone."""
    rows = [("red", 1), ("green", 0), ("green", 0), ("red", 1), ("red", 1)]
    hugging_face(tmp_path / "data/test-00000-of-00002.parquet", rows)
    hugging_face(tmp_path / "data/test-00001-of-00002.parquet", rows[1:2])
    hugging_face(tmp_path / "data/train-00000-of-00001.parquet", [("blue", 0)])
    options = {"path": str(tmp_path), "glob": "data/test-*.parquet"}
    data = made("parquet", tmp_path / "out", **options)
    expected = [(colour, ["cat", "dog"][label]) for colour, label in [*rows, rows[1]]]
    assert labelled(data) == expected
    assert known("parquet", **options) == (["cat", "dog"], [3, 3])
    check_answers(painter, data)
    entry = {"source": "parquet", **options}
    train = {**entry, "glob": "data/train-*.parquet"}
    assert sources.identity(train, Path) != sources.identity(entry, Path)
    one = str(tmp_path / "data/train-00000-of-00001.parquet")
    assert labelled(made("parquet", tmp_path / "one", path=one)) == [("blue", "cat")]
    assert len(made("parquet", tmp_path / "all", path=str(tmp_path))) == 7


@pytest.mark.parametrize("kind", ["struct", "binary", "large_binary"])
def test_an_image_of_many_rows_is_in_memory_once(kind, tmp_path):
    """A file holds equal values once, so a small one may have any number of large rows."""
    image = os.urandom(1 << 16)
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    column = {
        "struct": pa.array([{"bytes": image, "path": "x"}] * 500, struct),
        "binary": pa.array([image] * 500, pa.binary()),
        "large_binary": pa.array([image] * 500, pa.large_binary()),
    }[kind]
    pq.write_table(pa.table({"image": column}), tmp_path / "a.parquet")
    values = parquet_module._values(str(tmp_path / "a.parquet"), "image", 0)
    value = values[499].as_py()
    assert (value["bytes"] if kind == "struct" else value) == image
    assert values.nbytes < 10 * len(image)


def test_images_that_unpack_to_too_much_are_refused(tmp_path, monkeypatch):
    table = pa.table({"image": [bytes(1 << 20)], "label": ["a"]})
    pq.write_table(
        table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False
    )
    monkeypatch.setattr(parquet_module, "memory_limit", lambda size: 50 * size)
    with pytest.raises(
        StockpotError, match=r"a\.parquet: the images of its row group 0 are 1 MB"
    ):
        parquet_module._groups(tmp_path / "a.parquet", "image")


def test_groups_are_read_once_by_all_threads(tmp_path, monkeypatch):
    hugging_face(tmp_path / "a.parquet", [("red", 0), ("green", 1)] * 12, group=12)
    read, groups = pq.ParquetFile.read_row_group, []
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_group",
        lambda self, group, **kw: groups.append(group) or read(self, group, **kw),
    )
    data = made("parquet", tmp_path / "out", path=str(tmp_path / "a.parquet"))
    assert shown(data) == ["red", "green"] * 12
    assert groups == [0, 1]


def write(file: Path, **columns) -> str:
    pq.write_table(pa.table(columns), file)
    return str(file)


def test_plain_bytes_and_names(tmp_path):
    images = pa.array([encoded("red"), encoded("green", "jpeg")], pa.large_binary())
    path = write(tmp_path / "a.parquet", picture=images, kind=["dog", "cat"])
    options = {"image_column": "picture", "label_column": "kind"}
    data = made("parquet", tmp_path / "out", path=path, **options)
    assert labelled(data) == [("red", "dog"), ("green", "cat")]
    assert data.class_names == ["cat", "dog"]


def test_numbers_with_a_list_of_classes(tmp_path, animals):
    path = write(tmp_path / "a.parquet", image=[encoded("red")], label=[1])
    data = made("parquet", tmp_path / "out", path=path, classes=animals)
    assert labelled(data) == [("red", "dog")]
    # The list goes before what the file says.
    hugging_face(tmp_path / "b.parquet", [("red", 1)], names=("x", "y"))
    data = made(
        "parquet", tmp_path / "b", path=str(tmp_path / "b.parquet"), classes=animals
    )
    assert labelled(data) == [("red", "dog")]


def test_a_changed_list_of_classes_is_seen(tmp_path, animals):
    path = write(tmp_path / "a.parquet", image=[encoded("red")], label=[1])
    entry = {"source": "parquet", "path": path, "classes": animals}
    before = sources.module("parquet").facts(entry, Path, "key")
    Path(animals).write_text("cat\nfox\n")
    assert sources.module("parquet").facts(entry, Path, "key") != before


PNG = b"\x89PNG"
WRONG = {
    "no image column": (
        {"img": [PNG], "label": ["a"]},
        r"'image'; there are img, label \(image_c",
    ),
    "no label column": (
        {"image": [PNG], "y": [0]},
        r"no column 'label'; .* \(label_column names",
    ),
    "numbers": (
        {"image": [PNG], "label": [0]},
        r"a\.parquet, row 0: the label 0 is a number",
    ),
    "no label": (
        {"image": [PNG, PNG], "label": ["a", None]},
        r"row 1: the label is None, no name",
    ),
    "halves": (
        {"image": [PNG], "label": [0.5]},
        r"row 0: the label is 0\.5, no name or number",
    ),
    "paths": (
        {"image": ["1.png"], "label": ["a"]},
        r"the column 'image' is string, not bytes",
    ),
    "paths alone": (
        {"image": [{"path": "1.png"}], "label": ["a"]},
        r"the column 'image' is struct.*not bytes",
    ),
    "no bytes": (
        {"image": pa.array([{"bytes": None, "path": "1.png"}], IMAGE), "label": ["a"]},
        r"row 0 of group 0: not a readable image \(the column 'image' has no bytes here",
    ),
    "no image": (
        {"image": [PNG], "label": ["a"]},
        r"row 0 of group 0: not a readable image",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_parquet_file_is_named(what, tmp_path):
    columns, line = WRONG[what]
    path = write(tmp_path / "a.parquet", **columns)
    with pytest.raises(StockpotError, match=line):
        made("parquet", tmp_path / "out", path=path)


def test_a_column_without_images_is_seen_before_the_work(tmp_path):
    path = write(tmp_path / "a.parquet", image=["1.png"], label=["a"])
    with pytest.raises(StockpotError, match="the column 'image' is string, not bytes"):
        sources.module("parquet").facts(
            {"source": "parquet", "path": path}, Path, "key"
        )


def test_labels_beyond_the_names_are_named(tmp_path):
    """As -1, of a test set whose labels are withheld."""
    for label in (-1, 2):
        hugging_face(tmp_path / "a.parquet", [("red", label)])
        with pytest.raises(
            StockpotError, match=rf"row 0: the label {label} is not 0 to 1"
        ):
            made("parquet", tmp_path / "out", path=str(tmp_path / "a.parquet"))


def test_other_files_are_no_parquet(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(
        StockpotError, match=r"a\.parquet: not readable .*a Parquet file is wanted"
    ):
        made("parquet", tmp_path / "out", path=str(tmp_path / "a.parquet"))
    with pytest.raises(
        StockpotError, match=r"own\.path: no file .*gone, nor a folder that holds \*"
    ):
        made("parquet", tmp_path / "out", path=str(tmp_path / "gone"))
