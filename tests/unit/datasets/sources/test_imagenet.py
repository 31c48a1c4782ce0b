"""Tests ImageNet and the sets that have its class folders."""

import json
from pathlib import Path

import pytest

from stockpot.runtime.errors import StockpotError
from tests.support.solid_colours import (
    COLOURS,
    labelled,
    paint,
    paint_all,
    prepared_dataset,
    shown_colours,
)

STINGRAY, GOLDFINCH, TENCH, GOLDFISH = (
    "n01498041",
    "n01531178",
    "n01440764",
    "n01443537",
)

SHARK, BRAMBLING = "n01484850", "n01530575"

FOLDERS = {
    "imagenet": (
        {"part": "val"},
        "",
        {
            f"val/{TENCH}/ILSVRC2012_val_00000293.JPEG": ("red", TENCH),
            f"val/{GOLDFISH}/ILSVRC2012_val_00000236.JPEG": ("green", GOLDFISH),
            f"train/{SHARK}/{SHARK}_1.JPEG": ("blue", None),
        },
    ),
    # The third folder as text, the second as a number.
    "imagenet-v2": (
        {},
        "imagenetv2-matched-frequency-format-val",
        {
            "0/a.jpeg": ("red", TENCH),
            "2/b.jpeg": ("green", SHARK),
            "10/c.jpeg": ("blue", BRAMBLING),
        },
    ),
    "imagenet-r": (
        {},
        "imagenet-r",
        {
            "n01443537/art_0.jpg": ("red", GOLDFISH),
            "n02106662/toy_1.jpg": ("green", "n02106662"),
            "README.txt": (None, None),
        },
    ),
    "imagenet-a": (
        {},
        "imagenet-a",
        {
            "n01498041/0.000116_digital clock _ digital clock_0.865662.jpg": (
                "red",
                STINGRAY,
            ),
            "n01531178/1.jpg": ("green", GOLDFINCH),
            "README.txt": (None, None),
        },
    ),
    "imagenet-sketch": (
        {},
        "sketch",
        {
            "n01440764/sketch_0.JPEG": ("red", TENCH),
            "n15075141/sketch_1.JPEG": ("green", "n15075141"),
        },
    ),
}


@pytest.mark.parametrize(
    "inside", [True, False], ids=["with its top folder", "without"]
)
@pytest.mark.parametrize("source", FOLDERS)
def test_folders_of_imagenet_classes(
    source, inside, tmp_path, painter, imagenet_classes
):
    options, top, files = FOLDERS[source]
    for path, (colour, _) in files.items():
        path = tmp_path / "data" / (top if inside else "") / path
        if colour:
            paint(path, colour)
        else:
            path.write_text("no image")
    data = prepared_dataset(
        source, tmp_path / "out", path=str(tmp_path / "data"), **options
    )
    expected = [(colour, name) for colour, name in files.values() if name]
    assert sorted(labelled(data)) == sorted(expected)
    assert data.scoring.non_default() == {}
    # The first is answered well, the second taken for the first; classes of ImageNet that the
    # set has not are no answers.
    foreign = [name for name in imagenet_classes if name not in data.class_names]
    says = {
        colour: {expected[0][1]: 5.0, **dict.fromkeys(foreign, 9.0)}
        for colour, _ in expected
    }
    answered = painter.ask(data, imagenet_classes, says)
    assert answered.names == [expected[0][1]] * len(expected)
    assert answered.score == {
        "metric": "accuracy",
        "value": 1 / len(expected),
        "n": len(expected),
        "k": 1,
    }


@pytest.mark.parametrize("source", FOLDERS)
def test_an_unknown_class_folder_is_named(source, tmp_path):
    options, top, files = FOLDERS[source]
    paint_all(
        tmp_path / top, {path: "red" for path, (colour, _) in files.items() if colour}
    )
    place = tmp_path / top / ("val" if source == "imagenet" else "") / "n99999999"
    paint(place / "1.jpg", "red")
    with pytest.raises(
        StockpotError, match=rf"{place}: no class of this data set, whose folders"
    ):
        prepared_dataset(source, tmp_path / "out", path=str(tmp_path), **options)


def test_class_folders_without_images_are_named(tmp_path):
    (tmp_path / "imagenet-a/n01498041").mkdir(parents=True)
    with pytest.raises(
        StockpotError, match="imagenet-a: no images in folders n01498041"
    ):
        prepared_dataset("imagenet-a", tmp_path / "out", path=str(tmp_path))


def imagenet_val(folder: Path) -> Path:
    """Five tenches and goldfish, numbered in another order than their folders are."""
    files = {
        f"{TENCH}/ILSVRC2012_val_00000002.JPEG": "red",
        f"{TENCH}/ILSVRC2012_val_00000004.JPEG": "green",
        f"{TENCH}/ILSVRC2012_val_00000005.JPEG": "yellow",
        f"{GOLDFISH}/ILSVRC2012_val_00000001.JPEG": "blue",
        f"{GOLDFISH}/ILSVRC2012_val_00000003.JPEG": "black",
    }
    return paint_all(folder, {f"val/{path}": colour for path, colour in files.items()})


# All is taken for a great white shark (2).
SHARKS = {colour: SHARK for colour in COLOURS}


def test_reassessed_labels_are_accepted(tmp_path, painter, imagenet_classes):
    imagenet_val(tmp_path / "data")
    # By number: 1 blue, 2 red, 3 black (none), 4 green, 5 yellow.
    (tmp_path / "real.json").write_text(json.dumps([[1, 2], [2], [], [0], [0, 7]]))
    options = {
        "path": str(tmp_path / "data"),
        "label_file": str(tmp_path / "real.json"),
    }
    data = prepared_dataset("imagenet", tmp_path / "out", part="val", **options)
    assert labelled(data) == [
        ("red", TENCH),
        ("green", TENCH),
        ("yellow", TENCH),
        ("blue", GOLDFISH),
    ]
    assert data.scoring.accepted == [[2], [0], [0, 7], [1, 2]]
    answered = painter.ask(data, imagenet_classes, SHARKS)
    assert answered.correct == [True, False, False, True]
    assert answered.score == {"metric": "accuracy", "value": 0.5, "n": 4, "k": 2}


def test_multilabel_answers_are_the_mean_over_classes(
    tmp_path, painter, imagenet_classes
):
    imagenet_val(tmp_path / "data")
    name = "ILSVRC2012_val_{:08}.JPEG".format
    found = {
        "initial_annots": {
            name(1): {"correct": [GOLDFISH], "unclear": [SHARK], "wrong": [TENCH]},
            name(2): {"correct": [TENCH, SHARK]},
            name(3): {"correct": [SHARK]},
            name(4): {"wrong": [SHARK], "correct": [TENCH]},
            name(5): {"correct": [TENCH]},
            "n01440764/1.jpeg": {"correct": [TENCH]},
        },
        "problematic_images": {name(3): {"why": "a drawing"}},
        "imagenet_m": [],
    }
    (tmp_path / "human.json").write_text(json.dumps(found))
    options = {
        "path": str(tmp_path / "data"),
        "label_file": str(tmp_path / "human.json"),
    }
    data = prepared_dataset("imagenet", tmp_path / "out", part="val", **options)
    assert dict(zip(shown_colours(data), data.scoring.accepted)) == {
        "red": [0, 2],
        "green": [0],
        "yellow": [0],
        "blue": [1, 2],
    }
    answered = painter.ask(data, imagenet_classes, SHARKS)
    assert dict(zip(shown_colours(data), answered.correct)) == {
        "red": True,
        "green": False,
        "yellow": False,
        "blue": True,
    }
    # One of three tenches, the one goldfish.
    assert answered.score["metric"] == "mean-class"
    assert answered.score["k"] is None
    assert answered.score["value"] == pytest.approx((1 / 3 + 1) / 2)


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        (
            "train",
            "[]",
            r"datasets\.own\.label_file: only the images of part: val have them",
        ),
        ("val", None, r"datasets\.own\.label_file: no file .*real\.json"),
        ("val", "{}", r"real\.json: not readable \(KeyError: 'initial_annots'\)"),
        ("val", "[[0]", r"real\.json: not readable \(JSONDecodeError"),
        ("val", "[]", "own: no images in this part of imagenet"),
    ],
)
def test_wrong_answers_are_named(part, text, message, tmp_path):
    imagenet_val(tmp_path / "data")
    paint(tmp_path / f"data/train/{TENCH}/1.JPEG", "red")
    if text is not None:
        (tmp_path / "real.json").write_text(text)
    with pytest.raises(StockpotError, match=message):
        prepared_dataset(
            "imagenet",
            tmp_path / "out",
            path=str(tmp_path / "data"),
            part=part,
            label_file=str(tmp_path / "real.json"),
        )
