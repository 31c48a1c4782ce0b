"""The studies of configs/ on other tasks run from the data to the figures, on the same model."""

import json

import pytest
import yaml

from stockpot.datasets.world.tasks import TASKS
from stockpot.statistics.tables import read_table

from .conftest import ROOT, copy_project

IMAGES, LINE = 200, 3


def at_micro_scale(config: dict, lines: int) -> dict:
    """What to lay over a study of configs/ so that every stage has hardly any work."""
    rendered = [name for name, entry in config["datasets"].items() if entry["source"] == "world"]
    line = [name for name, spec in config["standard"]["models"].items() if spec]
    return {
        "datasets": {name: {"images": IMAGES} for name in rendered},
        "finetune": {
            "defaults": {"epochs": 1},
            "runs": {"linear": None},
            "search": {"runs": 0},
        },
        "sweep": {"alphas": [0.0, 0.5, 1.0], "of": ["base"]},
        "soups": {"uniform": None, "ensemble": None},
        "standard": {
            "models": {
                name: {"images": 40 + 20 * i, "epochs": 1} if i < lines else None
                for i, name in enumerate(line)
            }
        },
        "adversary": {"images": 100},
        "figures": {"alpha": None, "soups": None},
    }


@pytest.mark.parametrize("task", ["digits", "textures", "colours"])
def test_a_task_runs_end_to_end(task, finished, tmp_path):
    given = ROOT / "configs" / f"{task}.yaml"
    config = yaml.safe_load(given.read_text())
    study, lines = copy_project(tmp_path), LINE if task == "digits" else 0
    (study.folder / "study.yaml").write_text(yaml.safe_dump(at_micro_scale(config, lines)))
    study.run("--configfile", str(given), "study.yaml")

    assert study.zero_shot_tower() == finished.zero_shot_tower()
    folder = study.results / "studies" / task / "seed0"
    table = read_table(folder / "measurements.csv")
    classes = TASKS[task][2]
    for path in study.results.glob("datasets/*/dataset.json"):
        assert json.loads(path.read_text())["class_names"] == list(classes)

    sets = {config["data"]["held_out"], config["data"]["reference"], *config["data"]["shifts"]}
    start = table[(table["model"] == "zero-shot") & table["dataset"].isin(sets)]
    assert set(start["dataset"]) == sets
    assert start["value"].between(1.5 / len(classes), 0.97).all(), start
    line = table[table["kind"] == "from-scratch"]["model"].unique()
    assert len(line) == lines and all(name.startswith("scratch-") for name in line)
    assert (folder / "figures" / "effective-robustness.pdf").stat().st_size > 0


@pytest.mark.parametrize("task", ["digits", "textures", "colours"])
def test_standard_models_are_named_after_their_images(task):
    config = yaml.safe_load((ROOT / "configs" / f"{task}.yaml").read_text())
    for name, spec in config["standard"]["models"].items():
        assert spec is None or name == f"scratch-{spec['images']}"
