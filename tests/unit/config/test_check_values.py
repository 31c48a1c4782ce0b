"""Every wrong value gives a line with the key, the value and what is allowed."""

import pytest
import yaml

from tests.support.config_mistakes import problems_of, set_value
from tests.support.paths import ROOT

# path of the key, wrong value, what the one line must contain
WRONG_VALUES = {
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


@pytest.mark.parametrize("case", WRONG_VALUES)
def test_a_wrong_value_is_named(config, schema, case):
    path, value, words = WRONG_VALUES[case]
    set_value(config, path, value)
    if path == "baselines":
        config["baselines"] = {**ORIGINAL["baselines"], **value}
    if path == "evaluation/store_logits":
        config["analyses"] = {"calibration": {}}
    lines = problems_of(config, schema)
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
    (line,) = problems_of(config, schema)
    assert line.startswith(f"{'.'.join(parents) or 'config'}: '{last}' is a required")


def test_a_missing_source_is_one_mistake(config, schema):
    del config["datasets"]["train"]["source"]
    (line,) = problems_of(config, schema)
    assert line.startswith("datasets.train: 'source' is a required")


def test_every_mistake_has_its_line(config, schema):
    config["threads"] = 0
    config["sweep"]["alphas"] = [2]
    config["finetune"]["defaults"]["lr"] = "1e-5"
    lines = problems_of(config, schema)
    assert sorted(line.split(":")[0] for line in lines) == [
        "finetune.defaults.lr",
        "sweep.alphas.0",
        "threads",
    ]


def test_numbers_must_be_finite(config, schema):
    config["finetune"]["runs"]["base"] = {"lr": float("nan")}
    config["finetune"]["search"]["space"]["lr"] = {"log_uniform": [1.0, float("inf")]}
    assert problems_of(config, schema) == [
        "finetune.runs.base.lr: nan is not a finite number",
        "finetune.search.space.lr.log_uniform.1: inf is not a finite number",
    ]
