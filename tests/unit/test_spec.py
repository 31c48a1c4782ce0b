"""From a config to a plan: which ids stay and which change."""

import copy
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from PIL import Image

from stockpot.config.check import check_config
from stockpot.config.read import read_study
from stockpot.config.training_runs import draw
from stockpot.datasets import sources
from stockpot.datasets.classes import class_names
from stockpot.planning import build_plan as spec
from stockpot.planning.comparison_marker import restore_compared
from stockpot.planning.data_jobs import CorruptedDataset, FilteredDataset
from stockpot.planning.saved_plan import load_plan, save_plan
from stockpot.runtime.digest import short
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import write_sealed
from tests.support.interpreter import python
from tests.support.paths import ARCHITECTURE, ROOT

KINDS = ("datasets", "zero_shots", "runs", "soups", "evaluations")
DERIVED = {"uniform", "greedy", "ensemble"}  # soups of every end-to-end run


def plan_of(config):
    return spec.build(config, lambda path: ROOT / path)


def ids(plan) -> set[str]:
    return {job_id for kind in KINDS for job_id in getattr(plan, kind)}


def named(plan, kind) -> dict[str, str]:
    """Name -> id, of a plan of one seed."""
    return {job_id.rpartition("-")[0]: job_id for job_id in getattr(plan, kind)}


def changed(before, after) -> dict[str, set[str]]:
    """Names of each kind whose ids are no longer the same."""
    out = {}
    for kind in KINDS:
        a, b = named(before, kind), named(after, kind)
        out[kind] = {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}
    return {kind: names for kind, names in out.items() if names}


def reordered(value, rng):
    """The same mappings with their keys in another order; lists stay as they are."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: reordered(value[key], rng) for key in keys}
    return (
        [reordered(entry, rng) for entry in value] if isinstance(value, list) else value
    )


FRESH = f"""
import json, sys, yaml
from pathlib import Path
from stockpot.planning import build_plan
root = Path({str(ROOT)!r})
config = yaml.safe_load((root / "config.yaml").read_text())
plan = build_plan.build(config, lambda path: root / path)
ids = [list(getattr(plan, kind)) for kind in {KINDS!r}]
print(json.dumps({{"ids": ids, "model": plan.model.id, "modules": sorted(sys.modules)}}))
"""


@pytest.fixture(scope="module")
def fresh():
    """What two interpreters with different hash seeds plan, and what they loaded for it."""
    return [python(FRESH, hash_seed) for hash_seed in (1, 4711)]


@pytest.mark.process
@pytest.mark.slow
def test_ids_are_the_same_in_every_process(fresh, config):
    plan = plan_of(config)
    for other in fresh:
        assert other["ids"] == [list(getattr(plan, kind)) for kind in KINDS]
        assert other["model"] == plan.model.id


@pytest.mark.process
@pytest.mark.slow
def test_planning_is_light(fresh):
    heavy = {
        "torch",
        "pandas",
        "numpy",
        "scipy",
        "open_clip",
        "timm",
        "matplotlib",
        "sklearn",
    }
    for other in fresh:
        assert "stockpot.planning.build_plan" in other["modules"]
        assert heavy & set(other["modules"]) == set()


def test_ids_are_readable_and_end_in_eight_digits(config):
    plan = plan_of(config)
    for kind in KINDS:
        for job_id in getattr(plan, kind):
            name, _, digits = job_id.rpartition("-")
            assert name
            assert len(digits) == 8
            assert set(digits) <= set("0123456789abcdef")
    assert set(named(plan, "datasets")) == set(config["datasets"])
    searched = {f"search-{i:02d}" for i in range(config["finetune"]["search"]["runs"])}
    expected = {
        *config["finetune"]["runs"],
        *searched,
        *config["baselines"]["models"],
        "adversary",
    }
    assert set(named(plan, "runs")) == expected


@pytest.mark.parametrize(
    "section", [None, "datasets", "finetune", "baselines", "soups", "head"]
)
def test_the_order_of_keys_does_not_count(config, section):
    config["finetune"]["runs"] |= {"second": {"epochs": 3}, "another": {"epochs": 2}}
    before, rng = plan_of(config), random.Random(7)
    for _ in range(3):
        if section is None:
            other = reordered(config, rng)
        else:
            other = {**config, section: reordered(config[section], rng)}
        assert ids(plan_of(other)) == ids(before)


def test_planning_leaves_the_config_alone(config):
    before = copy.deepcopy(config)
    plan_of(config)
    assert config == before


def test_every_name_in_a_plan_is_an_artefact_of_it(config):
    plan = plan_of({**config, "seeds": [0, 1]})
    models = {*plan.zero_shots, *plan.runs, *plan.soups}
    for job in plan.datasets.values():
        if isinstance(job, FilteredDataset):
            assert job.pool in plan.datasets
            assert job.adversary in plan.runs
    for job in plan.runs.values():
        assert {job.train, job.held_out} <= set(plan.datasets)
        assert set(job.start) <= set(plan.zero_shots)
    for job in plan.soups.values():
        assert job.held_out in plan.datasets
        assert set(job.ingredients) <= set(plan.runs)
        assert job.ingredients
    for job in plan.evaluations.values():
        assert set(job.tests) <= set(plan.datasets)
        assert {member["end"] for member in job.spec["members"]} <= models
    assert set(plan.studies) == {"objects/seed0", "objects/seed1"}
    for study in plan.studies.values():
        assert set(study.evaluations) <= set(plan.evaluations)
        roles = dict(study.roles)
        assert roles.pop("held-out") == "held-out"
        assert roles.pop("reference") == "reference"
        assert roles.pop("corrupted") == "corrupted"
        assert roles == dict.fromkeys(config["data"]["shifts"], "shift")
    own = [job for job in plan.evaluations.values() if not job.sweep_start]
    ends = [member["end"] for job in own for member in job.spec["members"]]
    both = set(plan.zero_shots)  # on the data of each seed
    assert sorted(e for e in ends if e in both) == sorted([*both, *both])
    ends = [end for end in ends if end not in both]
    adversaries = {
        job.adversary
        for job in plan.datasets.values()
        if isinstance(job, FilteredDataset)
    }
    assert sorted(ends) == sorted(models - adversaries - both), (
        "every model is evaluated once"
    )


def test_soups_take_every_end_to_end_run_unless_told(config):
    config["soups"]["two"] = {"method": "uniform", "ingredients": ["base", "search-01"]}
    plan = plan_of(config)
    runs, soups = named(plan, "runs"), named(plan, "soups")
    searched = [f"search-{i:02d}" for i in range(config["finetune"]["search"]["runs"])]
    expected = {runs["base"], *(runs[name] for name in searched)}
    assert set(plan.soups[soups["greedy"]].ingredients) == expected
    assert set(plan.soups[soups["two"]].ingredients) == {
        runs["base"],
        runs["search-01"],
    }
    assert "ingredients" not in plan.soups[soups["two"]].spec


def test_the_order_of_ingredients_does_not_count(config):
    found = []
    for ingredients in (["base", "search-01"], ["search-01", "base"]):
        config["soups"]["two"] = {"method": "uniform", "ingredients": ingredients}
        found.append(ids(plan_of(config)))
    assert found[0] == found[1]


# What changes when.


def test_one_hyperparameter_changes_its_run_and_what_follows(config):
    config["evaluation"]["models_per_job"] = 1
    config["sweep"]["targets"] = ["base", "linear", "greedy"]
    before = plan_of(config)
    config["finetune"]["runs"]["base"]["lr"] = 1.0e-4
    assert changed(before, plan_of(config)) == {
        "runs": {"base"},
        "soups": DERIVED | {"chosen"},
        "evaluations": {"base", "chosen", *DERIVED, "base-sweep", "greedy-sweep"},
    }


def test_a_run_that_enters_no_soup_changes_itself_alone(config):
    config["evaluation"]["models_per_job"] = 1
    config["sweep"]["targets"] = ["base", "linear", "greedy"]
    before = plan_of(config)
    config["finetune"]["runs"]["linear"]["lr"] = 1.0e-2
    assert changed(before, plan_of(config)) == {
        "runs": {"linear"},
        "evaluations": {"linear", "linear-sweep"},
    }


@pytest.mark.parametrize(
    ("name", "value"),
    {
        "epochs": 5,
        "batch_size": 65,
        "lr": 3.1e-4,
        "weight_decay": 0.2,
        "warmup": 0.2,
        "label_smoothing": 0.01,
        "grad_clip_norm": 2.0,
        "min_crop_area": 0.8,
    }.items(),
)
def test_every_hyperparameter_counts(config, name, value):
    before = named(plan_of(config), "runs")
    config["finetune"]["runs"]["base"][name] = value
    after = plan_of(config)
    assert named(after, "runs")["base"] != before["base"]
    assert after.runs[named(after, "runs")["base"]].spec[name] == value


def test_swapping_learning_rate_and_weight_decay_counts(config):
    base = config["finetune"]["runs"]["base"]
    base |= {"lr": 0.01, "weight_decay": 0.02}
    before = named(plan_of(config), "runs")
    base |= {"lr": 0.02, "weight_decay": 0.01}
    after = named(plan_of(config), "runs")
    assert after.pop("base") != before.pop("base")
    assert after == before


def test_a_default_given_again_changes_nothing(config):
    before = ids(plan_of(config))
    config["finetune"]["runs"]["base"] = dict(config["finetune"]["defaults"])
    assert ids(plan_of(config)) == before


def test_an_alpha_changes_the_sweeps_alone(config):
    before = plan_of(config)
    config["sweep"]["alphas"] = [*config["sweep"]["alphas"], 0.55]
    sweeps = {f"{name}-sweep" for name in config["sweep"]["targets"]}
    assert changed(before, plan_of(config)) == {"evaluations": sweeps}


def test_a_sweep_more_is_a_family_more(config):
    before = plan_of(config)
    config["sweep"]["targets"] = ["search-03", *config["sweep"]["targets"]]
    assert changed(before, plan_of(config)) == {"evaluations": {"search-03-sweep"}}


@pytest.mark.parametrize("off", ["alphas", "targets"])
def test_without_a_sweep_every_model_is_evaluated_once(config, off):
    config["sweep"][off] = []
    plan = plan_of(config)
    ends = [m["end"] for f in plan.evaluations.values() for m in f.spec["members"]]
    assert len(set(ends)) == len(ends)


def test_order_and_type_of_alphas_do_not_count(config):
    before = ids(plan_of(config))
    alphas = config["sweep"]["alphas"]
    config["sweep"]["alphas"] = [1, 0, *reversed(alphas[1:-1])]
    assert ids(plan_of(config)) == before


def test_a_shift_changes_evaluations_alone(config):
    before = plan_of(config)
    config["datasets"]["printed"] = {
        "source": "world",
        "task": "objects",
        "distribution": "typeset",
        "images": 10,
    }
    assert changed(before, plan_of(config)) == {}, "a data set in no part is not made"
    config["data"]["shifts"].append("printed")
    assert changed(before, plan_of(config)) == {
        "datasets": {"printed"},
        "evaluations": set(named(before, "evaluations")),
    }


def test_prompts_and_training_data_change_what_follows_from_them(config, tmp_path):
    before = plan_of(config)
    prompts = tmp_path / "prompts.txt"
    prompts.write_text((ROOT / config["head"]["prompts"]).read_text() + "one more {}\n")
    runs, tuned = (
        named(before, "runs"),
        named(before, "evaluations").keys() - {"baselines"},
    )
    finetuned = {name for name in runs if before.runs[runs[name]].start}
    other = copy.deepcopy(config)
    other["head"]["prompts"] = str(prompts)
    found = changed(before, plan_of(other))
    assert found.pop("evaluations") >= tuned
    assert found == {
        "zero_shots": {"zero-shot"},
        "runs": finetuned,
        "soups": DERIVED | {"chosen"},
    }
    other = copy.deepcopy(config)
    other["datasets"]["train"]["images"] += 1
    found = changed(before, plan_of(other))
    assert found["datasets"] == {"train"}
    assert found["runs"] == finetuned


def test_the_adversary_has_its_own_training_data(config):
    before = plan_of(config)
    config["datasets"]["adversary-train"]["images"] += 1
    found = changed(before, plan_of(config))
    assert found == {
        "datasets": {"adversary-train", "adversarial"},
        "runs": {"adversary"},
        "evaluations": set(named(before, "evaluations")),
    }
    adversary = before.runs[named(before, "runs")["adversary"]]
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
    found = changed(before, plan_of(config))
    assert found["datasets"] == {"adversarial", "wide", "adversary-train"}
    assert found["runs"] == {"adversary"}
    config["adversary"] |= {"train": "nowhere", "lr": 1.0}
    assert changed(before, plan_of(config)) == found


def test_an_adversary_must_know_the_classes_of_its_pool(config):
    config["datasets"]["adversary-train"]["task"] = "digits"
    with pytest.raises(
        StockpotError,
        match=r"datasets\.held-out: .*'ball'.*adversary-train \(adversary\.train\): zero",
    ):
        plan_of(config)


def test_the_model_changes_all_but_the_data(config, tmp_path):
    before = plan_of(config)
    for file in ARCHITECTURE.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = tmp_path / "open_clip_config.json"
    settings.write_text(settings.read_text().replace('"layers": 4', '"layers": 3'))
    config["model"]["architecture"] = str(tmp_path)
    after = plan_of(config)
    assert after.model.id != before.model.id
    assert {"zero_shots", "runs", "soups"} <= set(changed(before, after))
    assert "datasets" not in changed(before, after)


# The last byte of the weights; of the vocabulary one of the time in its header, as a gzip file
# with a damaged end is refused.
@pytest.mark.parametrize(
    ("file", "byte"), [("open_clip_model.safetensors", -1), ("bpe.txt.gz", 4)]
)
def test_a_model_is_its_content_not_its_place(config, tmp_path, file, byte):
    before = plan_of(config)
    shutil.copytree(ARCHITECTURE, tmp_path, dirs_exist_ok=True)
    config["model"]["architecture"] = str(tmp_path)
    assert plan_of(config).model.id == before.model.id
    content = bytearray((tmp_path / file).read_bytes())
    content[byte] ^= 1
    (tmp_path / file).write_bytes(content)
    after = plan_of(config)
    assert after.model.id != before.model.id
    assert not after.zero_shots.keys() & before.zero_shots.keys()


@pytest.mark.parametrize("size", [32, [32], [32, 32], None])
def test_the_side_of_the_input_is_read_as_open_clip_does(config, tmp_path, size):
    shutil.copytree(ARCHITECTURE, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "open_clip_config.json"
    settings = json.loads(path.read_text())
    settings["preprocess_cfg"]["size"] = size
    if size is None:
        del settings["preprocess_cfg"]["size"]
    path.write_text(json.dumps(settings))
    config["model"]["architecture"] = str(tmp_path)
    assert plan_of(config).model.transform["image_size"] == 32


def test_an_input_that_is_not_square_is_refused(config, tmp_path):
    shutil.copytree(ARCHITECTURE, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "open_clip_config.json"
    path.write_text(path.read_text().replace("[32, 32]", "[32, 48]"))
    config["model"]["architecture"] = str(tmp_path)
    with pytest.raises(StockpotError, match=r"model\.architecture: .*not square"):
        plan_of(config)


def test_pretraining_needs_no_weights_and_counts(config, tmp_path):
    (tmp_path / "open_clip_config.json").write_bytes(
        (ARCHITECTURE / "open_clip_config.json").read_bytes()
    )
    shutil.copy(ARCHITECTURE / "bpe.txt.gz", tmp_path)
    config["model"] |= {"architecture": str(tmp_path), "pretrain": True}
    before = plan_of(config)
    assert before.model.pretraining == config["pretraining"]
    assert "weights" not in before.model.files
    config["pretraining"]["steps"] += 1
    after = plan_of(config)
    assert after.model.id != before.model.id
    assert not after.zero_shots.keys() & before.zero_shots.keys()


@pytest.mark.parametrize("path", ["statistics.confidence", "figures.shifts", "threads"])
def test_what_is_measured_later_changes_no_artefact(config, path):
    before = ids(plan_of(config))
    section, _, key = path.partition(".")
    value = {"confidence": 0.9, "shifts": {"width": 3}}.get(key, 2)
    config[section] = {**config[section], key: value} if key else value
    assert ids(plan_of(config)) == before


# Random search.


def test_search_points_stay_when_there_are_more(config):
    before = plan_of(config)
    count = config["finetune"]["search"]["runs"]
    config["finetune"]["search"]["runs"] += 3
    after = plan_of(config)
    assert before.runs.items() <= after.runs.items()
    new = set(named(after, "runs")) - set(named(before, "runs"))
    assert new == {f"search-{i:02d}" for i in range(count, count + 3)}


def test_search_points_differ_and_keep_to_their_space():
    space = {
        "lr": {"log_uniform": [1.0e-5, 1.0e-1]},
        "min_crop_area": {"uniform": [0.5, 0.9]},
        "epochs": {"integers": [2, 4]},
        "label_smoothing": {"choice": [0.0, 0.1]},
    }
    points = [draw({"seed": 3, "space": space}, i) for i in range(300)]
    assert all(set(point) == set(space) for point in points)
    assert all(
        1.0e-5 <= p["lr"] <= 1.0e-1 and 0.5 <= p["min_crop_area"] <= 0.9 for p in points
    )
    assert {p["epochs"] for p in points} == {2, 3, 4}
    assert {p["label_smoothing"] for p in points} == {0.0, 0.1}
    assert len({p["lr"] for p in points}) > 250
    per_decade = [
        sum(10.0**-e <= p["lr"] < 10.0 ** (1 - e) for p in points) for e in (5, 4, 3, 2)
    ]
    assert min(per_decade) > 40, "log-uniform: 75 expected in each"
    shuffled = {"space": dict(reversed(space.items())), "seed": 3}
    assert [draw(shuffled, i) for i in range(300)] == points
    assert [draw({"seed": 4, "space": space}, i) for i in range(300)] != points


def test_seeds_share_the_zero_shot_model_and_search_points_and_nothing_else(config):
    plans = [plan_of({**config, "seeds": [seed]}) for seed in (0, 1)]
    assert ids(plans[0]) & ids(plans[1]) == set(plans[0].zero_shots)
    specs = [
        {n: plan.runs[run_id].spec for n, run_id in named(plan, "runs").items()}
        for plan in plans
    ]
    for name, first in specs[0].items():
        second = specs[1][name]
        assert first["seed"] != second["seed"]
        assert {**first, "seed": 0} == {**second, "seed": 0}
    for name, dataset_id in named(plans[0], "datasets").items():
        other = plans[1].datasets[named(plans[1], "datasets")[name]].spec
        assert (plans[0].datasets[dataset_id].spec["seed"], other["seed"]) == (0, 1)
    seeds = [run.spec["seed"] for plan in plans for run in plan.runs.values()]
    assert len(set(seeds)) == len(seeds), "every run has its own"


def test_a_study_of_two_seeds_is_the_two_studies(config):
    both = plan_of({**config, "seeds": [0, 1]})
    one, two = (plan_of({**config, "seeds": [seed]}) for seed in (0, 1))
    for kind in KINDS:
        assert getattr(both, kind) == {**getattr(one, kind), **getattr(two, kind)}
    assert both.studies == {**one.studies, **two.studies}


# Classes.


@pytest.mark.parametrize("part", ["held_out", "reference", "shifts"])
def test_a_class_that_is_not_trained_cannot_be_tested(config, part):
    config["datasets"]["digits"] = {
        "source": "world",
        "task": "digits",
        "distribution": "typeset",
        "images": 10,
    }
    config["data"][part] = ["digits"] if part == "shifts" else "digits"
    with pytest.raises(
        StockpotError,
        match=r"datasets\.digits: .*'zero'.*train \(data\.train\): ball, box",
    ):
        plan_of(config)


def test_class_names_are_those_that_the_sources_give(tmp_path):
    entries = {
        task: {
            "source": "world",
            "task": task,
            "distribution": "reference",
            "images": 2,
        }
        for task in ("objects", "digits", "textures", "colours")
    }
    entries["scans"] = {"source": "handwriting", "part": "train"}
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4)).save(tmp_path / name / "1.png")
    entries["own"] = {"source": "folder", "path": str(tmp_path)}
    for name, entry in entries.items():
        spec = {"name": name, "seed": 0, "image_size": 32, **entry}
        expected = sources.load(entry["source"])(spec).class_names
        assert class_names(entries, name, Path) == expected
    entries["hard"] = {"source": "adversarial", "pool": "scans", "images": 1}
    assert class_names(entries, "hard", Path) == class_names(entries, "scans", Path)


# Folders of images.


@pytest.fixture
def own(config, tmp_path):
    """A config whose first shift is a folder of images, and the folder."""
    folder = tmp_path / "own"
    for name in ("ball", "moon"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(name.encode())
    config["datasets"]["own"] = {"source": "folder", "path": str(folder)}
    config["data"]["shifts"] = ["own"]
    return config, folder


def test_a_folder_has_one_id_and_its_listing_in_its_spec(own):
    config, folder = own
    before = plan_of(config)
    job = before.datasets[named(before, "datasets")["own"]]
    (folder / "ball/2.png").write_bytes(b"second")
    after = plan_of(config)
    assert ids(after) == ids(before)
    assert after.datasets[named(after, "datasets")["own"]] != job
    (folder / "ball/2.png").unlink()
    assert plan_of(config).datasets == before.datasets


@pytest.mark.parametrize(
    "name", [".DS_Store", "ball/.DS_Store", "ball/Thumbs.db", "README.md"]
)
def test_a_file_that_is_not_read_prepares_nothing_again(own, name):
    config, folder = own
    before = plan_of(config)
    (folder / name).write_bytes(b"x")
    after = plan_of(config)
    assert after.datasets == before.datasets
    assert ids(after) == ids(before)
    assert any(f"not read of {folder}" in line for line in after.summary)


@pytest.mark.parametrize("change", ["size", "time", "name"])
def test_a_file_that_changes_is_seen_without_reading_it(own, change):
    config, folder = own
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


def test_seeds_share_a_folder(own):
    config, _ = own
    plan = plan_of({**config, "seeds": [0, 1]})
    own_sets = [name for name in plan.datasets if name.startswith("own-")]
    assert len(own_sets) == 1


# The studies that come with the project.


@pytest.mark.parametrize(
    "path", (ROOT / "tests/configs").glob("*.yaml"), ids=lambda path: path.stem
)
def test_the_studies_of_the_tests_are_valid(schema, tmp_path, path):
    def locate(given):
        """A path of the project, or a folder with two images in place of the user's own."""
        if (path.parent / given).is_file():
            return path.parent / given
        if not (ROOT / given).exists():
            for name in ("ball", "moon"):
                (tmp_path / given / name).mkdir(parents=True, exist_ok=True)
                (tmp_path / given / name / "1.png").touch()
            return tmp_path / given
        return ROOT / given

    given = read_study(ROOT, [path])
    study = given.located()
    check_config(study, schema, given.paths)
    plan = spec.build(study, locate)
    assert len(plan.studies) == len(study["seeds"])
    assert plan.runs


def test_what_analyses_know_of_the_models(config):
    config["finetune"]["runs"] |= {
        "few": {"shots": 4, "epochs": 10},
        "both": {"second_dataset": "standard-train"},
        "other": {"task": "second"},
    }
    second = {
        "source": "world",
        "task": "textures",
        "distribution": "reference",
        "images": 50,
    }
    config["datasets"] |= {
        "textures-train": second,
        "textures-held-out": {**second, "images": 40},
    }
    config["tasks"] = {
        "second": {
            "train": "textures-train",
            "held_out": "textures-held-out",
            "prompts": "resources/prompts/textures.txt",
        }
    }
    config["soups"]["mix"] = {
        "method": "learned",
        "ingredients": ["base", "few"],
        "epochs": 3,
    }
    study = plan_of(config).studies["objects/seed0"]
    models, epochs = study.models, config["finetune"]["defaults"]["epochs"]
    assert models["base"]["images"] == epochs * 2500
    assert models["base"]["own"]
    assert models["few"]["images"] == 10 * 4 * 16
    # An epoch stays as long as the training set, whatever the second set has.
    assert models["both"]["images"] == epochs * 2500
    assert models["other"]["images"] == epochs * 50
    assert not models["other"]["own"]
    assert "id" not in models["other"]
    assert models["few"]["id"] == study.runs["few"]
    assert models["mix"]["images"] == 3 * 1000
    assert models["mix"]["ingredients"] == ["base", "few"]
    assert models["mix"]["kind"] == "learned"
    assert "linear" not in study.runs
    assert "other" not in study.runs
    assert set(study.runs) <= set(models["uniform"]["ingredients"])
    json.dumps(models)


def test_a_corrupted_set_follows_from_the_held_out_set_and_its_severity(config):
    before = plan_of(config)
    (corrupted,) = (
        job for job in before.datasets.values() if isinstance(job, CorruptedDataset)
    )
    assert corrupted.dataset == named(before, "datasets")["held-out"]
    config["datasets"]["corrupted"]["severity"] = 5
    moved = changed(before, plan_of(config))
    assert moved["datasets"] == {"corrupted"}
    assert "runs" not in moved
    assert "soups" not in moved
    config["datasets"]["held-out"]["images"] = 500
    assert {"corrupted", "held-out"} <= changed(before, plan_of(config))["datasets"]
    config["data"]["corrupted"] = []
    assert not any(
        isinstance(job, CorruptedDataset) for job in plan_of(config).datasets.values()
    )


def test_a_table_of_published_models_counts_by_its_content(config, tmp_path):
    table = tmp_path / "models.csv"
    table.write_text("model,reference,v2\nb,0.7,0.4\nc,0.6,0.3\nd,0.5,0.2\n")
    config["baselines"] = {
        **config["baselines"],
        "models": {},
        "table": {"path": str(table)},
    }
    first = plan_of(config).published_models
    assert first["path"] == str(table)
    assert set(first) == {"path", "sha256"}
    table.write_text("model,reference,v2\nb,0.7,0.4\nc,0.6,0.3\nd,0.5,0.1\n")
    assert plan_of(config).published_models["sha256"] != first["sha256"]
    assert (
        plan_of(
            {**config, "baselines": {**config["baselines"], "table": {}}}
        ).published_models
        == {}
    )


def test_a_saved_plan_is_the_plan(config, tmp_path):
    """What a job on another node takes instead of looking at the data again."""
    plan, file = spec.build(config, lambda path: ROOT / path), tmp_path / "plan.json"
    assert load_plan(file, config) is None
    save_plan(plan, file, config)
    assert load_plan(file, config) == plan
    assert load_plan(file, config | {"threads": 7}) is None
    file.write_text("{")
    assert load_plan(file, config) is None


@pytest.mark.parametrize("change", [{"plan": {"another": 1}}, {"plan": None}, {}])
def test_a_plan_of_another_version_is_none(config, tmp_path, change):
    file = tmp_path / "plan.json"
    write_sealed(file, {"config": short(config), **change})
    assert load_plan(file, config) is None


def test_a_plan_says_what_there_is_to_measure_on(config):
    """And, of few images, how little an accuracy on them says; not of those to train on."""
    config["datasets"]["held-out"]["images"] = 100
    config["datasets"]["train"]["images"] = 200
    told = plan_of(config).summary
    assert "data.train: train, 200 images of 16 classes" in told
    assert (
        "data.held_out: held-out, 100 images of 16 classes; accuracies to ± 10 points"
        in told
    )


def test_the_file_that_says_that_data_sets_were_compared_comes_back(tmp_path):
    """A job that had to make it again would renew all training."""
    restore_compared(tmp_path)
    assert list(tmp_path.iterdir()) == [], "in a new folder the sets are compared first"
    (tmp_path / "classifiers").mkdir()
    restore_compared(tmp_path)
    assert not (tmp_path / "compared").exists(), "nothing was trained yet"
    (tmp_path / "classifiers/base-1234").mkdir()
    restore_compared(tmp_path)
    file = tmp_path / "compared"
    assert file.read_bytes() == b""
    os.utime(file, (1, 1))
    restore_compared(tmp_path)
    assert file.stat().st_mtime == 1, "one that is there is left alone"
