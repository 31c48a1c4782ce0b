"""All analyses: their names and options, and studies at the ends of what can happen."""

import jsonschema
import pytest

from stockpot import analyses
from stockpot.analyses import diagnosis, growing, landscape, pairs
from stockpot.runtime.errors import StockpotError
from stockpot.tables.evidence import Evidence, NothingToShowError
from stockpot.tables.shared_names import NOTHING
from tests.support.synthetic_study import (
    NOTHING_TO_SHOW_TEXTS,
    SETTINGS,
    SIZES,
    SyntheticStudy,
    diagnosis_table,
    only_row,
    products,
    right_on_the_first,
    small_study,
    tabulate,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def zero_shot_only_evidence(tmp_path_factory) -> Evidence:
    """A study of the zero-shot model alone."""
    return small_study(tmp_path_factory.mktemp("poor")).evidence(geometry=products({}))


def test_all_analyses_are_there():
    assert analyses.names() == [
        "brittleness",
        "calibration",
        "choosing-alpha",
        "chords",
        "comparisons",
        "cost",
        "diagnosis",
        "diversity",
        "frontier",
        "growing",
        "joint",
        "landscape",
        "low-shot",
        "members",
        "overrides",
        "pairs",
    ]
    with pytest.raises(
        StockpotError, match="unknown analysis 'evidence'; there are brittleness"
    ):
        analyses.load("evidence")


@pytest.mark.parametrize("name", analyses.names())
def test_the_short_table_has_no_missing_cell_and_no_more_rows(name, tables):
    short = analyses.short_table_of(name)(tables[name])
    assert 0 < len(short) <= len(tables[name])
    texts = short.astype(str).to_numpy().ravel()
    assert not {"nan", "nan [nan, nan]", "+nan", "None"} & set(texts)


@pytest.mark.parametrize("name", NOTHING_TO_SHOW_TEXTS)
def test_a_study_of_one_model_is_told_what_it_lacks(name, zero_shot_only_evidence):
    with pytest.raises(NothingToShowError, match=NOTHING_TO_SHOW_TEXTS[name]) as raised:
        tabulate(name, zero_shot_only_evidence)
    table = raised.value.table()
    assert list(table) == [NOTHING]
    assert table.iloc[0, 0].startswith("Nothing to show: ")


def test_only_calibration_has_something_to_say_of_one_model(zero_shot_only_evidence):
    assert set(analyses.names()) - set(NOTHING_TO_SHOW_TEXTS) == {"calibration"}
    assert set(tabulate("calibration", zero_shot_only_evidence)["model"]) == {
        "zero-shot"
    }


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("brittleness", {"models": ["base", "gone"]}, "there is no result of gone"),
        ("comparisons", {"pairs": [["base", "gone"]]}, "there is no result of gone"),
        ("frontier", {"sweep": "long"}, "there is no sweep of 'long'"),
        ("diagnosis", {"soup": "broth"}, "there is no soup 'broth'"),
    ],
)
def test_an_option_that_names_what_is_not_there(name, options, text, study):
    with pytest.raises(NothingToShowError, match=text):
        tabulate(name, study.evidence(geometry=study.geometry), options)


@pytest.mark.parametrize("name", ["brittleness", "choosing-alpha", "frontier"])
def test_the_only_shift_is_named_and_not_called_a_mean(tables, name):
    several = analyses.for_people(name, tables[name], ["a", "b"])
    one = analyses.for_people(name, tables[name], ["sketch"])
    assert "mean of shifts" in several
    assert "sketch" not in several
    assert "sketch" in one
    assert "mean of shifts" not in one
    assert one["sketch"].tolist() == several["mean of shifts"].tolist()


def test_one_class_only(tmp_path):
    """Everything is right, nothing differs, and no logit can be scaled."""
    study = small_study(tmp_path, ["base", "both", "few"], ["base", "few"], classes=1)
    evidence = study.evidence()
    table = tabulate("overrides", evidence)
    assert (table["disagreement"] == 0).all()
    assert table["target_margin"].isna().all()
    table = tabulate("calibration", evidence)
    whole = table[table["bin"].isna()]
    assert (whole["temperature"] == 1).all()
    assert (whole["ece"] == 0).all()
    assert (whole["nll"] == 0).all()
    assert (whole["accuracy"] == 1).all()
    table = tabulate("diversity", evidence)
    assert (table[["prediction_diversity", "kappa_complement", "divergence"]] == 0).all(
        axis=None
    )
    table = tabulate("choosing-alpha", evidence)
    assert (table.filter(like="regret") == 0).all(axis=None)
    for name in ("chords", "comparisons", "joint", "low-shot"):
        table = tabulate(name, evidence)
        assert len(analyses.short_table_of(name)(table)) > 0
        signed = table.filter(regex="^(distance|difference|gain_over_better_end)$")
        assert (signed == 0).all(axis=None)
        assert signed.size


def test_one_example_per_set(tmp_path):
    study = small_study(
        tmp_path,
        ["base", "both", "few"],
        ["base", "few"],
        sizes=dict.fromkeys(SIZES, 1),
    )
    evidence = study.evidence()
    for name in (
        "chords",
        "comparisons",
        "calibration",
        "diversity",
        "overrides",
        "low-shot",
    ):
        table = tabulate(name, evidence)
        n = table["n"].dropna()
        assert set(n) <= {0, 1, 2}
        assert len(analyses.short_table_of(name)(table)) > 0
    gain = only_row(
        tabulate("comparisons", evidence, {"pairs": [["base", "zero-shot"]]}),
        dataset="test",
    )
    assert gain["difference"] == study.mean_accuracy(
        "base", "test"
    ) - study.mean_accuracy("zero-shot", "test")
    assert gain["low"] == gain["high"] == gain["difference"]
    assert gain["p"] == 1


def test_accuracies_of_0_and_1(tmp_path):
    study = SyntheticStudy(tmp_path)
    all_right = {d: len(labels) for d, labels in study.labels.items()}
    study.add("zero-shot", "zero-shot", right_on_the_first({})(study))
    study.add(
        "base",
        "end-to-end",
        right_on_the_first(all_right)(study),
        settings=SETTINGS["base"],
    )
    study.add(
        "few", "end-to-end", right_on_the_first({})(study), settings=SETTINGS["few"]
    )
    study.sweep("base")
    study.sweep("few")
    evidence = study.evidence()
    found = only_row(tabulate("frontier", evidence), model="base")
    assert found["gap_to_sweep"] == 0
    assert found["low"] == found["high"] == 0
    assert not found["reference_above_sweep"]
    gains = tabulate("comparisons", evidence, {"pairs": [["base", "zero-shot"]]})
    assert (gains["difference"] == 1).all()
    assert (gains["low"] == 1).all()
    table = tabulate("low-shot", evidence)
    assert set(table["run"]) == {"few", "base"}
    assert (table.loc[table["run"] == "few", "gain_over_zero_shot"] == 0).all()
    alone = diagnosis_table(study, ["base", "few"])
    alone = alone[alone["row_type"] == "accuracy"].set_index("model")
    tail = 0.025 ** (1 / 120)
    assert alone.loc["base", ["value", "low", "high"]].to_list() == pytest.approx(
        [1, tail, 1]
    )
    assert alone.loc["few", ["value", "low", "high"]].to_list() == pytest.approx(
        [0, 0, 1 - tail]
    )


def test_a_run_that_diverged_is_in_no_table(study, tables):
    assert "gone" in study.models
    assert not study.evidence().has_results("gone")
    for name, table in tables.items():
        assert not (table.astype(str) == "gone").any(axis=None), name


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("calibration", {"models": ["base", "gone"]}),
        ("diversity", {"pairs": [["base", "gone"]]}),
    ],
)
def test_a_diverged_run_that_is_asked_for_is_named(name, options, study):
    with pytest.raises(NothingToShowError, match="gone"):
        tabulate(name, study.evidence(), options)


@pytest.mark.parametrize("name", ["growing", "landscape"])
def test_mixes_with_a_run_that_diverged(name, study):
    """Its digest is not among the models; the others are still mixed, or nothing is."""
    study.recipes(name, {"models": ["base", "gone"]}, runs=["base", "long"])


def test_modules_are_those_that_are_found_by_name():
    found = {
        "diagnosis": diagnosis,
        "growing": growing,
        "landscape": landscape,
        "pairs": pairs,
    }
    for name, module in found.items():
        assert analyses.load(name) is module.tabulate
        assert analyses.load(name, "mixes") is module.mixes
    assert [n for n in analyses.names() if analyses.evaluates(n)] == list(found)
    assert [n for n in analyses.names() if "geometry" in analyses.needs(n)] == [
        "diagnosis",
        "landscape",
        "pairs",
    ]
    assert [n for n in analyses.names() if "recipes" in analyses.needs(n)] == [
        "cost",
        "diagnosis",
    ]


@pytest.mark.parametrize("name", analyses.names())
def test_every_option_has_a_type_and_a_default_that_fits(name):
    for option, schema in analyses.options(name).items():
        assert schema["type"] in {"array", "integer", "number", "string", "boolean"}, (
            option
        )
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(schema["default"], schema)
