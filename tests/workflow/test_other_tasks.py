"""The studies of configs/ on other tasks run from the data to the figures, on the same model."""

import json
from collections import Counter

import pytest
import yaml

from stockpot.datasets.world.tasks import TASKS
from stockpot.tables.measurements import read_table
from tests.support.paths import ROOT
from tests.support.workflow import copy_project

IMAGES, LINE = 200, 3


def at_micro_scale(config: dict, lines: int) -> dict:
    """What to lay over a study of configs/ so that every stage has hardly any work."""
    rendered = [
        name for name, entry in config["datasets"].items() if entry["source"] == "world"
    ]
    line = [name for name, spec in config["baselines"]["models"].items() if spec]
    return {
        "datasets": {name: {"images": IMAGES} for name in rendered},
        "finetune": {
            "defaults": {"epochs": 1},
            "runs": {"linear": None},
            "search": {"runs": 0},
        },
        "sweep": {"alphas": [0.0, 0.5, 1.0], "targets": ["base"]},
        "soups": {"uniform": None, "ensemble": None},
        "baselines": {
            "models": {
                name: {"images": 40 + 20 * i, "epochs": 1} if i < lines else None
                for i, name in enumerate(line)
            }
        },
        "adversary": {"images": 100},
        "analyses": None,
        "pages": [],
        "figures": {"alpha": None, "shifts": None, "soups": None, "methods": None},
    }


def test_a_task_runs_end_to_end(finished, warm, tmp_path):
    task = "digits"
    given = ROOT / "configs" / f"{task}.yaml"
    config = yaml.safe_load(given.read_text())
    study = warm(copy_project(tmp_path))
    (study.folder / "study.yaml").write_text(
        yaml.safe_dump(at_micro_scale(config, LINE))
    )
    study.run("--configfile", str(given), "study.yaml")

    assert study.zero_shot_tower() == finished.zero_shot_tower()
    folder = study.results / "studies" / task / "seed0"
    table = read_table(folder / "measurements.csv")
    classes = TASKS[task][2]
    for path in study.results.glob("datasets/*/dataset.json"):
        assert json.loads(path.read_text())["class_names"] == list(classes)

    sets = {
        config["data"]["held_out"],
        config["data"]["reference"],
        *config["data"]["shifts"],
    }
    start = table[(table["model"] == "zero-shot") & table["dataset"].isin(sets)]
    assert set(start["dataset"]) == sets
    assert start["value"].between(1.5 / len(classes), 0.97).all(), start
    line = table[table["kind"] == "from-scratch"]["model"].unique()
    assert len(line) == LINE
    assert all(name.startswith("scratch-") for name in line)
    assert (folder / "figures" / "effective-robustness.pdf").stat().st_size > 0


# Laid over configs/colours.yaml and configs/cross.yaml: fewer and smaller tasks, and runs with all
# that a run can save, start from, or train on besides.
CROSS = {
    "study": "cross",
    "tasks": {"digits": None},
    "datasets": {
        name: {"images": 100}
        for name in (
            "colours-train",
            "colours-held-out",
            "colours",
            "colours-v2",
            "colours-scratch",
            "textures-train",
            "textures-held-out",
            "train",
            "held-out",
        )
    }
    | {
        "second": {
            "source": "world",
            "task": "colours",
            "distribution": "wide",
            "images": 60,
        }
    },
    "data": {"shifts": ["colours-v2"]},
    "finetune": {
        "defaults": {"epochs": 1},
        "runs": {
            "on-objects": {"epochs": 1},
            "on-textures": {"epochs": 1},
            "on-digits": None,
            "on-colours": None,
            "linear": {"variant": "linear-search", "epochs": 2, "trials": 4},
            "lp-ft": {
                "init_from": "linear",
                "second_dataset": "second",
                "randaugment_ops": 1,
                "ema_decays": [0.9],
            },
        },
    },
    "sweep": {"targets": []},
    "soups": {"ema": {"method": "ema", "ingredients": ["lp-ft"], "decay": 0.9}},
    "analyses": {
        "choosing-alpha": None
    },  # of those of the study, the choice of members is left
    "pages": [],
    "figures": {"effective-robustness": None, "shifts": None},
}
KEPT = ("objects-textures",)


def test_soups_of_towers_and_what_a_run_may_have(finished, warm, tmp_path):
    """Another task's runs enter a soup; a run starts from another, and saves its averages."""
    study, config = warm(copy_project(tmp_path)), json.loads(json.dumps(CROSS))
    files = [ROOT / "configs" / "colours.yaml", ROOT / "configs" / "cross.yaml"]
    for name in yaml.safe_load(files[1].read_text())["soups"]:
        config["soups"] |= {} if name in KEPT else {name: None}
    (study.folder / "study.yaml").write_text(yaml.safe_dump(config))
    study.run("--configfile", *map(str, files), "study.yaml")

    table = read_table(study.results / "studies/cross/seed0/measurements.csv")
    single = table[(table["sweep"] == "") & (table["role"] == "reference")]
    assert set(single["model"]) == {"zero-shot", "linear", "lp-ft", *KEPT, "ema"}
    cards = {
        card["name"]: card
        for card in map(
            json.loads,
            (p.read_text() for p in study.results.glob("classifiers/*/*.json")),
        )
    }
    zero = cards["zero-shot"]
    assert zero["tower_sha256"] == finished.zero_shot_tower()
    assert zero["class_names"] == list(TASKS["colours"][2])
    assert cards["on-textures"]["class_names"] == list(TASKS["textures"][2])
    assert cards["lp-ft"]["start"] == zero["sha256"] == cards["linear"]["start"]
    assert [row["trial"] for row in cards["linear"]["history"]] == [0, 1, 2, 3]
    (path,) = study.results.glob("recipes/objects-textures-*.json")
    assert json.loads(path.read_text())["ingredients"] == {
        zero["sha256"]: {"": 0.0, "head.": 1.0},
        cards["on-objects"]["sha256"]: {"": 0.5, "head.": 0.0},
        cards["on-textures"]["sha256"]: {"": 0.5, "head.": 0.0},
    }

    # A method more computes that method alone.
    known = study.stored()
    config["soups"]["mono"] = {"method": "mono-soup", "ingredients": ["lp-ft"]}
    (study.folder / "study.yaml").write_text(yaml.safe_dump(config))
    jobs, cells = study.run("--configfile", *map(str, files), "study.yaml")
    tables = Counter(main_table=1, summary=1, figure=2, analysis=1, page=1)
    assert jobs == tables + Counter(merge=1, evaluate=1)
    assert cells == 4 == len(study.stored() - known)


@pytest.mark.parametrize("task", ["digits", "textures", "colours"])
def test_standard_models_are_named_after_their_images(task):
    config = yaml.safe_load((ROOT / "configs" / f"{task}.yaml").read_text())
    for name, spec in config["baselines"]["models"].items():
        assert spec is None or name == f"scratch-{spec['images']}"
