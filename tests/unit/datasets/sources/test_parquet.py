"""Tests Parquet files of images."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stockpot.datasets import sources
from stockpot.datasets.sources import parquet as parquet_module
from stockpot.runtime.errors import StockpotError
from tests.support.own_data import check_answers, encoded_colour, known_classes
from tests.support.solid_colours import labelled, prepared_dataset, shown_colours

pytestmark = pytest.mark.process


IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_hugging_face(
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
                    {"bytes": encoded_colour(colour), "path": f"{colour}.png"}
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
    write_hugging_face(tmp_path / "data/test-00000-of-00002.parquet", rows)
    write_hugging_face(tmp_path / "data/test-00001-of-00002.parquet", rows[1:2])
    write_hugging_face(tmp_path / "data/train-00000-of-00001.parquet", [("blue", 0)])
    options = {"path": str(tmp_path), "glob": "data/test-*.parquet"}
    data = prepared_dataset("parquet", tmp_path / "out", **options)
    expected = [(colour, ["cat", "dog"][label]) for colour, label in [*rows, rows[1]]]
    assert labelled(data) == expected
    assert known_classes("parquet", **options) == (["cat", "dog"], [3, 3])
    check_answers(painter, data)
    entry = {"source": "parquet", **options}
    train = {**entry, "glob": "data/train-*.parquet"}
    assert sources.identity(train, Path) != sources.identity(entry, Path)
    one = str(tmp_path / "data/train-00000-of-00001.parquet")
    assert labelled(prepared_dataset("parquet", tmp_path / "one", path=one)) == [
        ("blue", "cat")
    ]
    assert len(prepared_dataset("parquet", tmp_path / "all", path=str(tmp_path))) == 7


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
    write_hugging_face(
        tmp_path / "a.parquet", [("red", 0), ("green", 1)] * 12, group=12
    )
    read, groups = pq.ParquetFile.read_row_group, []
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_group",
        lambda self, group, **kw: groups.append(group) or read(self, group, **kw),
    )
    data = prepared_dataset(
        "parquet", tmp_path / "out", path=str(tmp_path / "a.parquet")
    )
    assert shown_colours(data) == ["red", "green"] * 12
    assert groups == [0, 1]


def write_parquet(file: Path, **columns) -> str:
    pq.write_table(pa.table(columns), file)
    return str(file)


def test_plain_bytes_and_names(tmp_path):
    images = pa.array(
        [encoded_colour("red"), encoded_colour("green", "jpeg")], pa.large_binary()
    )
    path = write_parquet(tmp_path / "a.parquet", picture=images, kind=["dog", "cat"])
    options = {"image_column": "picture", "label_column": "kind"}
    data = prepared_dataset("parquet", tmp_path / "out", path=path, **options)
    assert labelled(data) == [("red", "dog"), ("green", "cat")]
    assert data.class_names == ["cat", "dog"]


def test_numbers_with_a_list_of_classes(tmp_path, class_list):
    path = write_parquet(
        tmp_path / "a.parquet", image=[encoded_colour("red")], label=[1]
    )
    data = prepared_dataset("parquet", tmp_path / "out", path=path, classes=class_list)
    assert labelled(data) == [("red", "dog")]
    # The list goes before what the file says.
    write_hugging_face(tmp_path / "b.parquet", [("red", 1)], names=("x", "y"))
    data = prepared_dataset(
        "parquet", tmp_path / "b", path=str(tmp_path / "b.parquet"), classes=class_list
    )
    assert labelled(data) == [("red", "dog")]


def test_a_changed_list_of_classes_is_seen(tmp_path, class_list):
    path = write_parquet(
        tmp_path / "a.parquet", image=[encoded_colour("red")], label=[1]
    )
    entry = {"source": "parquet", "path": path, "classes": class_list}
    before = sources.module("parquet").facts(entry, Path, "key")
    Path(class_list).write_text("cat\nfox\n")
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
    path = write_parquet(tmp_path / "a.parquet", **columns)
    with pytest.raises(StockpotError, match=line):
        prepared_dataset("parquet", tmp_path / "out", path=path)


def test_a_column_without_images_is_seen_before_the_work(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", image=["1.png"], label=["a"])
    with pytest.raises(StockpotError, match="the column 'image' is string, not bytes"):
        sources.module("parquet").facts(
            {"source": "parquet", "path": path}, Path, "key"
        )


def test_labels_beyond_the_names_are_named(tmp_path):
    """As -1, of a test set whose labels are withheld."""
    for label in (-1, 2):
        write_hugging_face(tmp_path / "a.parquet", [("red", label)])
        with pytest.raises(
            StockpotError, match=rf"row 0: the label {label} is not 0 to 1"
        ):
            prepared_dataset(
                "parquet", tmp_path / "out", path=str(tmp_path / "a.parquet")
            )


def test_other_files_are_no_parquet(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(
        StockpotError, match=r"a\.parquet: not readable .*a Parquet file is wanted"
    ):
        prepared_dataset("parquet", tmp_path / "out", path=str(tmp_path / "a.parquet"))
    with pytest.raises(
        StockpotError, match=r"own\.path: no file .*gone, nor a folder that holds \*"
    ):
        prepared_dataset("parquet", tmp_path / "out", path=str(tmp_path / "gone"))
