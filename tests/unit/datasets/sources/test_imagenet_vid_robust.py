"""Tests the frames of ImageNet-Vid-Robust."""

import json

import pytest

from stockpot.runtime.errors import StockpotError
from tests.support.solid_colours import (
    labelled,
    paint_all,
    prepared_dataset,
    shown_colours,
)

VID = "imagenet_vid_ytbb_robust/imagenet-vid-robust"

AIRPLANE, ZEBRA, BICYCLE, BEAR = 0, 29, 3, 2


@pytest.fixture
def vid_folder(tmp_path):
    """Two sets: one of an anchor and two others, one of an anchor alone with two labels."""
    folder, first, second = tmp_path / VID, "val/V_00/", "val/V_01/"
    colours = {
        first + "000432.JPEG": "red",
        first + "000442.JPEG": "green",
        first + "000433.JPEG": "blue",
        second + "000077.JPEG": "yellow",
    }
    labels = {
        first + "000432.JPEG": [AIRPLANE],
        first + "000442.JPEG": [AIRPLANE, BICYCLE],
        first + "000433.JPEG": [AIRPLANE],
        second + "000077.JPEG": [ZEBRA, BEAR],
    }
    sets = {
        second + "000077.JPEG": [],
        first + "000442.JPEG": [first + "000432.JPEG", first + "000433.JPEG"],
    }
    paint_all(folder, colours)
    (folder / "metadata").mkdir()
    for name, content in (("labels", labels), ("pmsets", sets)):
        (folder / f"metadata/{name}.json").write_text(json.dumps(content))
    return tmp_path


AIRLINER, TANDEM, BLACK_BEAR = "n02690373", "n02835271", "n02133161"

VIDEO_ANSWERS = [
    # pm-0 and pm-10, by hand: the anchors are green and yellow.
    ({"red": AIRLINER, "green": TANDEM, "blue": AIRLINER, "yellow": BLACK_BEAR}, 2, 2),
    ({"red": TANDEM, "green": AIRLINER, "blue": AIRLINER, "yellow": BLACK_BEAR}, 2, 1),
    ({"red": AIRLINER, "green": AIRLINER, "blue": TANDEM, "yellow": AIRLINER}, 1, 0),
    (
        {"red": AIRLINER, "green": BLACK_BEAR, "blue": AIRLINER, "yellow": BLACK_BEAR},
        1,
        1,
    ),
]


@pytest.mark.parametrize(("says", "pm0", "pm10"), VIDEO_ANSWERS)
def test_frames_of_imagenet_vid_have_their_own_labels(
    says, pm0, pm10, vid_folder, painter, imagenet_classes
):
    anchors = prepared_dataset(
        "imagenet-vid-robust", vid_folder / "pm-0", path=str(vid_folder), frames="pm-0"
    )
    assert labelled(anchors) == [("green", "n02691156"), ("yellow", "n02391049")]
    answered = painter.ask(anchors, imagenet_classes, says)
    assert answered.score == {"metric": "accuracy", "value": pm0 / 2, "n": 2, "k": pm0}
    folder = str(vid_folder / VID)
    data = prepared_dataset(
        "imagenet-vid-robust", vid_folder / "pm-10", path=folder, frames="pm-10"
    )
    assert shown_colours(data) == ["green", "red", "blue", "yellow"]
    assert data.scoring.accepted == [[0, 3], [0], [0], [29, 2]]
    answered = painter.ask(data, imagenet_classes, says)
    assert answered.score == {
        "metric": "accuracy",
        "value": pm10 / 2,
        "n": 2,
        "k": pm10,
    }


def test_a_frame_without_labels_is_named(vid_folder):
    file = vid_folder / VID / "metadata/labels.json"
    labels = json.loads(file.read_text())
    for change, line in (
        (
            {"val/V_00/000433.JPEG": []},
            r"000433\.JPEG: its labels are \[\], not one or more",
        ),
        (
            {"val/V_00/000433.JPEG": [30]},
            r"its labels are \[30\], not one or more of 0 to 29",
        ),
        (None, r"labels\.json: not readable \(KeyError: 'val/V_00/000442.JPEG'\)"),
    ):
        file.write_text(json.dumps(labels | change if change else {}))
        with pytest.raises(StockpotError, match=line):
            prepared_dataset(
                "imagenet-vid-robust",
                vid_folder / "out",
                path=str(vid_folder),
                frames="pm-10",
            )
    file.unlink()
    with pytest.raises(StockpotError, match=r"path: .* holds no metadata/labels\.json"):
        prepared_dataset(
            "imagenet-vid-robust",
            vid_folder / "out",
            path=str(vid_folder),
            frames="pm-10",
        )
