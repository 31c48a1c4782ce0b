"""Every wrong config gives a line with the key, the value and what is allowed."""

import copy
import json
import shutil
import struct
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from stockpot import analyses, figures
from stockpot.config.check import check_config
from stockpot.config.overlays import drop_stale_options, without_nulls
from stockpot.config.read import read_defaults
from stockpot.config.schema import with_plugin_options
from stockpot.config.training_runs import named_space, search_names
from stockpot.datasets import sources
from stockpot.datasets.classes import class_names
from stockpot.datasets.sources.handwriting import PARTS
from stockpot.datasets.sources.world import TASKS
from stockpot.datasets.world.distributions import DISTRIBUTIONS
from stockpot.merging import methods
from stockpot.planning import build_plan as spec
from stockpot.runtime import registry
from stockpot.runtime.errors import StockpotError
from stockpot.training import variants
from stockpot.training.random_search import draw
from tests.support.paths import ARCHITECTURE, ROOT


def put(config: dict, path: str, value) -> None:
    *parents, last = path.split("/")
    for key in parents:
        config = config[int(key) if isinstance(config, list) else key]
    config[last] = value


def problems(config, schema, files=()) -> list[str]:
    """The lines of what is wrong with a config, as its reader sees them."""

    def read():
        check_config(config, schema, files)
        spec.build(config, lambda path: ROOT / path)

    with pytest.raises(StockpotError) as error:
        read()
    return str(error.value).splitlines()


def test_the_embedded_study_is_valid(config, schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    check_config(config, schema, [str(ROOT / "config.yaml")])


# path of the key, wrong value, what the one line must contain
WRONG = {
    "unknown key at the top": (
        "nonsense",
        1,
        ["config:", "'nonsense'", "datasets", "finetune"],
    ),
    "unknown nested key": (
        "finetune/defaults/leraning_rate",
        1,
        ["finetune.defaults:", "'leraning_rate'", "lr"],
    ),
    "unknown key of a run": (
        "finetune/runs/base/lrr",
        1,
        ["finetune.runs.base:", "'lrr'", "lr"],
    ),
    "unknown key of a data set": (
        "datasets/train/number",
        1,
        ["datasets.train:", "'number'", "distribution", "images"],
    ),
    "number as text": (
        "finetune/defaults/lr",
        "1e-5",
        ["finetune.defaults.lr:", "'1e-5'", "1.0e-5"],
    ),
    "text for a number": ("threads", "two", ["threads:", "'two'", "integer"]),
    "fraction of a thread": ("threads", 1.5, ["threads:", "1.5", "integer"]),
    "truth for a number": (
        "finetune/defaults/epochs",
        True,
        ["finetune.defaults.epochs:", "True"],
    ),
    "number for a name": ("study", 7, ["study:", "7", "string"]),
    "list for a mapping": ("soups", ["greedy"], ["soups:", "['greedy']", "object"]),
    "nothing for a mapping": (
        "finetune/runs/base",
        None,
        ["finetune.runs.base:", "None"],
    ),
    "name with a slash": (
        "study",
        "a/b",
        ["study:", "'a/b'", "letters, digits and hyphens"],
    ),
    "run with a blank": (
        "finetune/runs/a b",
        {},
        ["finetune.runs:", "'a b'", "letters"],
    ),
    "alpha above 1": (
        "sweep/alphas",
        [0.0, 1.5],
        ["sweep.alphas.1:", "1.5", "maximum of 1"],
    ),
    "alpha below 0": (
        "sweep/alphas",
        [-0.1],
        ["sweep.alphas.0:", "-0.1", "minimum of 0"],
    ),
    "alpha twice": (
        "sweep/alphas",
        [0.5, 0.5],
        ["sweep.alphas:", "[0.5, 0.5]", "non-unique"],
    ),
    "no epoch": (
        "finetune/defaults/epochs",
        0,
        ["finetune.defaults.epochs:", "0", "minimum of 1"],
    ),
    "no learning rate": ("finetune/defaults/lr", 0, ["finetune.defaults.lr:", "0"]),
    "confidence in percent": (
        "statistics/confidence",
        95,
        ["statistics.confidence:", "95", "1"],
    ),
    "unknown axis": (
        "statistics/axis",
        "log",
        ["statistics.axis:", "'log'", "logit, probit"],
    ),
    "unknown precision": (
        "evaluation/precision",
        "fp16",
        ["evaluation.precision:", "'fp16'", "auto, bf16, fp32"],
    ),
    "unknown source": (
        "datasets/train",
        {"source": "wrld"},
        ["datasets.train.source:", "'wrld'", "world, ytbb-robust, adversarial"],
    ),
    "unknown distribution": (
        "datasets/train/distribution",
        "photo",
        ["datasets.train.distribution:", "'photo'", "reference", "sketch"],
    ),
    "unknown task": (
        "datasets/train/task",
        "cats",
        ["datasets.train.task:", "'cats'", "objects"],
    ),
    "unknown training set": (
        "data/train",
        "trian",
        ["data.train:", "'trian'", "held-out"],
    ),
    "unknown held-out set": (
        "data/held_out",
        "x",
        ["data.held_out:", "'x'", "held-out"],
    ),
    "unknown shift": (
        "data/shifts",
        ["v2", "v3"],
        ["data.shifts.1:", "'v3'", "renditions"],
    ),
    "unknown pool": (
        "datasets/adversarial/pool",
        "w",
        ["datasets.adversarial.pool:", "'w'", "wide"],
    ),
    "unknown data of the baseline": (
        "baselines/train",
        "x",
        ["baselines.train:", "'x'", "train"],
    ),
    "unknown data of the adversary": (
        "adversary/train",
        "x",
        ["adversary.train:", "'x'", "adversary-train"],
    ),
    "one set in two parts": (
        "data/reference",
        "held-out",
        ["data:", "'held-out'", "two roles"],
    ),
    "unknown run in the sweep": (
        "sweep/targets",
        ["bass"],
        ["sweep.targets.0:", "'bass'", "base", "greedy"],
    ),
    "an ensemble in the sweep": (
        "sweep/targets",
        ["base", "ensemble"],
        ["sweep.targets.1:", "'ensemble'", "only weights"],
    ),
    "unknown run in a soup": (
        "soups/uniform/ingredients",
        ["base", "search-99"],
        ["soups.uniform.ingredients.1:", "'search-99'", "search-00"],
    ),
    "a soup in a soup": (
        "soups/uniform/ingredients",
        ["greedy"],
        ["soups.uniform.ingredients.0:", "'greedy'", "base"],
    ),
    "an empty soup": (
        "soups/uniform/ingredients",
        [],
        ["soups.uniform.ingredients:", "[]"],
    ),
    "a run named as a soup": ("finetune/runs/greedy", {}, ["greedy:", "two models"]),
    "a run named as a search": (
        "finetune/runs/search-00",
        {},
        ["search-00:", "two models"],
    ),
    "a run named zero-shot": (
        "finetune/runs/zero-shot",
        {},
        ["zero-shot:", "two models"],
    ),
    "a soup named as a baseline": (
        "soups/standard-600",
        {"method": "uniform"},
        ["standard-600:", "two models"],
    ),
    "unknown hyperparameter to search": (
        "finetune/search/space/lrr",
        {"choice": [1]},
        ["finetune.search.space:", "'lrr'", "lr"],
    ),
    "unknown way to draw": (
        "finetune/search/space/lr",
        {"normal": [0, 1]},
        ["finetune.search.space.lr:", "'normal'", "log_uniform", "choice"],
    ),
    "a range that runs backwards": (
        "finetune/search/space/lr",
        {"log_uniform": [2.0, 1.0]},
        ["finetune.search.space.lr.log_uniform:", "2.0 is larger than 1.0"],
    ),
    "the logarithm of zero": (
        "finetune/search/space/lr",
        {"log_uniform": [0, 1.0]},
        ["finetune.search.space.lr.log_uniform:", "0 is not above 0"],
    ),
    "a baseline of another variant": (
        "baselines/models/standard-600",
        {"variant": "end-to-end"},
        ["baselines.models.standard-600.variant:", "'end-to-end'", "'from-scratch'"],
    ),
    "a fine-tuned model from scratch": (
        "finetune/runs/base",
        {"variant": "from-scratch"},
        [
            "finetune.runs.base.variant:",
            "'from-scratch'",
            "end-to-end, linear-classifier",
        ],
    ),
    "more images than there are": (
        "baselines/models/standard-600",
        {"images": 999_999},
        ["baselines.models.standard-600.images:", "999999"],
    ),
    "more images for the adversary than there are": (
        "adversary/images",
        999_999,
        ["adversary.images:", "999999"],
    ),
    "unknown option of a figure": (
        "figures/alpha",
        {"colums": 2},
        ["figures.alpha:", "'colums'", "columns"],
    ),
    "unknown analysis": (
        "analyses/calibratoin",
        {},
        ["analyses.calibratoin:", "unknown analysis", "calibration"],
    ),
    "unknown kind of analysis": (
        "analyses/mine",
        {"analysis": "x"},
        ["analyses.mine:", "unknown analysis 'x'", "pairs"],
    ),
    "unknown option of an analysis": (
        "analyses/calibration",
        {"bin": 3},
        ["analyses.calibration:", "'bin'", "bins, models"],
    ),
    "unknown option of a named analysis": (
        "analyses/mine",
        {"analysis": "pairs", "bins": 3},
        ["analyses.mine:", "'bins'", "step"],
    ),
    "unknown run of an analysis": (
        "analyses/pairs",
        {"models": ["base", "bass"]},
        ["analyses.pairs.models.1:", "unknown end-to-end run 'bass'", "search-00"],
    ),
    "a soup as a run of an analysis": (
        "analyses/growing",
        {"models": ["greedy"]},
        ["analyses.growing.models.0:", "'greedy'"],
    ),
    "unknown model of a comparison": (
        "analyses/comparisons",
        {"pairs": [["base", "base alpha=0.55"]]},
        [
            "analyses.comparisons.pairs.0.1:",
            "'base alpha=0.55'",
            "base alpha=0.0",
            "greedy",
        ],
    ),
    "unknown soup of a diagnosis": (
        "analyses/diagnosis",
        {"soup": "stew"},
        ["analyses.diagnosis.soup:", "'stew'", "uniform"],
    ),
    "unknown sweep of a frontier": (
        "analyses/frontier",
        {"sweep": "uniform"},
        ["analyses.frontier.sweep:", "'uniform'"],
    ),
    "one model of a pair": (
        "analyses/comparisons",
        {"pairs": [["base"]]},
        ["analyses.comparisons.pairs.0:", "base"],
    ),
    "no bins": (
        "analyses/calibration",
        {"bins": 0},
        ["calibration.bins:", "minimum of 1"],
    ),
    "unknown page": ("pages", ["cover"], ["pages.0:", "'cover'", "overview, explore"]),
    "breakpoint of no shift": (
        "statistics/breakpoints",
        {"x": [0.5]},
        ["statistics.breakpoints.x:", "'x'", "sketch", "shifts"],
    ),
    "breakpoint outside": (
        "statistics/breakpoints",
        {"v2": [1.0]},
        ["statistics.breakpoints.v2.0:", "not below 1"],
    ),
    "unknown column of published models": (
        "baselines",
        {"models": {}, "table": {"path": "README.md", "columns": {"x": "y"}}},
        ["baselines.table.columns.x:", "unknown test set 'x'", "reference"],
    ),
    "unknown unit": (
        "baselines/table",
        {"path": "README.md", "unit": "permille"},
        ["baselines.table.unit:", "'permille'", "fraction, percent"],
    ),
    "no table of published models": (
        "baselines",
        {"models": {}, "table": {"path": "no/such.csv"}},
        ["baselines.table.path:", "no/such.csv"],
    ),
    "published models beside those to train": (
        "baselines/table",
        {"path": "README.md"},
        ["baselines:", "set models to null"],
    ),
    "logits that are not kept": (
        "evaluation/store_logits",
        False,
        ["analyses.calibration:", "store_logits: true"],
    ),
    "an analysis named as a figure": (
        "analyses/shifts",
        {"analysis": "cost"},
        ["analyses.shifts:", "name of a figure"],
    ),
    "a plane through one run": (
        "analyses/landscape",
        {"models": ["base"]},
        ["analyses.landscape.models:", "needs two"],
    ),
    "a soup of more runs than there are": (
        "analyses/growing",
        {"sizes": [20]},
        ["analyses.growing.sizes: 20", "there are 8"],
    ),
    "a point of a sweep as a run": (
        "analyses/brittleness",
        {"models": ["base alpha=0.5"]},
        ["brittleness.models.0:", "'base"],
    ),
    "a test set made of the held-out set": (
        "data",
        {
            "train": "train",
            "held_out": "held-out",
            "reference": "reference",
            "shifts": ["corrupted"],
            "corrupted": [],
        },
        ["data.shifts.0: 'corrupted' holds the same images as 'held-out'"],
    ),
    "a corrupted set of another set": (
        "datasets/corrupted",
        {"source": "corrupted", "dataset": "v2"},
        ["data.corrupted.0:", "'corrupted'", "of the held-out set"],
    ),
    "no corrupted set": (
        "data/corrupted",
        ["wide"],
        ["data.corrupted.0:", "'wide'", "of the held-out set"],
    ),
    "a severity of 6": (
        "datasets/corrupted",
        {"source": "corrupted", "severity": 6},
        ["datasets.corrupted.severity:", "6", "maximum of 5"],
    ),
    "an unknown selector": (
        "soups/greedy",
        {"method": "wise-ft", "alpha": "auto", "selector": "half"},
        ["soups.greedy.selector:", "'half'", "within-point"],
    ),
    "an alpha in words": (
        "soups/greedy",
        {"method": "wise-ft", "alpha": "best"},
        ["soups.greedy.alpha:", "'best'"],
    ),
    "no seed": ("seeds", [], ["seeds:", "[]"]),
    "a negative seed": ("seeds", [-1], ["seeds.0:", "-1", "minimum of 0"]),
    "no prompts file": (
        "head/prompts",
        "no/such.txt",
        ["head.prompts:", "no/such.txt"],
    ),
    "no architecture": (
        "model/architecture",
        "no/such",
        ["model.architecture:", "no/such"],
    ),
    "no folder": (
        "datasets/v2",
        {"source": "folder", "path": "no/such"},
        ["datasets.v2.path:", "no/such"],
    ),
}


ORIGINAL = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_named(config, schema, case):
    path, value, words = WRONG[case]
    put(config, path, value)
    if path == "baselines":
        config["baselines"] = {**ORIGINAL["baselines"], **value}
    if path == "evaluation/store_logits":
        config["analyses"] = {"calibration": {}}
    lines = problems(config, schema)
    assert len(lines) == 1, "one mistake, one line"
    assert [word for word in words if word not in lines[0]] == []


@pytest.mark.parametrize(
    "key", ["study", "sweep", "model/name", "sweep/alphas", "soups/greedy/method"]
)
def test_a_missing_key_is_named(config, schema, key):
    *parents, last = key.split("/")
    section = config
    for parent in parents:
        section = section[parent]
    del section[last]
    (line,) = problems(config, schema)
    assert line.startswith(f"{'.'.join(parents) or 'config'}: '{last}' is a required")


def test_a_missing_source_is_one_mistake(config, schema):
    del config["datasets"]["train"]["source"]
    (line,) = problems(config, schema)
    assert line.startswith("datasets.train: 'source' is a required")


def test_every_mistake_has_its_line(config, schema):
    config["threads"] = 0
    config["sweep"]["alphas"] = [2]
    config["finetune"]["defaults"]["lr"] = "1e-5"
    lines = problems(config, schema)
    assert sorted(line.split(":")[0] for line in lines) == [
        "finetune.defaults.lr",
        "sweep.alphas.0",
        "threads",
    ]


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("soups/greedy/method", methods.names()),
        ("finetune/runs/base/variant", sorted({*variants.names()} - {"from-scratch"})),
        ("figures/shaft", figures.names()),
    ],
)
def test_a_plug_in_that_is_not_there_is_named(config, schema, path, known):
    put(config, path, {} if path.startswith("figures") else "graedy")
    (line,) = problems(config, schema)
    wrong = "shaft" if path.startswith("figures") else "graedy"
    assert wrong in line
    assert all(name in line for name in known)


@pytest.mark.parametrize("path", ["data/held_out", "adversary/train"])
def test_what_the_adversary_needs_cannot_be_its_own_work(config, schema, path):
    if path == "data/held_out":
        config["data"]["shifts"].remove("adversarial")
    put(config, path, "adversarial")
    (line,) = problems(config, schema)
    assert line.startswith(path.replace("/", "."))
    assert "adversarial" in line


def test_an_adversary_that_filters_nothing_is_not_checked(config, schema):
    config["adversary"] |= {"train": "nowhere", "images": 999_999}
    config["finetune"]["runs"]["adversary"] = {}
    found = {line.split(":")[0] for line in problems(config, schema)}
    assert found == {"adversary", "adversary.train"}
    config["data"]["shifts"].remove("adversarial")
    check_config(config, schema)
    config["adversary"]["lr"] = "fast"
    (line,) = problems(config, schema)
    assert line.startswith("adversary.lr: 'fast'")


def test_a_standard_model_may_learn_from_an_adversarial_set(config, schema):
    """And then the adversary is needed, though no model is tested on its work."""
    config["data"]["shifts"].remove("adversarial")
    config["baselines"]["train"] = "adversarial"
    check_config(config, schema)
    config["adversary"]["train"] = "nowhere"
    (line,) = problems(config, schema)
    assert line.startswith("adversary.train: unknown data set 'nowhere'")


def test_an_adversarial_pool_cannot_be_adversarial(config, schema):
    config["datasets"]["second"] = {
        "source": "adversarial",
        "pool": "adversarial",
        "images": 1,
    }
    (line,) = problems(config, schema)
    assert line.startswith("datasets.second.pool:")
    assert "'adversarial'" in line


def test_a_choice_of_one_value_is_a_choice(config, schema):
    config["finetune"]["search"]["space"]["lr"] = {"choice": [1.0e-4]}
    check_config(config, schema)


@pytest.mark.parametrize(
    ("key", "distribution"),
    [
        ("epochs", {"integers": [0, 0]}),
        ("epochs", {"log_uniform": [1, 5]}),
        ("lr", {"choice": ["1e-5", 1.0e-4]}),
        ("min_crop_area", {"uniform": [0.5, 1.5]}),
    ],
)
def test_search_draws_only_what_a_run_may_be_given(config, schema, key, distribution):
    """finetune.runs refuses each of these; the search would find out in the middle of a job."""
    config["finetune"]["search"]["space"][key] = distribution
    lines = problems(config, schema)
    assert all(line.startswith(f"finetune.search.space.{key}") for line in lines)


def test_a_soup_needs_a_run(config, schema):
    config["finetune"] |= {"runs": {"linear": config["finetune"]["runs"]["linear"]}}
    config["finetune"]["search"]["runs"] = 0
    config["sweep"]["targets"] = []
    del config["soups"]["chosen"]
    (line,) = problems(config, schema)
    assert line.startswith("soups.")
    assert "no end-to-end run" in line


# The YAML file itself.


def repeated(tmp_path, config, schema, text):
    file = tmp_path / "study.yaml"
    file.write_text(text)
    return problems(config, schema, [str(file)])


@pytest.mark.parametrize(
    ("text", "where", "line"),
    [
        ("study: a\nthreads: 1\nstudy: b\n", "study", 3),
        (
            "finetune:\n  runs:\n    base: {}\n    base: {lr: 1.0}\n",
            "finetune.runs.base",
            4,
        ),
        ("x:\n- y: 1\n  z: 2\n  y: 3\n", "x.0.y", 4),
        ("datasets: {v2: {a: 1, b: 2,\n a: 3}}\n", "datasets.v2.a", 2),
    ],
)
def test_a_repeated_key_is_named(tmp_path, config, schema, text, where, line):
    (found,) = repeated(tmp_path, config, schema, text)
    assert found.startswith(f"{where}: given twice in study.yaml")
    assert found.endswith(f"line {line}")


def test_a_merge_key_may_repeat(tmp_path, config, schema):
    file = tmp_path / "study.yaml"
    file.write_text("a: &a {x: 1}\nb: &b {y: 1}\nc:\n  <<: *a\n  <<: *b\n  x: 2\n")
    check_config(config, schema, [str(file)])


def test_broken_yaml_is_one_line(tmp_path, config, schema):
    (found,) = repeated(tmp_path, config, schema, "study: a\n  b: : c\n")
    assert "study.yaml: not valid YAML" in found
    assert "line 2" in found


def test_null_takes_an_entry_away(config):
    config["finetune"]["runs"]["base"] = None
    config["soups"] = None
    config["sweep"]["targets"] = []
    left = without_nulls(config)
    assert set(left["finetune"]["runs"]) == {"linear"}
    assert left["soups"] == {}
    assert left["datasets"] == config["datasets"], "nothing else goes"
    config["figures"]["soups"] = None
    assert "soups" not in without_nulls(config)["figures"], (
        "a figure, not the map of soups"
    )


ALL = ["base", "search-00"]
MISFITS = {
    "a start that is no run": (
        {"finetune/runs/base": {"init_from": "nowhere"}},
        ["finetune.runs.base.init_from:", "'nowhere'", "linear", "zero-shot"],
    ),
    "starts in a circle": (
        {
            "finetune/runs/base": {"init_from": "linear"},
            "finetune/runs/linear": {
                "variant": "linear-classifier",
                "init_from": "base",
            },
        },
        ["init_from:", "goes in a circle"],
    ),
    "an unknown task": (
        {"finetune/runs/base": {"task": "birds"}},
        ["finetune.runs.base.task:", "'birds'", "none"],
    ),
    "a task without its data": (
        {
            "tasks": {
                "birds": {"train": "robins", "held_out": "held-out", "prompts": "p.txt"}
            }
        },
        ["tasks.birds.train:", "'robins'", "held-out"],
    ),
    "a second training set that is not there": (
        {"finetune/runs/base": {"second_dataset": "nothing"}},
        ["finetune.runs.base.second_dataset:", "'nothing'"],
    ),
    "a second training set that is a test set": (
        {"finetune/runs/base": {"second_dataset": "sketch"}},
        ["sketch", "holds the same images"],
    ),
    "weights of a baseline": (
        {"soups/mix": {"method": "uniform", "ingredients": ["base", "standard-600"]}},
        ["soups.mix.ingredients.1:", "'standard-600'", "logit-ensemble"],
    ),
    "architectures that differ": (
        {
            "soups/mix": {
                "method": "uniform",
                "ingredients": ["base", "standard-600"],
                "allow_different_lineages": True,
            }
        },
        ["soups.mix.ingredients.1:", "'standard-600'", "architecture"],
    ),
    "towers of outputs": (
        {"soups/mix": {"method": "softmax-ensemble", "towers_only": True}},
        ["soups.mix.towers_only:", "outputs"],
    ),
    "coefficients of others": (
        {
            "soups/mix": {
                "method": "logit-ensemble",
                "ingredients": ALL,
                "coefficients": {"base": 1},
            }
        },
        ["soups.mix.coefficients: has base, but needs one for each", "base, search-00"],
    ),
    "an average that is not saved": (
        {"soups/mix": {"method": "ema", "ingredients": ["base"], "decay": 0.9}},
        ["soups.mix.decay:", "'base'", "0.9", "none"],
    ),
    "a mean that is not saved": (
        {"soups/mix": {"method": "swa", "ingredients": ["base"]}},
        ["soups.mix:", "'base'", "swa"],
    ),
    "a decay of one": (
        {"finetune/runs/base": {"ema_decays": [1.0]}},
        ["finetune.runs.base.ema_decays.0: 1.0 is not below 1"],
    ),
    "an alpha out of range": (
        {"soups/mix": {"method": "wise-ft", "alpha": 1.5}},
        ["soups.mix.alpha:", "1.5"],
    ),
    "an alpha without the rest": (
        {"soups/mix": {"method": "wise-ft", "alpha": {"head.": 1}}},
        ["soups.mix.alpha", "''"],
    ),
    "another variant's option": (
        {"finetune/runs/linear": {"variant": "linear-classifier", "mixup": 0.4}},
        [
            "finetune.runs.linear:",
            "'mixup' is an option of end-to-end, not of linear-classifier",
        ],
    ),
    "a default start in a circle": (
        {"finetune/defaults/init_from": "linear"},
        [
            "finetune.defaults.init_from: linear from linear goes in a circle",
            "init_from: zero-shot",
        ],
    ),
    "a sweep to baselines": (
        {
            "soups/mix": {
                "method": "uniform",
                "ingredients": ["standard-600", "standard-1000"],
                "allow_different_lineages": True,
            },
            "sweep/targets": ["mix"],
        },
        ["sweep.targets.0: 'mix' mixes baselines"],
    ),
    "towers of any sum": (
        {"soups/mix": {"method": "learned", "space": "free", "towers_only": True}},
        ["soups.mix.space: free"],
    ),
    "a bias to where a run did not begin": (
        {
            "finetune/runs/base": {"init_from": "linear", "ema_decays": [0.99]},
            "soups/mix": {"method": "ema", "ingredients": ["base"], "biased": True},
        },
        ["soups.mix.biased: the run 'base' does not begin"],
    ),
    "two models for a method of one": (
        {"soups/mix": {"method": "mono-soup", "ingredients": ALL}},
        ["soups.mix.ingredients: mono-soup takes 1, not 2 (base, search-00)"],
    ),
    "every run for a method of two": (
        {"soups/mix": {"method": "slerp"}},
        ["soups.mix.ingredients: slerp takes 2, not 8"],
    ),
    "one learned coefficient at a time": (
        {"soups/mix": {"method": "learned", "ingredients_per_step": 1}},
        [
            "soups.mix.ingredients_per_step: 1 would change nothing",
            "2 or more, or 0 for all",
        ],
    ),
    "heads that began apart": (
        {"finetune/runs/base": {"initial_head": "random"}},
        [
            "soups.uniform.ingredients: 'search-00' begins with the zero-shot head",
            "'base'",
            "random head 0",
        ],
    ),
    "a number for a list": (
        {"finetune/runs/base": {"ema_decays": 0.99}},
        ["finetune.runs.base.ema_decays: 0.99 is not of type array; write a list"],
    ),
    "a distribution inside another": (
        {
            "finetune/search/space/mixup": {
                "mixture": [{"choice": [0]}, {"uniform": [1, 0]}]
            }
        },
        ["finetune.search.space.mixup.mixture.1.uniform:", "1 is larger than 0"],
    ),
    "a start to be drawn": (
        {"finetune/search/space/init_from": {"choice": ["linear"]}},
        ["finetune.search.space", "init_from"],
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_together_is_named(config, schema, case):
    edits, words = MISFITS[case]
    for path, value in edits.items():
        put(config, path, value)
    (line, *_) = problems(config, schema)
    assert [word for word in words if word not in line] == []


def test_a_sweep_to_a_run_of_another_task_is_named(config, schema):
    names = {
        "train": "wide",
        "held_out": "held-out",
        "prompts": "resources/prompts/objects.txt",
    }
    config["tasks"] = {"other": names}
    config["finetune"]["runs"]["base"] = {"task": "other"}
    lines = problems(config, schema)
    assert any(
        line.startswith("sweep.targets.0: 'base' has the classes of another")
        for line in lines
    )
    config["soups"]["mix"] = {"method": "uniform", "ingredients": ["base"]}
    lines = problems(config, schema)
    assert any(
        line.startswith(
            "soups.mix.ingredients.0: 'base' has the classes of another task; tower"
        )
        for line in lines
    )


def test_what_a_variant_draws_plays_no_part(config):
    ids = set()
    for lr in (0.1, 0.2):
        config["finetune"]["runs"]["linear"] = {"variant": "linear-search", "lr": lr}
        plan = spec.build(config, lambda path: ROOT / path)
        (run,) = (r for r in plan.runs.values() if r.spec["name"] == "linear")
        assert "lr" not in run.spec
        assert run.spec["trials"] == 64
        ids |= {run_id for run_id in plan.runs if run_id.startswith("linear-")}
    assert len(ids) == 1


def test_an_adversarial_set_may_be_trained_on(config, schema):
    """Its adversary is then one of the models that are planned, and checked."""
    config["data"]["shifts"] = ["v2", "sketch"]
    config["finetune"]["runs"]["base"] = {"second_dataset": "adversarial"}
    check_config(config, schema)
    plan = spec.build(config, lambda path: ROOT / path)
    assert any(run.spec["name"] == "adversary" for run in plan.runs.values())


def test_ingredients_keep_their_order_where_it_matters(config):
    config["sweep"]["targets"] = []
    config["soups"] = {"mix": {"method": "slerp", "ingredients": ["search-00", "base"]}}
    plan = spec.build(config, lambda path: ROOT / path)
    (soup,) = plan.soups.values()
    names = [plan.runs[run_id].spec["name"] for run_id in soup.ingredients]
    assert names == ["search-00", "base"]


def test_a_named_search_space_is_that_of_its_file(config, schema):
    config["finetune"]["search"]["space"] = "model-soups"
    check_config(named_space(config, ROOT / "resources/search_spaces"), schema)
    config["finetune"]["search"]["space"] = "model-soup"
    with pytest.raises(StockpotError, match="'model-soup'; did you mean 'model-soups'"):
        named_space(config, ROOT / "resources/search_spaces")


def test_the_search_of_the_72_published_models():
    """Their hyperparameters as released: half without mixup and smoothing, 0 to 2 operations."""
    space = yaml.safe_load(
        (ROOT / "resources/search_spaces/model-soups.yaml").read_text()
    )
    points = [draw({"seed": 0, "space": space}, i) for i in range(2000)]
    columns = {name: [point[name] for point in points] for name in space}
    for name, most in (("mixup", 0.9), ("label_smoothing", 0.25)):
        zeros = columns[name].count(0.0)
        assert 900 < zeros < 1100
        assert max(columns[name]) <= most
    assert 1e-6 <= min(columns["lr"]) < 1.1e-6
    assert 0.9e-4 < max(columns["lr"]) <= 1e-4
    assert 1e-4 <= min(columns["weight_decay"])
    assert max(columns["weight_decay"]) <= 0.631
    assert set(columns["randaugment_ops"]) == {0, 1, 2}
    assert set(columns["epochs"]) == set(range(4, 17))


def test_names_of_the_search(config):
    config["finetune"]["search"]["runs"] = 2
    assert search_names(config) == ["search-00", "search-01"]


# Files that the config names.


@pytest.fixture
def architecture(config, tmp_path):
    """A copy of the model's config in a folder without weights, set in the config."""
    text = (ARCHITECTURE / "open_clip_config.json").read_text()
    (tmp_path / "open_clip_config.json").write_text(text)
    shutil.copy(ARCHITECTURE / "bpe.txt.gz", tmp_path)
    config["model"]["architecture"] = str(tmp_path)
    return tmp_path


def safetensors(data=b"\0" * 16, end=16, **entries) -> bytes:
    header = {
        "a": {"dtype": "F32", "shape": [end // 4], "data_offsets": [0, end]},
        **entries,
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_weights_that_are_whole_pass(config, architecture):
    metadata = {"__metadata__": {"format": "pt"}}
    (architecture / "open_clip_model.safetensors").write_bytes(safetensors(**metadata))
    spec.build(config, lambda path: ROOT / path)


BROKEN = {
    "missing": None,
    "empty": b"",
    "a few bytes": b"\x08\0\0",
    "a pickle": b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u." + b"\0" * 100,
    "a pointer of git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "cut short": safetensors()[:-1],
    "cut in the header": safetensors()[:20],
    "too long": safetensors() + b"\0",
    "a header that is a list": struct.pack("<Q", 2) + b"[]",
    "a header that is no text": struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
    "an entry without a place": safetensors(b={"dtype": "F32"}),
    "an entry with half a place": safetensors(b={"dtype": "F32", "data_offsets": [0]}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_weights_are_named_before_anything_runs(
    config, schema, architecture, what
):
    path = architecture / "open_clip_model.safetensors"
    if BROKEN[what] is not None:
        path.write_bytes(BROKEN[what])
    (line,) = problems(config, schema)
    assert line.startswith("model.architecture:")
    assert str(path) in line
    said = (
        "is a Git LFS pointer"
        if what == "a pointer of git lfs"
        else "not a whole safetensors"
    )
    assert what == "missing" or said in line


def test_the_real_weights_cut_short_are_named(config, schema, architecture):
    data = (ARCHITECTURE / "open_clip_model.safetensors").read_bytes()
    (architecture / "open_clip_model.safetensors").write_bytes(data[: len(data) // 2])
    (line,) = problems(config, schema)
    assert str(len(data)) in line
    assert str(len(data) // 2) in line


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"preprocess_cfg": {"size": []}}', "\x00"]
)
def test_a_broken_architecture_is_named(config, schema, architecture, text):
    (architecture / "open_clip_config.json").write_text(text)
    (line,) = problems(config, schema)
    assert line.startswith("model.architecture:")
    assert "open_clip_config.json" in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a photo of a {}\na photo\n", ["'a photo'", "{}"]),
        ("a {} of a {}\n", ["'a {} of a {}'", "{}"]),
        ("a {c}\n", ["'a {c}'", "{}"]),
        ("\n \n", ["no prompts"]),
    ],
)
def test_a_wrong_prompt_is_named(config, schema, tmp_path, text, words):
    file = tmp_path / "prompts.txt"
    file.write_text(text)
    config["head"]["prompts"] = str(file)
    (line,) = problems(config, schema)
    assert [w for w in ["head.prompts:", str(file), *words] if w not in line] == []


# Schema, config.yaml and code say the same.


def resolve(schema, node):
    """A part of the schema with its $ref followed."""
    if "$ref" in node:
        target = schema
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return {
            **target,
            **{key: value for key, value in node.items() if key != "$ref"},
        }
    return node


def absent(schema, node, given, path, but=()) -> list[str]:
    """Properties of the schema that a config does not show, at every fixed path."""
    missing = []
    for key, child in resolve(schema, node).get("properties", {}).items():
        if key not in given:
            missing += [] if key in but else [f"{path}.{key}".strip(".")]
        elif isinstance(given[key], dict):
            missing += absent(schema, child, given[key], f"{path}.{key}", but)
    return missing


def test_config_yaml_shows_every_key(config, schema):
    """But those of runs and analyses that have a default, and examples that are commented out.

    docs/ lists those that have a default.
    """
    schema = with_plugin_options(schema)
    commented = {"table", "weights", "class_names"}
    assert "extends" in schema["properties"], "which a study says that varies this one"
    del schema["properties"]["extends"]
    text = (ROOT / "config.yaml").read_text()
    assert all(f"# {name}: " in text for name in commented)
    but = (
        TRAINING
        | commented
        | {"zero_shot_run", "preprocess"}
        | set(analyses.names())
        | set(figures.names())
    )
    but |= {
        name for analysis in analyses.names() for name in analyses.options(analysis)
    }
    assert absent(schema, schema, config, "", but=but) == []
    del config["sweep"]["alphas"], config["baselines"]["defaults"]["images"]
    missing = absent(schema, schema, config, "", but=but)
    assert missing == ["sweep.alphas", "baselines.defaults.images"]
    own = {"study", "data.train", "data.held_out", "data.reference", "sweep.targets"}
    own |= {
        "figures.methods.points_below_best"
    }  # without it, all models but those far below the others
    own |= {
        "baselines.train",
        "baselines.defaults.images",
        "adversary.train",
        "adversary.images",
    }
    assert set(absent(schema, schema, read_defaults(ROOT), "", but=but)) == own


TRAINING = {"init_from", "task"} | {
    name
    for variant in variants.names()
    for name in registry.defaults(variants.options(variant))
}


def test_the_docs_list_every_option_of_training():
    text = (ROOT / "docs/guide/training.md").read_text()
    listed = {
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `")
    }
    listed -= {"variant"}
    common = {"epochs", "batch_size", "lr", "weight_decay", "warmup", "label_smoothing"}
    assert listed == TRAINING | common | {"grad_clip_norm", "min_crop_area"} | set(
        variants.names()
    )


def test_nothing_in_the_schema_is_left_open(schema):
    """A mapping takes only the keys that it lists, or says what its values are."""

    def walk(node, path):
        node = resolve(schema, node)
        if node.get("type") == "object" and path not in (
            ".figures.*",
            ".baselines.table.columns",
        ):
            assert "additionalProperties" in node or "allOf" in node, path
        for key, child in node.get("properties", {}).items():
            if isinstance(child, dict) and key != "options":
                walk(child, f"{path}.{key}")
        values = node.get("additionalProperties")
        if isinstance(values, dict):
            walk(values, f"{path}.*")

    schema = with_plugin_options(schema)
    walk(schema, "")
    for part, names in (
        ("datasets", [*sources.names(), "adversarial", "corrupted"]),
        ("soups", methods.names()),
        ("analyses", analyses.names()),
    ):
        cases = schema["properties"][part]["additionalProperties"]["allOf"]
        consts = [
            next(iter(case["if"]["properties"].values()))["const"] for case in cases
        ]
        assert sorted(consts) == sorted(names)
        assert all(case["then"]["additionalProperties"] is False for case in cases)


def test_options_and_code_know_the_same_names(schema):
    world = sources.options("world")
    assert world["distribution"]["enum"] == list(DISTRIBUTIONS)
    assert world["task"]["enum"] == list(TASKS)
    assert sources.options("handwriting")["part"]["enum"] == list(PARTS)
    space = with_plugin_options(schema)["properties"]["finetune"]["properties"][
        "search"
    ]["properties"]["space"]
    run = set(with_plugin_options(schema)["$defs"]["run"]["properties"])
    drawn = space["oneOf"][1]["propertyNames"]["enum"]
    assert set(drawn) == run - {"variant", "init_from", "task", "second_dataset"}


PLUGIN = """
from ...runtime.options import PluginOptions
from . import Source


class Options(PluginOptions):
    needed: int
    given: str = "x"


SOURCE = Source(options=Options, seeded=True)

def classes(entry, locate):
    return {classes!r}

def identity(entry, locate):
    return ""

def counts(entry, locate):
    return [5]

def facts(entry, locate, key):
    return {{}}
"""


@pytest.fixture
def new_source(monkeypatch, tmp_path, config):
    """A source that is one file in the folder of the sources."""
    folder = tmp_path / "sources"
    shutil.copytree(Path(sources.__file__).parent, folder)
    classes = class_names(config["datasets"], "train", Path)
    (folder / "brand_new.py").write_text(PLUGIN.format(classes=classes))
    monkeypatch.setattr(sources, "__file__", str(folder / "__init__.py"))
    monkeypatch.setattr(sources, "__path__", [str(folder)])
    yield config
    sys.modules.pop(f"{sources.__name__}.brand_new", None)


def test_a_source_is_one_file(new_source, schema):
    """Its options are checked, its defaults are filled in, its classes are known."""
    config = new_source
    config["datasets"]["v2"] = {"source": "brand-new", "needed": 3}
    check_config(config, schema)
    plan = spec.build(config, lambda path: ROOT / path)
    (made,) = (
        job.spec
        for dataset_id, job in plan.datasets.items()
        if dataset_id.startswith("v2-")
    )
    assert made["needed"] == 3
    assert made["given"] == "x"
    assert made["seed"] == 0
    config["datasets"]["v2"] = {"source": "brand-new", "given": 3, "other": 1}
    lines = problems(config, schema)
    assert sorted(line.split(";")[0] for line in lines) == [
        "datasets.v2.given: 3 is not of type string",
        "datasets.v2: 'needed' is a required property",
        "datasets.v2: unknown key 'other'",
    ]


def test_an_entry_of_another_kind_keeps_nothing_of_the_one_it_replaces(config, schema):
    base = copy.deepcopy(config)
    config["datasets"]["objectnet"] |= {"source": "objectnet"}
    config["datasets"]["v2"] |= {"source": "adversarial", "pool": "wide"}
    config["soups"]["chosen"] |= {"method": "greedy"}
    config["datasets"]["sketch"] |= {"distribution": "v2", "tusk": 1}
    found = drop_stale_options(config, base)
    assert found["datasets"]["objectnet"] == {"source": "objectnet"}
    assert found["datasets"]["v2"] == {
        "source": "adversarial",
        "pool": "wide",
        "images": 4000,
    }
    assert found["soups"]["chosen"] == {"method": "greedy", "ingredients": ["base"]}
    assert [line.split(";")[0] for line in problems(found, schema)] == [
        "datasets.sketch: unknown key 'tusk'"
    ]
    config["datasets"]["objectnet"]["images"] = 3
    assert "images" in drop_stale_options(config, base)["datasets"]["objectnet"], (
        "its own mistake"
    )


def test_numbers_must_be_finite(config, schema):
    config["finetune"]["runs"]["base"] = {"lr": float("nan")}
    config["finetune"]["search"]["space"]["lr"] = {"log_uniform": [1.0, float("inf")]}
    assert problems(config, schema) == [
        "finetune.runs.base.lr: nan is not a finite number",
        "finetune.search.space.lr.log_uniform.1: inf is not a finite number",
    ]


def test_a_run_without_a_value_is_named(config, schema):
    """Null takes a default away; a run must then give its own."""
    del config["finetune"]["defaults"]["grad_clip_norm"]
    config["finetune"]["runs"] = {"base": {}, "linear": {"grad_clip_norm": 2.0}}
    lines = problems(config, schema)
    assert [line.split(";")[0] for line in lines] == [
        "finetune.runs.base: no value for grad_clip_norm",
        "finetune.defaults: no value for grad_clip_norm",
    ]
    config["finetune"]["defaults"]["grad_clip_norm"] = 1.0
    del config["baselines"]["defaults"]["architecture"]
    assert problems(config, schema)[0].startswith(
        "baselines.models.standard-600: no value for architecture"
    )


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
    put(config, path, value)
    for model in config["baselines"]["models"].values():
        model["images"] = 100
    config["adversary"]["images"] = config["baselines"]["defaults"]["images"] = 100
    (line,) = problems(config, schema)
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
    lines = problems(config, schema)
    assert lines[0].startswith("data.shifts.0: 'two' holds the same images as 'one'")


@pytest.fixture
def two_files(config, tmp_path):
    """A function that lays one config over another, each in a file of its own."""

    def merge(base, change):
        if not isinstance(change, dict) or not isinstance(base, dict):
            return change
        return {**base, **{k: merge(base.get(k), v) for k, v in change.items()}}

    def make(first: dict, second: dict, command_line: dict | None = None):
        files = []
        for name, content in (
            ("config.yaml", merge(config, first)),
            ("mine.yaml", second),
        ):
            files.append(tmp_path / name)
            files[-1].write_text(yaml.safe_dump(content))
        merged = merge(merge(merge(config, first), second), command_line or {})
        return merged, files

    return make


def test_lines_name_the_file_that_the_key_stands_in(schema, two_files):
    """Maps are merged, so a mistake may lie between the user's file and the default's."""
    merged, files = two_files(
        {"baselines": {"train": "trian"}}, {"sweep": {"targets": ["bsae"]}}
    )
    lines = problems(merged, schema, files)
    assert [line.rpartition(" (in ")[2] for line in lines] == [
        "config.yaml)",
        "mine.yaml)",
    ]


def test_a_key_that_the_user_did_not_write_is_not_blamed_on_his_file(schema, two_files):
    entry = {"source": "handwriting", "part": "train"}
    lines = problems(*insert(schema, two_files({}, {"datasets": {"train": entry}})))
    assert lines[0].startswith("datasets.train: unknown key")
    assert "(in config.yaml)" in lines[0]


def test_a_name_that_the_users_file_takes_away_is_told_to_be_its_doing(
    schema, two_files
):
    """The list that still names it stands in the default's file."""
    merged, files = two_files({}, {"finetune": {"runs": {"linear": None}}})
    lines = problems(without_nulls(merged), schema, files)
    end = "(in config.yaml; mine.yaml removes it, so give this key there too)"
    assert any(
        line.startswith("sweep.targets.1: unknown") and line.endswith(end)
        for line in lines
    )


def test_what_the_command_line_says_is_blamed_on_no_file(schema, two_files):
    (line,) = problems(*insert(schema, two_files({}, {}, {"threads": 0})))
    assert line.startswith("threads: 0")
    assert "(in " not in line


def insert(schema, made):
    return made[0], schema, made[1]


PLAUSIBLE = {
    "a whole number with a point": (
        "finetune/defaults/epochs",
        3.0,
        "3.0 is not of type integer",
    ),
    "a choice of such": (
        "finetune/search/space/batch_size",
        {"choice": [64.0]},
        "64.0 is not of type integer",
    ),
    "a figure switched on": (
        "figures/alpha",
        True,
        "figures.alpha: True is not of type object",
    ),
    "two ways to draw": (
        "finetune/search/space/lr",
        {"log_uniform": [0.1, 1.0], "choice": [0.1]},
        "has log_uniform, choice; give one and set the others to null",
    ),
    "more adversarial images than the pool": (
        "datasets/adversarial/images",
        20_000,
        "datasets.adversarial.images: 20000 wanted, but wide has 10000",
    ),
    "a batch of one": (
        "baselines/defaults/batch_size",
        1,
        "less than the minimum of 2",
    ),
}


@pytest.mark.parametrize("case", PLAUSIBLE)
def test_a_plausible_mistake_is_one_line(config, schema, case):
    path, value, words = PLAUSIBLE[case]
    put(config, path, value)
    lines = problems(config, schema)
    assert len(lines) == 1
    assert words in lines[0]


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
    (line,) = problems(config, schema)
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
    (line,) = problems(config, schema)
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
    assert "empty is a class without images (.bmp, " in problems(config, schema)[0]
    shutil.rmtree(tmp_path / "empty")
    assert "1 images, as " in (line := problems(config, schema)[0])
    assert "2.HEIC" in line


def test_a_section_that_is_null_is_that_of_the_defaults(config, schema):
    defaults = read_defaults(ROOT)
    left = without_nulls({**config, "baselines": None, "head": None}, defaults)
    assert left["baselines"]["models"] == {}
    assert "train" not in left["baselines"]
    assert left["head"] == defaults["head"]
    check_config(left, schema)
    (line,) = problems(without_nulls({**config, "study": None}, defaults), schema)
    assert line.startswith("config: 'study' is a required property: name of the study")


@pytest.mark.parametrize(
    "content",
    [
        b"a {} in {colour}\n",
        b"a {0} {}\n",
        b"a { {}\n",
        "ein schönes {}".encode("latin1"),
    ],
)
def test_a_prompt_that_cannot_be_filled_in_is_named(config, schema, tmp_path, content):
    (tmp_path / "prompts.txt").write_bytes(content)
    config["head"]["prompts"] = str(tmp_path / "prompts.txt")
    (line,) = problems(config, schema)
    assert line.startswith("head.prompts: ")
    assert "prompts.txt" in line


def test_precisions_of_the_schema_are_those_of_the_engine(schema):
    from stockpot.evaluation.engine import PRECISIONS

    allowed = schema["properties"]["evaluation"]["properties"]["precision"]["enum"]
    assert set(allowed) == {"auto", *PRECISIONS}


def test_config_yaml_has_no_key_twice_and_reads_its_numbers(schema):
    text = (ROOT / "config.yaml").read_text()
    check_config(yaml.safe_load(text), schema, [str(ROOT / "config.yaml")])


def test_a_table_of_published_models_has_a_column_of_names(config, schema, tmp_path):
    (tmp_path / "table.csv").write_text("name,reference,v2\n" + "a,0.5,0.4\n" * 3)
    config["baselines"] |= {
        "models": {},
        "table": {"path": str(tmp_path / "table.csv")},
    }
    (line,) = problems(config, schema)
    assert line.startswith("baselines.table: ")
    assert "table.csv has no column 'model'" in line


def test_a_line_needs_three_baselines(config, schema):
    models = config["baselines"]["models"]
    config["baselines"]["models"] = dict(list(models.items())[:2])
    (line,) = problems(config, schema)
    assert line.startswith("baselines.models: 2 given")
    assert "3 or more" in line
    config["baselines"]["models"] = {}
    check_config(config, schema)


def test_a_source_without_archives_says_so(config, schema):
    config["datasets"]["v2"] = {"source": "folder", "path": "own", "download": True}
    assert problems(config, schema) == [
        line
        for line in problems(config, schema)
        if line.startswith("datasets.v2: unknown key")
    ]
    assert problems(config, schema)[0].endswith(
        "no public archive, so place its files at its path"
    )
