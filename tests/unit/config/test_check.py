"""What does not fit together in a config gives a line with the key and what fits."""

import jsonschema
import pytest

from stockpot import figures
from stockpot.config.check import check_config
from stockpot.merging import methods
from stockpot.training import variants
from tests.support.config_mistakes import problems_of, set_value
from tests.support.paths import ROOT


def test_the_embedded_study_is_valid(config, schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    check_config(config, schema, [str(ROOT / "config.yaml")])


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("soups/greedy/method", methods.names()),
        ("finetune/runs/base/variant", sorted({*variants.names()} - {"from-scratch"})),
        ("figures/shaft", figures.names()),
    ],
)
def test_a_plug_in_that_is_not_there_is_named(config, schema, path, known):
    set_value(config, path, {} if path.startswith("figures") else "graedy")
    (line,) = problems_of(config, schema)
    wrong = "shaft" if path.startswith("figures") else "graedy"
    assert wrong in line
    assert all(name in line for name in known)


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
    lines = problems_of(config, schema)
    assert all(line.startswith(f"finetune.search.space.{key}") for line in lines)


def test_a_soup_needs_a_run(config, schema):
    config["finetune"] |= {"runs": {"linear": config["finetune"]["runs"]["linear"]}}
    config["finetune"]["search"]["runs"] = 0
    config["sweep"]["targets"] = []
    del config["soups"]["chosen"]
    (line,) = problems_of(config, schema)
    assert line.startswith("soups.")
    assert "no end-to-end run" in line


ALL_RUNS = ["base", "search-00"]
WRONG_REFERENCES = {
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
                "ingredients": ALL_RUNS,
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
        {"soups/mix": {"method": "mono-soup", "ingredients": ALL_RUNS}},
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


@pytest.mark.parametrize("case", WRONG_REFERENCES)
def test_what_does_not_fit_together_is_named(config, schema, case):
    edits, words = WRONG_REFERENCES[case]
    for path, value in edits.items():
        set_value(config, path, value)
    (line, *_) = problems_of(config, schema)
    assert [word for word in words if word not in line] == []


def test_a_sweep_to_a_run_of_another_task_is_named(config, schema):
    names = {
        "train": "wide",
        "held_out": "held-out",
        "prompts": "resources/prompts/objects.txt",
    }
    config["tasks"] = {"other": names}
    config["finetune"]["runs"]["base"] = {"task": "other"}
    lines = problems_of(config, schema)
    assert any(
        line.startswith("sweep.targets.0: 'base' has the classes of another")
        for line in lines
    )
    config["soups"]["mix"] = {"method": "uniform", "ingredients": ["base"]}
    lines = problems_of(config, schema)
    assert any(
        line.startswith(
            "soups.mix.ingredients.0: 'base' has the classes of another task; tower"
        )
        for line in lines
    )


def test_a_run_without_a_value_is_named(config, schema):
    """Null takes a default away; a run must then give its own."""
    del config["finetune"]["defaults"]["grad_clip_norm"]
    config["finetune"]["runs"] = {"base": {}, "linear": {"grad_clip_norm": 2.0}}
    lines = problems_of(config, schema)
    assert [line.split(";")[0] for line in lines] == [
        "finetune.runs.base: no value for grad_clip_norm",
        "finetune.defaults: no value for grad_clip_norm",
    ]
    config["finetune"]["defaults"]["grad_clip_norm"] = 1.0
    del config["baselines"]["defaults"]["architecture"]
    assert problems_of(config, schema)[0].startswith(
        "baselines.models.standard-600: no value for architecture"
    )


MISTAKES_OF_FORM = {
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


@pytest.mark.parametrize("case", MISTAKES_OF_FORM)
def test_a_plausible_mistake_is_one_line(config, schema, case):
    path, value, words = MISTAKES_OF_FORM[case]
    set_value(config, path, value)
    lines = problems_of(config, schema)
    assert len(lines) == 1
    assert words in lines[0]


def test_a_table_of_published_models_has_a_column_of_names(config, schema, tmp_path):
    (tmp_path / "table.csv").write_text("name,reference,v2\n" + "a,0.5,0.4\n" * 3)
    config["baselines"] |= {
        "models": {},
        "table": {"path": str(tmp_path / "table.csv")},
    }
    (line,) = problems_of(config, schema)
    assert line.startswith("baselines.table: ")
    assert "table.csv has no column 'model'" in line


def test_a_baseline_fit_needs_three_baselines(config, schema):
    models = config["baselines"]["models"]
    config["baselines"]["models"] = dict(list(models.items())[:2])
    (line,) = problems_of(config, schema)
    assert line.startswith("baselines.models: 2 given")
    assert "3 or more" in line
    config["baselines"]["models"] = {}
    check_config(config, schema)


def test_a_source_without_archives_says_so(config, schema):
    config["datasets"]["v2"] = {"source": "folder", "path": "own", "download": True}
    (line,) = problems_of(config, schema)
    assert line.startswith("datasets.v2: unknown key")
    assert line.endswith("no public archive, so place its files at its path")
