"""Schema, config.yaml, docs and code say the same."""

import yaml

from stockpot import analyses, figures
from stockpot.config.check import check_config
from stockpot.config.read import read_defaults
from stockpot.config.schema import with_plugin_options
from stockpot.datasets import sources
from stockpot.datasets.sources.handwriting import PARTS
from stockpot.datasets.sources.world import TASKS
from stockpot.datasets.world.distributions import DISTRIBUTIONS
from stockpot.merging import methods
from stockpot.runtime import registry
from stockpot.training import variants
from tests.support.paths import ROOT


def with_reference(schema, node):
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


def missing_keys(schema, node, given, path, but=()) -> list[str]:
    """Properties of the schema that a config does not show, at every fixed path."""
    missing = []
    for key, child in with_reference(schema, node).get("properties", {}).items():
        if key not in given:
            missing += [] if key in but else [f"{path}.{key}".strip(".")]
        elif isinstance(given[key], dict):
            missing += missing_keys(schema, child, given[key], f"{path}.{key}", but)
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
    assert missing_keys(schema, schema, config, "", but=but) == []
    del config["sweep"]["alphas"], config["baselines"]["defaults"]["images"]
    missing = missing_keys(schema, schema, config, "", but=but)
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
    assert set(missing_keys(schema, schema, read_defaults(ROOT), "", but=but)) == own


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
        node = with_reference(schema, node)
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


def test_precisions_of_the_schema_are_those_of_the_engine(schema):
    from stockpot.evaluation.engine import PRECISIONS

    allowed = schema["properties"]["evaluation"]["properties"]["precision"]["enum"]
    assert set(allowed) == {"auto", *PRECISIONS}


def test_config_yaml_has_no_key_twice_and_reads_its_numbers(schema):
    text = (ROOT / "config.yaml").read_text()
    check_config(yaml.safe_load(text), schema, [str(ROOT / "config.yaml")])
