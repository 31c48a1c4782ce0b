"""Tests studies whose data sets are splits of one folder."""

import shutil

import pytest

from stockpot.datasets.dataset import read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.planning import build_plan
from stockpot.runtime.errors import StockpotError
from tests.support.drawn_images import write_classes
from tests.support.paths import ROOT


@pytest.fixture
def plan_of_parts(config, tmp_path):
    """A function that plans a study whose three sets are one folder, but for some changes."""
    folder = tmp_path / "own"
    for name in ("ball", "moon"):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            (folder / name / f"{i}.png").write_bytes(b"unread")
    (tmp_path / "link").symlink_to(folder)
    shutil.copytree(folder, tmp_path / "copy")
    config["data"] |= {"shifts": [], "corrupted": []}
    config["baselines"]["models"] = {}

    def plan(shifts=(), **changes):
        for name, part in (
            ("train", "train"),
            ("held-out", "held-out"),
            ("reference", "test"),
        ):
            entry = {"source": "folder", "path": "own", "split": {"part": part}}
            config["datasets"][name] = entry | changes.get(name.replace("-", "_"), {})
        config["data"]["shifts"] = list(shifts)
        return build_plan.build(
            config,
            lambda path: tmp_path / path if (tmp_path / path).exists() else ROOT / path,
        )

    plan.config = config
    return plan


def spec_of(plan, name):
    (job,) = (job for job in plan.datasets.values() if job.spec["name"] == name)
    return job.spec


def test_one_folder_may_train_choose_and_test(plan_of_parts):
    plan = plan_of_parts()
    assert plan.sizes == {"reference": 8, "held-out": 4}
    expected = {"part": "test", "held_out": 0.1, "test": 0.2, "seed": 0}
    assert spec_of(plan, "reference")["split"] == expected
    said = {"part": "test", "seed": 0, "held_out": 0.1, "test": 0.2}
    assert list(plan_of_parts(reference={"split": said}).datasets) == list(
        plan.datasets
    )
    assert (
        plan_of_parts(reference={"path": "copy", "split": None}).sizes["reference"]
        == 40
    )


LEAKS = {
    "the same part": ({"part": "train"}, "own", "train"),
    "the same part through a link": ({"part": "held-out"}, "link", "held-out"),
    "another seed": ({"part": "test", "seed": 1}, "own", "train"),
    "other shares": ({"part": "test", "test": 0.3}, "own", "train"),
    "other numbers": ({"part": "test", "held_out": 2}, "own", "train"),
    "the whole folder": (None, "own", "train"),
    "the whole folder through a link": (None, "link", "train"),
}


@pytest.mark.parametrize("case", LEAKS)
def test_parts_that_may_overlap_are_refused(plan_of_parts, case):
    split, path, other = LEAKS[case]
    with pytest.raises(StockpotError) as error:
        plan_of_parts(reference={"split": split, "path": path})
    role = {"train": "data.train", "held-out": "data.held_out"}[other]
    why = "training, held-out and test sets must differ"
    if case in ("another seed", "other shares", "other numbers"):
        why = "parts of one split need the same held_out, test, seed and held_out_list"
    assert str(error.value) == (
        f"data.reference: 'reference' holds the same images as {other!r}, which is {role}; {why}"
    )


def test_a_part_without_images_is_refused_at_planning(plan_of_parts):
    with pytest.raises(
        StockpotError, match=r"^data\.reference: reference has no images"
    ):
        plan_of_parts(
            **{
                k: {"split": {"part": p, "test": 0}}
                for k, p in (
                    ("train", "train"),
                    ("held_out", "held-out"),
                    ("reference", "test"),
                )
            }
        )


def test_training_sets_alone_may_be_stored_larger(plan_of_parts, tmp_path):
    plan = plan_of_parts(train={"image_size": 48})
    assert [spec_of(plan, name)["image_size"] for name in ("train", "held-out")] == [
        48,
        32,
    ]
    assert plan.model.transform["image_size"] == 32
    write_classes(tmp_path / "own", {"ball": 20, "moon": 20})
    spec = spec_of(plan, "train") | {"path": str(tmp_path / "own")}
    prepare(tmp_path / "made", spec)
    assert read_dataset(tmp_path / "made").images.shape == (28, 48, 48, 3)


@pytest.mark.parametrize("part", ["held_out", "reference", "shift", "pool"])
def test_sets_that_are_looked_at_may_not(plan_of_parts, part):
    name = {"held_out": "held-out"}.get(part, part)
    changes, larger = {}, {"source": "folder", "path": "copy", "image_size": 48}
    datasets = plan_of_parts.config["datasets"]
    if part == "shift":
        datasets["shift"], changes = larger, {"shifts": ["shift"]}
    elif part == "pool":
        datasets |= {
            "pool": larger,
            "hard": {"source": "adversarial", "pool": "pool", "images": 3},
        }
        adversary = {"source": "folder", "path": "own", "split": {"part": "train"}}
        datasets["adversary-train"], changes = adversary, {"shifts": ["hard"]}
        plan_of_parts.config["adversary"]["images"] = 20
    else:
        changes = {part: {"image_size": 48}}
    with pytest.raises(
        StockpotError, match=rf"^datasets\.{name}\.image_size: .*only training sets"
    ):
        plan_of_parts(**changes)
