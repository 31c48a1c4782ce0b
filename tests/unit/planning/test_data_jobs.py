"""Data sets of a plan: folders, adversarial sets and corrupted sets."""

import os

import pytest

from stockpot.planning.data_jobs import CorruptedDataset
from stockpot.runtime.errors import StockpotError
from tests.support.plans import changed_names, ids_by_name, ids_of, plan_of


def test_the_adversary_has_its_own_training_data(config):
    before = plan_of(config)
    config["datasets"]["adversary-train"]["images"] += 1
    found = changed_names(before, plan_of(config))
    assert found == {
        "datasets": {"adversary-train", "adversarial"},
        "runs": {"adversary"},
        "evaluations": set(ids_by_name(before, "evaluations")),
    }
    adversary = before.runs[ids_by_name(before, "runs")["adversary"]]
    others = [
        run for name, run in before.runs.items() if not name.startswith("adversary-")
    ]
    assert adversary.train not in {run.train for run in others}
    architecture = adversary.spec["architecture"]["name"]
    baselines = [run.spec for run in others if run.spec["variant"] == "from-scratch"]
    assert architecture not in {spec["architecture"]["name"] for spec in baselines}
    assert "train" not in adversary.spec


def test_an_adversary_that_filters_nothing_is_not_planned(config):
    before = plan_of(config)
    config["data"]["shifts"].remove("adversarial")
    found = changed_names(before, plan_of(config))
    assert found["datasets"] == {"adversarial", "wide", "adversary-train"}
    assert found["runs"] == {"adversary"}
    config["adversary"] |= {"train": "nowhere", "lr": 1.0}
    assert changed_names(before, plan_of(config)) == found


def test_an_adversary_must_know_the_classes_of_its_pool(config):
    config["datasets"]["adversary-train"]["task"] = "digits"
    with pytest.raises(
        StockpotError,
        match=r"datasets\.held-out: .*'ball'.*adversary-train \(adversary\.train\): zero",
    ):
        plan_of(config)


# Folders of images.


@pytest.fixture
def folder_dataset(config, tmp_path):
    """A config whose first shift is a folder of images, and the folder."""
    folder = tmp_path / "own"
    for name in ("ball", "moon"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(name.encode())
    config["datasets"]["own"] = {"source": "folder", "path": str(folder)}
    config["data"]["shifts"] = ["own"]
    return config, folder


def test_a_folder_has_one_id_and_its_listing_in_its_spec(folder_dataset):
    config, folder = folder_dataset
    before = plan_of(config)
    job = before.datasets[ids_by_name(before, "datasets")["own"]]
    (folder / "ball/2.png").write_bytes(b"second")
    after = plan_of(config)
    assert ids_of(after) == ids_of(before)
    assert after.datasets[ids_by_name(after, "datasets")["own"]] != job
    (folder / "ball/2.png").unlink()
    assert plan_of(config).datasets == before.datasets


@pytest.mark.parametrize(
    "name", [".DS_Store", "ball/.DS_Store", "ball/Thumbs.db", "README.md"]
)
def test_a_file_that_is_not_read_prepares_nothing_again(folder_dataset, name):
    config, folder = folder_dataset
    before = plan_of(config)
    (folder / name).write_bytes(b"x")
    after = plan_of(config)
    assert after.datasets == before.datasets
    assert ids_of(after) == ids_of(before)
    assert any(f"not read of {folder}" in line for line in after.summary)


@pytest.mark.parametrize("change", ["size", "time", "name"])
def test_a_file_that_changes_is_seen_without_reading_it(folder_dataset, change):
    config, folder = folder_dataset
    before = plan_of(config)
    file = folder / "ball/1.png"
    stat = file.stat()
    if change == "size":
        file.write_bytes(b"longer than before")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif change == "time":
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    else:
        file.rename(folder / "ball/3.png")
    assert plan_of(config).datasets != before.datasets


def test_seeds_share_a_folder(folder_dataset):
    config, _ = folder_dataset
    plan = plan_of({**config, "seeds": [0, 1]})
    own_sets = [name for name in plan.datasets if name.startswith("own-")]
    assert len(own_sets) == 1


def test_a_corrupted_set_follows_from_the_held_out_set_and_its_severity(config):
    before = plan_of(config)
    (corrupted,) = (
        job for job in before.datasets.values() if isinstance(job, CorruptedDataset)
    )
    assert corrupted.dataset == ids_by_name(before, "datasets")["held-out"]
    config["datasets"]["corrupted"]["severity"] = 5
    moved = changed_names(before, plan_of(config))
    assert moved["datasets"] == {"corrupted"}
    assert "runs" not in moved
    assert "soups" not in moved
    config["datasets"]["held-out"]["images"] = 500
    assert {"corrupted", "held-out"} <= changed_names(before, plan_of(config))[
        "datasets"
    ]
    config["data"]["corrupted"] = []
    assert not any(
        isinstance(job, CorruptedDataset) for job in plan_of(config).datasets.values()
    )
