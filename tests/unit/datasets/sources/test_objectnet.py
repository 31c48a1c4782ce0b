"""Tests ObjectNet: merged classes, and images without their frame."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets.classes import head_classes
from stockpot.runtime.errors import StockpotError
from tests.support.solid_colours import (
    COLOURS,
    labelled,
    prepared_dataset,
    shown_colours,
)

# Of these, the folder is not the class; the ImageNet classes are those of the names.
OBJECTS = {
    "alarm_clock": ("green", "alarm_clock", ["n02708093", "n03196217"]),
    "chair": ("blue", "chair", ["n02791124", "n03376595", "n04099969"]),
    "bicycle": ("yellow", "bicycle", ["n02835271", "n03792782"]),
    "still_camera": ("black", "still_camera", ["n03976467", "n04069434"]),
    "full_sized_towel": ("cyan", "bath_towel", ["n02808304"]),
    "t-shirt": ("pink", "t_shirt", ["n03595614"]),
}


def paint_framed(path: Path, colour: str) -> None:
    """ObjectNet's images have a red frame; here two pixels wide."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (44, 36), (255, 0, 0))
    image.paste(COLOURS[colour], (2, 2, 42, 34))
    image.save(path)


@pytest.fixture
def objectnet_folder(tmp_path):
    folder = tmp_path / "objectnet-1.0"
    for name, (colour, _, _) in OBJECTS.items():
        paint_framed(folder / "images" / name / f"{colour}.png", colour)
    paint_framed(folder / "images/air_freshener/1.png", "white")
    (folder / "mappings").mkdir()
    return tmp_path


def test_objectnet_merges_and_is_cropped(objectnet_folder, painter, imagenet_classes):
    data = prepared_dataset(
        "objectnet", objectnet_folder / "out", path=str(objectnet_folder)
    )
    assert sorted(labelled(data)) == sorted(
        (c, name) for c, name, _ in OBJECTS.values()
    )
    assert len(data.class_names) == 113
    for image, colour in zip(data.images, shown_colours(data)):
        assert np.abs(image.astype(int) - COLOURS[colour]).max() <= 1, (
            f"a frame around {colour}"
        )
    for _, name, wnids in OBJECTS.values():
        assert set(data.scoring.merges[name]) == set(wnids)
    entry = {"own": {"source": "objectnet"}}
    assert len(head_classes(entry, "own", Path)) == 125
    assert set(head_classes(entry, "own", Path)) <= set(imagenet_classes)
    # The sum, and the mean, over its classes would make a chair of the clock.
    says = {
        "green": {"n03196217": 9, "n02791124": 6, "n03376595": 6, "n04099969": 6},
        "blue": {"n04099969": 9, "n02708093": 8, "n03196217": 8},
        "yellow": {
            "n03792782": 4,
            "n02808304": 3,
            "n01440764": 12,
        },  # a tench is no answer
        "black": {"n04069434": 9},
        "cyan": {"n03595614": 9},
        "pink": {"n02808304": 9},
    }
    answered = painter.ask(data, imagenet_classes, says)
    assert dict(zip(shown_colours(data), answered.names)) == {
        "green": "alarm_clock",
        "blue": "chair",
        "yellow": "bicycle",
        "black": "still_camera",
        "cyan": "t_shirt",
        "pink": "bath_towel",
    }
    assert answered.score == {"metric": "accuracy", "value": 4 / 6, "n": 6, "k": 4}


def test_the_models_classes_must_be_imagenets(objectnet_folder, painter):
    data = prepared_dataset(
        "objectnet", objectnet_folder / "out", path=str(objectnet_folder)
    )
    with pytest.raises(
        StockpotError, match="'n02708093' is not among the model's 113 classes"
    ):
        painter.ask(data, data.class_names, {})
