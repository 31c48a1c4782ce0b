"""Runs of a study: those that it names, and those that its search draws."""

import pytest
import yaml

from stockpot.config.check import check_config
from stockpot.config.training_runs import (
    finetune_specs,
    named_space,
    search_names,
)
from stockpot.runtime.errors import StockpotError
from stockpot.training.random_search import draw
from tests.support.own_study import OWN_STUDY, read_config
from tests.support.paths import ROOT


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


def test_a_search_has_what_the_study_says_and_no_more(photo_folders, schema):
    """It once drew epochs, decay and smoothing from the space of the embedded study."""
    text = (
        OWN_STUDY
        + """
finetune:
  defaults: {epochs: 10, weight_decay: 0.3}
  search: {runs: 3, space: {lr: {log_uniform: [1.0e-6, 1.0e-5]}}}
"""
    )
    config = read_config(text)
    check_config(config, schema)
    specs = finetune_specs(config)
    searched = [specs[name] for name in search_names(config)]
    assert len(searched) == 3
    assert "linear" not in specs
    assert {run["epochs"] for run in searched} == {10}
    assert {run["weight_decay"] for run in searched} == {0.3}
    assert {run["label_smoothing"] for run in searched} == {0.0}
    assert len({run["lr"] for run in searched}) == 3


def test_a_space_may_be_of_one_other_kind_than_the_embedded_studys(
    photo_folders, schema
):
    space = "finetune: {search: {runs: 2, space: {weight_decay: {choice: [0.1, 0.2]}}}}"
    check_config(read_config(OWN_STUDY + space), schema)


def test_runs_of_ones_own_take_the_place_of_the_default_one(photo_folders, schema):
    config = read_config(
        OWN_STUDY + "finetune: {runs: {mine: {epochs: 1}, other: {}}}\n"
    )
    assert set(finetune_specs(config)) == {"mine", "other"}
    assert config["sweep"]["targets"] == ["mine", "other", "greedy"]
    check_config(config, schema)
