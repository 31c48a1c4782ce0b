"""Roles of data sets: no image in two of them, and as many images as they need."""

import shutil
from pathlib import Path

import pytest

from stockpot.datasets.classes import class_names
from tests.support.config_mistakes import problems_of, set_value

LEAKS = {
    "the line trained on the reference": (
        "baselines/train",
        "reference",
        "data.reference: 'reference' holds the same images",
    ),
    "the line trained on a shift": (
        "baselines/train",
        "v2",
        "data.shifts.0: 'v2' holds the same images",
    ),
    "a pool that is trained on": (
        "datasets/adversarial/pool",
        "train",
        "'adversarial' holds the same images as 'train'",
    ),
    "a pool that is tested on": (
        "datasets/adversarial/pool",
        "v2",
        "'adversarial' holds the same images as 'v2'",
    ),
}


@pytest.mark.parametrize("case", LEAKS)
def test_what_is_tested_cannot_be_seen_before(config, schema, case):
    path, value, words = LEAKS[case]
    set_value(config, path, value)
    for model in config["baselines"]["models"].values():
        model["images"] = 100
    config["adversary"]["images"] = config["baselines"]["defaults"]["images"] = 100
    (line,) = problems_of(config, schema)
    assert words in line


@pytest.mark.parametrize("entries", ["scans", "folders", "links"])
def test_one_set_of_images_under_two_names_is_a_leak(config, schema, tmp_path, entries):
    (tmp_path / "a/ball").mkdir(parents=True)
    (tmp_path / "a/ball/1.png").touch()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    train, test = {
        "scans": ({"source": "handwriting", "part": "test"},) * 2,
        "folders": ({"source": "folder", "path": str(tmp_path / "a")},) * 2,
        "links": tuple(
            {"source": "folder", "path": str(tmp_path / n)} for n in ("a", "b")
        ),
    }[entries]
    config["datasets"] |= {"one": train, "two": test}
    config["data"] |= {"train": "one", "shifts": ["two"]}
    config["baselines"]["models"] = {}
    lines = problems_of(config, schema)
    assert lines[0].startswith("data.shifts.0: 'two' holds the same images as 'one'")


def test_more_images_than_the_scans_are_refused(config, schema):
    for part in ("train", "held-out", "test"):
        config["datasets"][f"scans-{part}"] = {"source": "handwriting", "part": part}
    digits = {
        "source": "world",
        "task": "digits",
        "distribution": "typeset",
        "images": 9,
    }
    config["datasets"]["typeset"] = digits
    config["data"] = {
        "corrupted": [],
        "train": "scans-train",
        "held_out": "scans-held-out",
        "reference": "scans-test",
        "shifts": ["typeset"],
    }
    config["baselines"]["train"] = "scans-train"
    (line,) = problems_of(config, schema)
    assert line.startswith(
        "baselines.models.standard-1000.images: 1000 wanted, but scans-train has 809"
    )


@pytest.mark.parametrize("images", [0, 3])
def test_images_of_a_folder_are_counted(config, schema, tmp_path, images):
    from PIL import Image

    names = class_names(config["datasets"], "train", Path)
    for name in names:
        (tmp_path / name).mkdir()
        for i in range(images if name == "ball" else min(images, 1)):
            Image.new("L", (4, 4)).save(tmp_path / name / f"{i}.png")
    config["datasets"]["own"] = {"source": "folder", "path": str(tmp_path)}
    config["baselines"]["train"] = "own"
    (line,) = problems_of(config, schema)
    found = f"wanted, but own has {images + len(names) - 1}"
    assert (found if images else "no images") in line


def test_a_class_without_images_and_kinds_that_are_not_read_are_named(
    config, schema, tmp_path
):
    for file in ("ball/1.png", "ball/2.HEIC", "empty/notes.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    config["datasets"]["own"] = {"source": "folder", "path": str(tmp_path)}
    config["data"]["shifts"] = ["own"]
    assert "empty is a class without images (.bmp, " in problems_of(config, schema)[0]
    shutil.rmtree(tmp_path / "empty")
    assert "1 images, as " in (line := problems_of(config, schema)[0])
    assert "2.HEIC" in line
