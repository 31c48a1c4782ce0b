"""One config over another: entries that change, go or come back."""

import copy

from stockpot.config.check import check_config
from stockpot.config.overlays import drop_stale_options, lay_over, without_nulls
from stockpot.config.read import read_defaults
from tests.support.config_mistakes import problems_of
from tests.support.own_study import OWN_STUDY, read_config
from tests.support.paths import ROOT


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
    assert [line.split(";")[0] for line in problems_of(found, schema)] == [
        "datasets.sketch: unknown key 'tusk'"
    ]
    config["datasets"]["objectnet"]["images"] = 3
    assert "images" in drop_stale_options(config, base)["datasets"]["objectnet"], (
        "its own mistake"
    )


def test_a_section_that_is_null_is_that_of_the_defaults(config, schema):
    defaults = read_defaults(ROOT)
    left = without_nulls({**config, "baselines": None, "head": None}, defaults)
    assert left["baselines"]["models"] == {}
    assert "train" not in left["baselines"]
    assert left["head"] == defaults["head"]
    check_config(left, schema)
    (line,) = problems_of(without_nulls({**config, "study": None}, defaults), schema)
    assert line.startswith("config: 'study' is a required property: name of the study")


def test_an_entry_is_back_after_it_was_taken_away():
    """With its defaults; it once stayed away, so that two studies lacked an analysis."""
    taken = lay_over(
        {"analyses": {"brittleness": {"models": ["a"]}}},
        {"analyses": {"brittleness": None}},
    )
    assert lay_over(taken, {"analyses": {"brittleness": {}}}) == {
        "analyses": {"brittleness": {}}
    }
    assert lay_over(taken, {"analyses": {"brittleness": {"x": 1}}})["analyses"][
        "brittleness"
    ] == {"x": 1}
    assert lay_over({"a": {"b": 1}}, {"a": {}}) == {"a": {"b": 1}}, (
        "an empty map takes nothing away"
    )
    assert lay_over({"a": 3}, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_an_entry_of_another_kind_in_a_later_file_keeps_nothing_of_the_earlier(
    photo_folders, schema
):
    later = "datasets: {drawings: {source: parquet, path: drawings}}"
    first = OWN_STUDY.replace(
        "path: drawings}", "path: drawings, on_corrupt: skip, split: {part: test}}"
    )
    config = read_config(first, later)
    assert config["datasets"]["drawings"]["source"] == "parquet"
