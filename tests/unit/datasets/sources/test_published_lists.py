"""Tests published sets whose parts are lists of files."""

import json

import numpy as np
import pytest

from stockpot.runtime.errors import StockpotError
from tests.support.solid_colours import labelled, paint_all, prepared_dataset


def cars_files(folder):
    from scipy.io import savemat

    def annotations(file, rows):
        kinds = [(name, "f8") for name in ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")]
        found = np.zeros((1, len(rows)), [*kinds, ("class", "f8"), ("fname", "O")])
        for place, (name, number) in enumerate(rows):
            found[0, place]["fname"], found[0, place]["class"] = name, number
        file.parent.mkdir(exist_ok=True)
        savemat(file, {"annotations": found})

    annotations(
        folder / "devkit/cars_train_annos.mat", [("00001.jpg", 14), ("00002.jpg", 1)]
    )
    annotations(folder / "cars_test_annos_withlabels.mat", [("00001.jpg", 196)])
    annotations(folder / "devkit/cars_test_annos.mat", [("00001.jpg", 1)])
    return {
        "cars_train/00001.jpg": "red",
        "cars_train/00002.jpg": "green",
        "cars_test/00001.jpg": "blue",
    }


def dtd_files(folder):
    (folder / "labels").mkdir()
    for name, line in (
        ("train1", "banded/banded_0002.jpg\nzigzagged/z.jpg\n"),
        ("val1", "banded/b.jpg\n"),
        ("test1", "zigzagged/z.jpg"),
        ("test10", "banded/b.jpg\nzigzagged/z.jpg"),
    ):
        (folder / f"labels/{name}.txt").write_text(line)
    return {
        "images/banded/banded_0002.jpg": "red",
        "images/zigzagged/z.jpg": "green",
        "images/banded/b.jpg": "blue",
    }


def sun397_files(folder):
    for name, line in (
        ("Training_01", "/a/abbey/sun_1.jpg\n/c/church/outdoor/sun_2.jpg\n"),
        ("Testing_01", "/a/abbey/sun_3.jpg\n"),
        ("Testing_10", "/c/church/outdoor/sun_2.jpg\n"),
        ("Training_10", ""),
    ):
        (folder / f"{name}.txt").write_text(line)
    return {
        "SUN397/a/abbey/sun_1.jpg": "red",
        "SUN397/c/church/outdoor/sun_2.jpg": "green",
        "SUN397/a/abbey/sun_3.jpg": "blue",
    }


def food101_files(folder):
    (folder / "meta").mkdir()
    lists = {
        "train": {"waffles": ["waffles/2"], "apple_pie": ["apple_pie/1"]},
        "test": {"waffles": ["waffles/3"]},
    }
    for part, images in lists.items():
        (folder / f"meta/{part}.json").write_text(json.dumps(images))
    return {
        "images/apple_pie/1.jpg": "red",
        "images/waffles/2.jpg": "green",
        "images/waffles/3.jpg": "blue",
    }


CLASS_TEXTS = {
    "14": "Audi TTS Coupe 2012",
    "1": "AM General Hummer SUV 2000",
    "196": "smart fortwo Convertible 2012",
}

CHURCH = "/c/church/outdoor"

LISTED = {
    "cars": (
        cars_files,
        "stanford_cars",
        {
            "train": [("red", CLASS_TEXTS["14"]), ("green", CLASS_TEXTS["1"])],
            "test": [("blue", CLASS_TEXTS["196"])],
        },
        "cars_test_annos_withlabels.mat",
    ),
    "dtd": (
        dtd_files,
        "dtd",
        {
            "train": [("red", "banded"), ("green", "zigzagged")],
            "val": [("blue", "banded")],
            "test": [("green", "zigzagged")],
            "test 10": [("blue", "banded"), ("green", "zigzagged")],
        },
        "labels/test1.txt",
    ),
    "sun397": (
        sun397_files,
        "",
        {
            "train": [("red", "/a/abbey"), ("green", CHURCH)],
            "test": [("blue", "/a/abbey")],
            "test 10": [("green", CHURCH)],
        },
        None,
    ),
    "food101": (
        food101_files,
        "food-101",
        {
            "train": [("red", "apple_pie"), ("green", "waffles")],
            "test": [("blue", "waffles")],
        },
        "meta/test.json",
    ),
}


@pytest.mark.parametrize("source", LISTED)
def test_sets_with_lists_of_files(source, tmp_path, painter):
    make, top, parts, _ = LISTED[source]
    folder = tmp_path / "data" / top
    folder.mkdir(parents=True)
    paint_all(folder, make(folder))
    for part, expected in parts.items():
        name, *partition = part.split()
        options = {"partition": int(partition[0])} if partition else {}
        for path in (tmp_path / "data", folder):
            out = tmp_path / f"{part} {path.name}"
            data = prepared_dataset(source, out, path=str(path), part=name, **options)
            assert labelled(data) == expected
    right, wrong = [(c, name) for c, name in parts["train"]]
    data = prepared_dataset(source, tmp_path / "again", path=str(folder), part="train")
    answered = painter.ask(
        data, data.class_names, {right[0]: right[1], wrong[0]: right[1]}
    )
    assert answered.names == [right[1]] * 2
    assert answered.score["value"] == 0.5


@pytest.mark.parametrize("source", [name for name, case in LISTED.items() if case[-1]])
def test_a_missing_list_is_named(source, tmp_path):
    make, _, _, file = LISTED[source]
    paint_all(tmp_path, make(tmp_path))
    (tmp_path / file).unlink()
    with pytest.raises(
        StockpotError, match=rf"datasets\.own\.path: {tmp_path} holds no "
    ):
        prepared_dataset(source, tmp_path / "out", path=str(tmp_path), part="test")


@pytest.mark.parametrize(
    ("source", "file", "content", "line"),
    [
        (
            "dtd",
            "labels/test1.txt",
            "bended/1.jpg",
            "bended/1.jpg: its class 'bended' is none of",
        ),
        (
            "sun397",
            "Testing_01.txt",
            "/a/abby/1.jpg",
            "a/abby/1.jpg: its class '/a/abby' is none",
        ),
        ("food101", "meta/test.json", '["waffles"]', "test.json: not readable"),
        (
            "food101",
            "meta/test.json",
            '{"soup": ["soup/1"]}',
            "its class 'soup' is none of",
        ),
        (
            "cars",
            "cars_test_annos_withlabels.mat",
            "no",
            "withlabels.mat: not readable",
        ),
        ("dtd", "labels/test1.txt", "banded/9.jpg", "banded/9.jpg: cannot be read"),
    ],
)
def test_a_wrong_list_is_named(source, file, content, line, tmp_path):
    paint_all(tmp_path, LISTED[source][0](tmp_path))
    (tmp_path / file).write_text(content)
    with pytest.raises(StockpotError, match=line):
        prepared_dataset(source, tmp_path / "out", path=str(tmp_path), part="test")


def test_partitions_of_sun397_may_lie_in_their_folder(tmp_path):
    paint_all(tmp_path, sun397_files(tmp_path))
    inside = tmp_path / "SUN397"
    (inside / "Partitions").mkdir()
    for file in tmp_path.glob("T*.txt"):
        file.rename(inside / "Partitions" / file.name)
    data = prepared_dataset("sun397", tmp_path / "out", path=str(inside), part="test")
    assert labelled(data) == [("blue", "/a/abbey")]
    with pytest.raises(
        StockpotError, match=rf"own\.path: {tmp_path} holds no Testing_01\.txt"
    ):
        prepared_dataset("sun397", tmp_path / "out", path=str(tmp_path), part="test")


def test_a_class_of_cars_out_of_range_is_named(tmp_path):
    from scipy.io import savemat

    paint_all(tmp_path, cars_files(tmp_path))
    found = np.array([[(0, "x.jpg")]], [("class", "f8"), ("fname", "O")])
    savemat(tmp_path / "cars_test_annos_withlabels.mat", {"annotations": found})
    with pytest.raises(StockpotError, match="x.jpg has class 0.*, not 1 to 196"):
        prepared_dataset("cars", tmp_path / "out", path=str(tmp_path), part="test")
