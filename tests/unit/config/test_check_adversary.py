"""Adversarial sets, and the adversary that makes them."""

import pytest

from stockpot.config.check import check_config
from stockpot.planning import build_plan
from tests.support.config_mistakes import problems_of, set_value
from tests.support.paths import ROOT


@pytest.mark.parametrize("path", ["data/held_out", "adversary/train"])
def test_what_the_adversary_needs_cannot_be_its_own_work(config, schema, path):
    if path == "data/held_out":
        config["data"]["shifts"].remove("adversarial")
    set_value(config, path, "adversarial")
    (line,) = problems_of(config, schema)
    assert line.startswith(path.replace("/", "."))
    assert "adversarial" in line


def test_an_adversary_that_filters_nothing_is_not_checked(config, schema):
    config["adversary"] |= {"train": "nowhere", "images": 999_999}
    config["finetune"]["runs"]["adversary"] = {}
    found = {line.split(":")[0] for line in problems_of(config, schema)}
    assert found == {"adversary", "adversary.train"}
    config["data"]["shifts"].remove("adversarial")
    check_config(config, schema)
    config["adversary"]["lr"] = "fast"
    (line,) = problems_of(config, schema)
    assert line.startswith("adversary.lr: 'fast'")


def test_a_standard_model_may_learn_from_an_adversarial_set(config, schema):
    """And then the adversary is needed, though no model is tested on its work."""
    config["data"]["shifts"].remove("adversarial")
    config["baselines"]["train"] = "adversarial"
    check_config(config, schema)
    config["adversary"]["train"] = "nowhere"
    (line,) = problems_of(config, schema)
    assert line.startswith("adversary.train: unknown data set 'nowhere'")


def test_an_adversarial_pool_cannot_be_adversarial(config, schema):
    config["datasets"]["second"] = {
        "source": "adversarial",
        "pool": "adversarial",
        "images": 1,
    }
    (line,) = problems_of(config, schema)
    assert line.startswith("datasets.second.pool:")
    assert "'adversarial'" in line


def test_an_adversarial_set_may_be_trained_on(config, schema):
    """Its adversary is then one of the models that are planned, and checked."""
    config["data"]["shifts"] = ["v2", "sketch"]
    config["finetune"]["runs"]["base"] = {"second_dataset": "adversarial"}
    check_config(config, schema)
    plan = build_plan.build(config, lambda path: ROOT / path)
    assert any(run.spec["name"] == "adversary" for run in plan.runs.values())
