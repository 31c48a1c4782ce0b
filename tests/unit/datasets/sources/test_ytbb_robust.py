"""Tests the frames of YTBB-Robust."""

import csv
import json
from pathlib import Path

import pytest

from stockpot.datasets.classes import head_classes
from stockpot.runtime.errors import StockpotError
from tests.support.solid_colours import (
    labelled,
    paint_all,
    prepared_dataset,
    shown_colours,
)

ANCHOR_TEXTS = [
    "good",
    "unsure",
    "bad",
    "person",
    "bird",
    "cow",
    "none",
    "car",
    "potted plant",
]

PAIR_TEXTS = [
    "similar",
    "correct",
    "dissimilar",
    "problematic",
    "incorrect",
    "dont know",
    "deformation",
    "background-change",
    "occlusion-increased",
    "blur-increase",
    "bad-anchor",
    "hm",
]

# Anchor, its texts, its label in the CSV file, where none and car are the other way round.
ANCHORS = [
    ("/home/u/frames/a_b_100/frame-20.jpg", ["good", "person"], 1),
    ("b_200/frame-5.jpg", ["good"], 22),
    ("c_300/frame-5.jpg", ["good", "bad"], 1),
    ("d_400/frame-5.jpg", ["unsure", "good"], 1),
    ("e_500/frame-5.jpg", ["person"], 1),
    ("f_600/frame-5.jpg", ["good"], 1),  # bad by a pair
    ("g_700/frame-5.jpg", ["good"], 6),
    ("h_800/frame-5.jpg", ["good", "potted plant", "bird"], 1),
]

# Neighbour, its texts.
PAIRS = [
    ("a_b_100/frame-20.jpg", "a_b_100/frame-30.jpg", ["similar", "correct", "hm"]),
    ("a_b_100/frame-20.jpg", "a_b_100/frame-10.jpg", ["similar"]),
    ("a_b_100/frame-20.jpg", "a_b_100/frame-31.jpg", ["similar"]),  # too far
    ("a_b_100/frame-20.jpg", "a_b_100/frame-21.jpg", ["correct"]),
    ("a_b_100/frame-20.jpg", "b_200/frame-21.jpg", ["similar"]),  # another video
    *(
        ("a_b_100/frame-20.jpg", f"a_b_100/frame-{21 + i}.jpg", ["similar", text])
        for i, text in enumerate(PAIR_TEXTS[2:10], 1)
    ),
    ("b_200/frame-5.jpg", "b_200/frame-6.jpg", ["similar"]),
    ("f_600/frame-5.jpg", "f_600/frame-6.jpg", ["similar"]),
    ("f_600/frame-5.jpg", "f_600/frame-7.jpg", ["similar", "bad-anchor"]),
]

YTBB = "imagenet_vid_ytbb_robust/ytbb-robust/ytbb_videos"

YTBB_FRAMES = {
    "a_b_100/frame-20.jpg": "red",
    "a_b_100/frame-10.jpg": "green",
    "a_b_100/frame-30.jpg": "blue",
    "b_200/frame-5.jpg": "yellow",
    "b_200/frame-6.jpg": "black",
    "g_700/frame-5.jpg": "cyan",
    "h_800/frame-5.jpg": "pink",
}


@pytest.fixture
def ytbb_folder(tmp_path):
    def annotated(texts, rows):
        found = [
            {"key": k, "notes": "", "labels": [texts.index(t) for t in own]}
            for k, own in rows
        ]
        return json.dumps({"labels": texts, "annotations": found})

    paint_all(tmp_path / YTBB, YTBB_FRAMES)
    folder = tmp_path / "metadata"
    folder.mkdir()
    anchors = annotated(ANCHOR_TEXTS, [(key, texts) for key, texts, _ in ANCHORS])
    (folder / "anchor_labels.json").write_text(anchors)
    pairs = annotated(PAIR_TEXTS, [(f"{a},{b}", texts) for a, b, texts in PAIRS])
    (folder / "pmk_labels.json").write_text(pairs)
    rows = [(*key.split("/")[-2].rsplit("_", 1), label) for key, _, label in ANCHORS]
    with open(
        folder / "ytbb_robustness_test_anchors_full.csv", "w", newline=""
    ) as file:
        csv.writer(file).writerows([("ytid", "time_ms", "label"), *rows])
    return tmp_path


PERSON, BIRD, CAR, PLANT = "n10148035", "n01531178", "n02701002", "n11939491"

YTBB_ANSWERS = [
    # pm-0 of red, yellow, cyan, pink; pm-10 of those with green, blue; with black.
    (
        {
            "red": BIRD,
            "green": PERSON,
            "blue": BIRD,
            "yellow": CAR,
            "black": CAR,
            "pink": PLANT,
        },
        3,
        3,
    ),
    (
        {
            "red": BIRD,
            "green": PERSON,
            "blue": CAR,
            "yellow": CAR,
            "black": CAR,
            "pink": BIRD,
        },
        3,
        2,
    ),
    (
        {
            "red": BIRD,
            "green": CAR,
            "blue": BIRD,
            "yellow": CAR,
            "black": BIRD,
            "pink": CAR,
        },
        2,
        0,
    ),
]


@pytest.mark.parametrize(("says", "pm0", "pm10"), YTBB_ANSWERS)
def test_frames_of_ytbb_have_their_anchors_labels(
    says, pm0, pm10, ytbb_folder, painter, imagenet_classes
):
    says = {colour: {name: 9.0, CAR: 1.0} for colour, name in says.items()}
    says["cyan"] = {CAR: 1.0}  # a cow: the class that nothing stands for is no answer
    options = {"path": str(ytbb_folder), "annotations": str(ytbb_folder / "metadata")}
    anchors = prepared_dataset(
        "ytbb-robust", ytbb_folder / "pm-0", frames="pm-0", **options
    )
    assert labelled(anchors) == [
        ("red", "bird"),
        ("yellow", "car"),
        ("cyan", "cow"),
        ("pink", "bird"),
    ]
    assert anchors.scoring.accepted == [[1, 0], [23], [6], [1, 9]]
    answered = painter.ask(anchors, imagenet_classes, says, rest=0.5)
    assert answered.score == {"metric": "accuracy", "value": pm0 / 4, "n": 4, "k": pm0}
    assert answered.names[2] == "car"
    logits = answered.found.logits
    assert [i for i in range(24) if (logits[:, i] == 0).all()] == [6, 8, 14, 18, 22]
    data = prepared_dataset(
        "ytbb-robust", ytbb_folder / "pm-10", frames="pm-10", **options
    )
    assert shown_colours(data) == [
        "red",
        "green",
        "blue",
        "yellow",
        "black",
        "cyan",
        "pink",
    ]
    assert data.scoring.videos == [0, 0, 0, 1, 1, 2, 3]
    answered = painter.ask(data, imagenet_classes, says)
    assert answered.score == {
        "metric": "accuracy",
        "value": pm10 / 4,
        "n": 4,
        "k": pm10,
    }


def test_ytbb_merges_into_a_head_of_imagenet(imagenet_classes):
    entry = {"own": {"source": "ytbb-robust", "frames": "pm-0"}}
    wanted = head_classes(entry, "own", Path)
    assert len(wanted) == 231
    assert set(wanted) <= set(imagenet_classes)


def test_annotations_of_ytbb_that_lack_are_named(ytbb_folder):
    options = {"path": str(ytbb_folder), "frames": "pm-0"}
    with pytest.raises(
        StockpotError, match=r"own\.annotations: .*metadata holds no anchor_labels"
    ):
        prepared_dataset(
            "ytbb-robust",
            ytbb_folder / "out",
            **{**options, "path": str(ytbb_folder / YTBB / "..")},
        )
    options["annotations"] = str(ytbb_folder / "metadata")
    file = ytbb_folder / "metadata/ytbb_robustness_test_anchors_full.csv"
    text = file.read_text()
    file.write_text(text.replace("b,100,", "b,101,"))
    with pytest.raises(
        StockpotError, match=r"full\.csv: no label of a_b_100/frame-20\.jpg"
    ):
        prepared_dataset("ytbb-robust", ytbb_folder / "out", **options)
    file.write_text(text.replace("label", "class"))
    with pytest.raises(StockpotError, match=r"full\.csv: not readable .*'label'"):
        prepared_dataset("ytbb-robust", ytbb_folder / "out", **options)
    (ytbb_folder / "metadata/pmk_labels.json").write_text('{"annotations": []}')
    with pytest.raises(
        StockpotError, match=r"pmk_labels\.json: not readable .*'labels'"
    ):
        prepared_dataset("ytbb-robust", ytbb_folder / "out", **options)


def test_annotations_of_ytbb_may_lie_with_its_data(ytbb_folder):
    (ytbb_folder / "metadata").rename(ytbb_folder / YTBB / "../metadata")
    data = prepared_dataset(
        "ytbb-robust",
        ytbb_folder / "out",
        path=str((ytbb_folder / YTBB).parent),
        frames="pm-0",
    )
    assert len(data) == 4
