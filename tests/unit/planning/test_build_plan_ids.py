"""From a config to a plan: which ids stay and which change."""

import copy
import random

import pytest

from stockpot.merging import methods
from stockpot.planning import build_plan
from stockpot.planning.data_jobs import FilteredDataset
from stockpot.planning.plan import prediction_settings
from tests.support.paths import ROOT
from tests.support.plans import KINDS, changed_names, ids_by_name, ids_of, plan_of

SOUPS_OF_EVERY_RUN = {"uniform", "greedy", "ensemble"}  # soups of every end-to-end run


def reordered(value, rng):
    """The same mappings with their keys in another order; lists stay as they are."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: reordered(value[key], rng) for key in keys}
    return (
        [reordered(entry, rng) for entry in value] if isinstance(value, list) else value
    )


def test_ids_are_readable_and_end_in_eight_digits(config):
    plan = plan_of(config)
    for kind in KINDS:
        for job_id in getattr(plan, kind):
            name, _, digits = job_id.rpartition("-")
            assert name
            assert len(digits) == 8
            assert set(digits) <= set("0123456789abcdef")
    assert set(ids_by_name(plan, "datasets")) == set(config["datasets"])
    searched = {f"search-{i:02d}" for i in range(config["finetune"]["search"]["runs"])}
    expected = {
        *config["finetune"]["runs"],
        *searched,
        *config["baselines"]["models"],
        "adversary",
    }
    assert set(ids_by_name(plan, "runs")) == expected


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
        assert ids_of(plan_of(other)) == ids_of(before)


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
    runs, soups = ids_by_name(plan, "runs"), ids_by_name(plan, "soups")
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
        found.append(ids_of(plan_of(config)))
    assert found[0] == found[1]


# What changes when.


def test_one_hyperparameter_changes_its_run_and_what_follows(config):
    config["evaluation"]["models_per_job"] = 1
    config["sweep"]["targets"] = ["base", "linear", "greedy"]
    before = plan_of(config)
    config["finetune"]["runs"]["base"]["lr"] = 1.0e-4
    assert changed_names(before, plan_of(config)) == {
        "runs": {"base"},
        "soups": SOUPS_OF_EVERY_RUN | {"chosen"},
        "evaluations": {
            "base",
            "chosen",
            *SOUPS_OF_EVERY_RUN,
            "base-sweep",
            "greedy-sweep",
        },
    }


def test_a_run_that_enters_no_soup_changes_itself_alone(config):
    config["evaluation"]["models_per_job"] = 1
    config["sweep"]["targets"] = ["base", "linear", "greedy"]
    before = plan_of(config)
    config["finetune"]["runs"]["linear"]["lr"] = 1.0e-2
    assert changed_names(before, plan_of(config)) == {
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
    before = ids_by_name(plan_of(config), "runs")
    config["finetune"]["runs"]["base"][name] = value
    after = plan_of(config)
    assert ids_by_name(after, "runs")["base"] != before["base"]
    assert after.runs[ids_by_name(after, "runs")["base"]].spec[name] == value


def test_swapping_learning_rate_and_weight_decay_counts(config):
    base = config["finetune"]["runs"]["base"]
    base |= {"lr": 0.01, "weight_decay": 0.02}
    before = ids_by_name(plan_of(config), "runs")
    base |= {"lr": 0.02, "weight_decay": 0.01}
    after = ids_by_name(plan_of(config), "runs")
    assert after.pop("base") != before.pop("base")
    assert after == before


def test_a_default_given_again_changes_nothing(config):
    before = ids_of(plan_of(config))
    config["finetune"]["runs"]["base"] = dict(config["finetune"]["defaults"])
    assert ids_of(plan_of(config)) == before


def test_an_alpha_changes_the_sweeps_alone(config):
    before = plan_of(config)
    config["sweep"]["alphas"] = [*config["sweep"]["alphas"], 0.55]
    sweeps = {f"{name}-sweep" for name in config["sweep"]["targets"]}
    assert changed_names(before, plan_of(config)) == {"evaluations": sweeps}


def test_a_sweep_more_is_a_family_more(config):
    before = plan_of(config)
    config["sweep"]["targets"] = ["search-03", *config["sweep"]["targets"]]
    assert changed_names(before, plan_of(config)) == {
        "evaluations": {"search-03-sweep"}
    }


@pytest.mark.parametrize("off", ["alphas", "targets"])
def test_without_a_sweep_every_model_is_evaluated_once(config, off):
    config["sweep"][off] = []
    plan = plan_of(config)
    ends = [m["end"] for f in plan.evaluations.values() for m in f.spec["members"]]
    assert len(set(ends)) == len(ends)


def test_order_and_type_of_alphas_do_not_count(config):
    before = ids_of(plan_of(config))
    alphas = config["sweep"]["alphas"]
    config["sweep"]["alphas"] = [1, 0, *reversed(alphas[1:-1])]
    assert ids_of(plan_of(config)) == before


def test_a_shift_changes_evaluations_alone(config):
    before = plan_of(config)
    config["datasets"]["printed"] = {
        "source": "world",
        "task": "objects",
        "distribution": "typeset",
        "images": 10,
    }
    assert changed_names(before, plan_of(config)) == {}, (
        "a data set in no part is not made"
    )
    config["data"]["shifts"].append("printed")
    assert changed_names(before, plan_of(config)) == {
        "datasets": {"printed"},
        "evaluations": set(ids_by_name(before, "evaluations")),
    }


def test_prompts_and_training_data_change_what_follows_from_them(config, tmp_path):
    before = plan_of(config)
    prompts = tmp_path / "prompts.txt"
    prompts.write_text((ROOT / config["head"]["prompts"]).read_text() + "one more {}\n")
    runs, tuned = (
        ids_by_name(before, "runs"),
        ids_by_name(before, "evaluations").keys() - {"baselines"},
    )
    finetuned = {name for name in runs if before.runs[runs[name]].start}
    other = copy.deepcopy(config)
    other["head"]["prompts"] = str(prompts)
    found = changed_names(before, plan_of(other))
    assert found.pop("evaluations") >= tuned
    assert found == {
        "zero_shots": {"zero-shot"},
        "runs": finetuned,
        "soups": SOUPS_OF_EVERY_RUN | {"chosen"},
    }
    other = copy.deepcopy(config)
    other["datasets"]["train"]["images"] += 1
    found = changed_names(before, plan_of(other))
    assert found["datasets"] == {"train"}
    assert found["runs"] == finetuned


@pytest.mark.parametrize("path", ["statistics.confidence", "figures.shifts", "threads"])
def test_what_is_measured_later_changes_no_artefact(config, path):
    before = ids_of(plan_of(config))
    section, _, key = path.partition(".")
    value = {"confidence": 0.9, "shifts": {"width": 3}}.get(key, 2)
    config[section] = {**config[section], key: value} if key else value
    assert ids_of(plan_of(config)) == before


def test_what_a_variant_draws_plays_no_part(config):
    ids = set()
    for lr in (0.1, 0.2):
        config["finetune"]["runs"]["linear"] = {"variant": "linear-search", "lr": lr}
        plan = build_plan.build(config, lambda path: ROOT / path)
        (run,) = (r for r in plan.runs.values() if r.spec["name"] == "linear")
        assert "lr" not in run.spec
        assert run.spec["trials"] == 64
        ids |= {run_id for run_id in plan.runs if run_id.startswith("linear-")}
    assert len(ids) == 1


def test_ingredients_keep_their_order_where_it_matters(config):
    config["sweep"]["targets"] = []
    config["soups"] = {"mix": {"method": "slerp", "ingredients": ["search-00", "base"]}}
    plan = build_plan.build(config, lambda path: ROOT / path)
    (soup,) = plan.soups.values()
    names = [plan.runs[run_id].spec["name"] for run_id in soup.ingredients]
    assert names == ["search-00", "base"]


def test_no_option_of_a_merge_is_overwritten_by_a_setting_of_evaluation(config):
    settings = {"name", *prediction_settings(config)}
    for method in methods.names():
        assert not settings & set(methods.options(method)), method
    config["evaluation"]["batch_size"] = 512
    config["soups"] = {"own": {"method": "learned", "images_per_step": 32}}
    config["sweep"]["targets"] = []
    (soup,) = plan_of(config).soups.values()
    assert soup.spec["images_per_step"] == 32
    assert soup.spec["batch_size"] == 512
