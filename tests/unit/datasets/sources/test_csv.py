"""Tests CSV lists of images."""

from pathlib import Path

import numpy as np
import pytest

from stockpot.datasets import sources
from stockpot.datasets.csv_file import read_columns
from stockpot.datasets.dataset import read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.own_data import known_classes
from tests.support.solid_colours import labelled, paint_all, prepared_dataset

pytestmark = pytest.mark.process


@pytest.fixture
def csv_list(tmp_path):
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


def test_a_csv_list(csv_list, painter):
    data = prepared_dataset("csv", csv_list.parent.parent / "out", path=str(csv_list))
    assert labelled(data) == [("red", "dog"), ("green", "cat"), ("blue", "dog")]
    assert known_classes("csv", path=str(csv_list)) == (["cat", "dog"], [1, 2])
    answered = painter.ask(
        data, ["dog", "cat"], {"red": "dog", "green": "dog", "blue": "cat"}
    )
    assert answered.correct == [True, False, False]


def test_a_csv_list_with_other_columns_elsewhere(csv_list, tmp_path):
    """As Excel saves it: with a mark at the beginning, and other ends of lines."""
    file = tmp_path / "other.csv"
    paint_all(tmp_path, {"images/2.png": "red"})
    file.write_bytes(b"\xef\xbb\xbffile, kind\r\n./1.png,7\r\n2.png,10\r\n")
    options = {
        "path_column": "file",
        "label_column": "kind",
        "image_folder": str(tmp_path / "images"),
    }
    data = prepared_dataset("csv", tmp_path / "out", path=str(file), **options)
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


def test_a_changed_csv_list_is_seen(csv_list):
    facts, entry = sources.module("csv").facts, {"source": "csv", "path": str(csv_list)}
    before = facts(entry, Path, "key")
    csv_list.write_text(csv_list.read_text().replace("dog", "fox"))
    assert facts(entry, Path, "key") != before
    assert known_classes("csv", path=str(csv_list))[0] == ["cat", "fox"]


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
            r"line 2: 3 fields, but the header has 2; put a field",
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
def test_a_wrong_csv_list_is_named(text, line, csv_list, tmp_path):
    (csv_list.parent / "linked.png").symlink_to("1.png")
    csv_list.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StockpotError, match=line) as raised:
        prepared_dataset("csv", tmp_path / "out", path=str(csv_list), duplicates="once")
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


def test_rows_of_a_csv_list_may_repeat_an_image_that_counts_each_time(
    csv_list, tmp_path
):
    csv_list.write_text("path,label\n1.png,cat\n./1.png,cat\n1.png,dog\n")
    data = prepared_dataset(
        "csv", tmp_path / "out", path=str(csv_list), duplicates="keep"
    )
    assert data.labels.tolist() == [0, 0, 1]


def test_a_missing_csv_list_is_named(csv_list, tmp_path):
    with pytest.raises(
        StockpotError, match=r"datasets\.own\.path: no file .*gone\.csv"
    ):
        prepared_dataset("csv", tmp_path / "out", path=str(tmp_path / "gone.csv"))
    with pytest.raises(
        StockpotError, match=r"own\.path: no file .*; source: folder reads a folder"
    ):
        prepared_dataset("csv", tmp_path / "out", path=str(tmp_path))
    with pytest.raises(
        StockpotError, match=r"datasets\.own\.image_folder: no folder .*gone"
    ):
        prepared_dataset(
            "csv",
            tmp_path / "out",
            path=str(csv_list),
            image_folder=str(tmp_path / "gone"),
        )
