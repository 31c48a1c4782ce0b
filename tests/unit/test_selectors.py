"""Choosing alpha: every rule by hand, the estimates, and the published curves."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from stockpot.alpha import selectors
from stockpot.runtime import registry
from stockpot.statistics.estimates import (
    agreement_on_the_line,
    mean_entropy,
    thresholded,
)
from tests.support.paths import ROOT

SWEEP = pd.DataFrame(
    {
        "alpha": [0.0, 0.25, 0.5, 0.75, 1.0],
        "held_out": [0.70, 0.885, 0.896, 0.90, 0.90],
        "n": 1000,
        "corrupted": [0.60, 0.75, 0.74, 0.70, 0.60],
        "thresholded": [0.80, 0.75, 0.75, 0.60, 0.50],
        "agreement": [0.70, 0.70, 0.70, 0.70, 0.40],
        "entropy": [1.2, 0.9, 0.8, 0.8, 0.9],
        "reference": [0.71, 0.88, 0.90, 0.91, 0.90],
        "shifts": [0.60, 0.65, 0.64, 0.60, 0.50],
    }
)


@pytest.mark.parametrize(
    ("name", "alpha"),
    [
        ("half", 0.5),
        ("held-out", 0.75),  # the smaller of equals
        ("within-error", 0.5),  # one standard error is 0.0095
        ("within-point", 0.5),
        ("corruptions", 0.5),  # 1.636 against 1.635
        ("confidence", 0.5),
        ("agreement", 0.75),
        ("entropy", 0.5),
        ("oracle-shifts", 0.25),
        ("oracle-both", 0.5),
    ],
)
def test_every_rule_by_hand(name, alpha):
    assert selectors.choose(name, SWEEP) == alpha
    assert selectors.choose(name, SWEEP.iloc[::-1]) == alpha


def test_regret_is_what_the_best_of_the_curve_has_more():
    table = selectors.compare_selectors(SWEEP).set_index("selector")
    assert list(table.index) == selectors.names()
    assert table.loc["held-out", "regret_shifts"] == pytest.approx(0.05)
    assert table.loc["half", "regret_reference"] == pytest.approx(0.01)
    assert table.loc["oracle-shifts", "regret_both"] == pytest.approx(
        (0.90 + 0.64 - 0.88 - 0.65) / 2
    )
    assert (table.filter(like="regret") >= -1e-12).all(axis=None)
    assert table.loc["oracle-shifts", "regret_shifts"] == 0


def test_a_selector_is_used_where_its_columns_are_whole():
    few = SWEEP[["alpha", "held_out", "reference", "shifts"]]
    assert selectors.usable(few) == [
        "half",
        "held-out",
        "within-point",
        *selectors.oracles(),
    ]
    gap = SWEEP.assign(agreement=[0.7, np.nan, 0.7, 0.7, 0.4])
    assert "agreement" not in selectors.usable(gap)
    with pytest.raises(ValueError, match="agreement needs agreement, held_out"):
        selectors.choose("agreement", gap)
    with pytest.raises(
        ValueError, match="unknown selector 'best'; there are half, held-out"
    ):
        selectors.choose("best", SWEEP)


def test_selectors_do_not_see_the_test_sets():
    """Nor does any rule that is no oracle change with them."""
    other = SWEEP.assign(reference=SWEEP["reference"][::-1].values, shifts=0.5)
    for name in selectors.names():
        if name not in selectors.oracles():
            assert selectors.choose(name, other) == selectors.choose(name, SWEEP)
            assert selectors.needs(name) <= set(SWEEP) - {"reference", "shifts"}


def test_thresholded_confidence_by_hand():
    confidence, correct = [0.9, 0.8, 0.7, 0.6], [True, True, False, True]
    # A quarter is wrong, so the threshold is the lowest confidence, 0.6.
    assert thresholded(confidence, correct, [0.61, 0.5, 0.99, 0.6]) == 0.5
    assert thresholded(confidence, [True] * 4, [0.1, 0.2]) == 1
    assert thresholded(confidence, [False] * 4, [0.95, 0.2]) == 0.5
    assert thresholded(confidence, correct, confidence) == 0.75, (
        "on its own data, the accuracy"
    )
    sure = np.ones(100)
    assert thresholded(sure, np.arange(100) >= 3, sure) == pytest.approx(0.97), (
        "all are tied"
    )


def test_thresholded_confidence_finds_the_accuracy_of_calibrated_models():
    rng = np.random.default_rng(0)
    known, unknown = rng.beta(8, 2, 20_000), rng.beta(4, 2, 20_000)
    correct = rng.random(20_000) < known
    assert thresholded(known, correct, unknown) == pytest.approx(
        np.mean(unknown > np.quantile(known, 1 - correct.mean())), abs=1e-3
    )


def test_entropy_of_certain_and_of_even_predictions():
    assert mean_entropy([[100.0, 0, 0, 0]]) == pytest.approx(0, abs=1e-9)
    assert mean_entropy([[1.0, 1, 1, 1], [0.0, 0, 0, 0]]) == pytest.approx(np.log(4))


def test_agreement_on_the_line_finds_accuracies_it_never_sees():
    """Models whose answers are right or one wrong class: agreement is a function of accuracy."""
    rng = np.random.default_rng(1)
    n, inner = 40_000, np.linspace(0.75, 0.95, 6)
    outer = norm.cdf(0.8 * norm.ppf(inner) - 0.5)

    def predicted(accuracy):
        return np.array(
            [np.where(rng.random(n) < a, 0, rng.integers(1, 3, n)) for a in accuracy]
        )

    known = predicted(inner)
    found = agreement_on_the_line((known == 0).mean(axis=1), known, predicted(outer))
    assert found == pytest.approx(outer, abs=0.08)
    assert (np.diff(found) > 0).all()
    assert abs(found - outer).max() < abs(inner - outer).min() / 2
    assert np.isnan(agreement_on_the_line([0.5, 0.6], known[:2], known[:2])).all()
    same = np.zeros((4, 10), int)
    assert np.isnan(agreement_on_the_line([1.0] * 4, same, same)).all()


def published(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "resources" / "published" / f"{name}.csv")


# Optimum minus alpha 0.5 per column, WiSE-FT, table 3.
TABLE_3 = {
    "wiseft_table5_vitb16_e2e": [0.9, 0.4, 1.4, 0.2, 0.4, 2.4, 0.5, 0.0],
    "wiseft_table5_vitb16_lc": [1.8, 0.6, 1.2, 0.1, 0.2, 0.6, 0.1, 0.2],
    "wiseft_table4_vitl14_336_e2e": [0.3, 0.0, 0.9, 0.3, 1.0, 1.1, 0.5, 0.1],
    "wiseft_table4_vitl14_336_lc": [1.6, 0.6, 0.2, 0.0, 0.0, 0.0, 0.0, 0.4],
}


@pytest.mark.parametrize("name", TABLE_3)
def test_table_3_of_the_paper_is_the_regret_of_alpha_one_half(name):
    """All 8 cells of each of the four curves, recomputed by our own selectors."""
    table = published(name)
    assert len(table) == 21
    assert list(table.columns[1:3]) == ["IN", "IN-V2"]
    for column, expected in zip(table.columns[1:], TABLE_3[name], strict=True):
        sweep = pd.DataFrame(
            {"alpha": table["alpha"], "reference": table[column], "shifts": 0.0}
        )
        regret = (
            selectors.compare_selectors(sweep)
            .set_index("selector")
            .loc["half", "regret_reference"]
        )
        assert round(regret, 1) == expected, column


@pytest.mark.parametrize("name", TABLE_3)
def test_observations_1_and_2_hold_on_every_published_curve(name):
    table = published(name)
    for column in table.columns[1:]:
        values, alpha = table[column].to_numpy(), table["alpha"].to_numpy()
        assert (values >= (1 - alpha) * values[0] + alpha * values[-1] - 0.051).all(), (
            column
        )
        assert values.max() > max(values[0], values[-1])


# selector -> alpha on the four curves, in the order of TABLE_3; ImageNet stands for held-out data.
CHOSEN = {
    "half": [0.5, 0.5, 0.5, 0.5],
    "held-out": [0.65, 0.9, 0.6, 0.8],
    "within-error": [0.6, 0.8, 0.55, 0.75],
    "within-point": [0.5, 0.6, 0.4, 0.6],
    "oracle-shifts": [0.4, 0.35, 0.35, 0.5],
    "oracle-both": [0.5, 0.7, 0.45, 0.7],
}


def test_the_selectors_on_the_published_curves():
    for name, alphas in zip(TABLE_3, zip(*CHOSEN.values()), strict=True):
        found = selectors.compare_selectors(published_curve(name)).set_index(
            "selector"
        )["alpha"]
        assert found.to_dict() == dict(zip(CHOSEN, alphas))


def test_what_the_papers_say_of_choosing_by_one_side_alone():
    """Best on the reference costs 1.4 and 2.1 points under shift, and the other way round."""
    for name, cost in (
        ("wiseft_table4_vitl14_336_e2e", 1.4),
        ("wiseft_table5_vitb16_e2e", 2.1),
    ):
        found = selectors.compare_selectors(published_curve(name)).set_index("selector")
        assert 100 * found.loc["held-out", "regret_shifts"] == pytest.approx(cost)
        assert 100 * found.loc["oracle-shifts", "regret_reference"] == pytest.approx(
            cost
        )


def published_curve(name: str) -> pd.DataFrame:
    table = published(name)
    return pd.DataFrame(
        {
            "alpha": table["alpha"],
            "held_out": table["IN"] / 100,
            "n": 26_000,
            "reference": table["IN"] / 100,
            "shifts": table["avg_shifts"] / 100,
        }
    )


def test_the_published_tables_say_where_they_are_from():
    text = Path(ROOT / "resources" / "published" / "README.md").read_text()
    assert "2109.01903" in text
    assert "Table 4" in text
    assert "Table 5" in text


def auto(error=None, **options):
    """The recipe that ``alpha: auto`` finds on a held-out sweep that is best at 0.7.

    error: the standard error of the score, where it is no plain accuracy.
    """
    from types import SimpleNamespace

    from stockpot.merging.methods import load
    from stockpot.merging.methods import options as known
    from stockpot.runtime.registry import defaults

    asked = []

    def held_out(recipe):
        asked.append(recipe)
        alpha = recipe["ingredients"].get("run", 0.0)
        return round(1000 * (0.9 - (alpha - 0.7) ** 2 / 4)), 1000

    spec = {"name": "mine", **defaults(known("wise-ft")), "alpha": "auto", **options}
    context = SimpleNamespace(
        spec=spec, start="zero", held_out=held_out, held_out_error=lambda recipe: error
    )
    return load("wise-ft")({"run": "run"}, context), asked


def test_one_error_is_that_of_the_score():
    """Macro F1 is no share of right answers, so its own error is given."""
    assert auto(selector="within-error")[0]["alpha"] == 0.6
    recipe, _ = auto(error=0.0175, selector="within-error")
    assert recipe["alpha"] == 0.5
    assert recipe["sweep"][0]["standard_error"] == 0.0175
    sweep = pd.DataFrame(
        {"alpha": [0.0, 0.5, 1.0], "held_out": [0.40, 0.42, 0.43], "n": 10_000}
    )
    assert selectors.choose("within-error", sweep) == 1.0
    assert (
        selectors.choose("within-error", sweep.assign(standard_error=[0.2, 0.2, 0.012]))
        == 0.5
    )


@pytest.mark.parametrize(
    ("selector", "alpha"),
    [("within-point", 0.5), ("within-error", 0.6), ("held-out", 0.7)],
)
def test_auto_chooses_alpha_on_the_held_out_set_alone(selector, alpha):
    recipe, asked = auto(selector=selector)
    assert recipe["ingredients"] == {"run": alpha, "zero": pytest.approx(1 - alpha)}
    assert recipe["alpha"] == alpha
    assert recipe["selector"] == selector
    assert [point["alpha"] for point in recipe["sweep"]] == [i / 10 for i in range(11)]
    assert len(asked) == 11
    assert asked[0]["ingredients"] == {"zero": 1.0}


def test_auto_chooses_among_the_alphas_that_are_given():
    assert auto(alpha_grid=[1.0, 0.8, 0.0])[0]["alpha"] == 0.8
    assert auto()[0]["selector"] == selectors.DEFAULT


def test_the_default_rule_reads_the_held_out_set_alone():
    """Where the project chooses, it knows nothing else."""
    assert selectors.DEFAULT in selectors.on_held_out()
    assert selectors.on_held_out() == ["held-out", "within-error", "within-point"]
    assert selectors.without_shifts() == ["half", *selectors.on_held_out()]


def sweep_measurements(sweep):
    """The measurements of a sweep "run" that is this sweep."""
    from stockpot.tables.measurements import measure

    roles = {"val": "held-out", "ref": "reference", "a": "shift"}
    columns = {"val": "held_out", "ref": "reference", "a": "shifts"}
    cells = [
        {
            "model": f"run alpha={point.alpha:g}",
            "kind": "wise-ft",
            "sweep": "run",
            "alpha": point.alpha,
            "dataset": name,
            "n": 1000,
            "k": round(1000 * getattr(point, column)),
            "classes": 4,
            "precision": "fp32",
        }
        for point in sweep.itertuples()
        for name, column in columns.items()
    ]
    return measure(pd.DataFrame(cells), roles, 0.95)


@pytest.fixture
def declared_anew():
    """Forgets what plug-ins declared, as a new process would: now by calling it, and at the end."""
    registry.declaration.cache_clear()
    yield registry.declaration.cache_clear
    registry.declaration.cache_clear()


@pytest.mark.parametrize("rule", ["within-point", "held-out"])
def test_the_merge_and_the_main_table_choose_by_the_default_rule(
    rule, monkeypatch, declared_anew
):
    from stockpot.merging import methods
    from stockpot.tables.main_table import main_table

    monkeypatch.setattr(selectors, "DEFAULT", rule)
    declared_anew()
    assert methods.options("wise-ft")["selector"]["default"] == rule
    sweep = pd.DataFrame(auto()[0]["sweep"]).assign(reference=0.8, shifts=0.6)
    alpha = selectors.choose(rule, sweep)
    assert auto()[0]["alpha"] == alpha
    made = main_table(sweep_measurements(sweep))
    assert [name for name in made.table["model"] if name.endswith("(chosen)")] == [
        f"run, alpha {alpha:.2f} (chosen)"
    ]
    assert any(f"({selectors.label(rule)})" in note for note in made.rule)


@pytest.fixture
def new_selector(tmp_path, monkeypatch, declared_anew):
    """A selector "lowest" that is one file more in the folder of the selectors."""
    folder = tmp_path / "selectors"
    shutil.copytree(Path(selectors.__file__).parent, folder)
    (folder / "lowest.py").write_text(
        "from . import Selector\n\n"
        'SELECTOR = Selector(label="the lowest", needs=("held_out",))\n\n\n'
        'def choose(sweep):\n    return float(sweep["alpha"].min())\n'
    )
    monkeypatch.setattr(selectors, "__file__", str(folder / "__init__.py"))
    monkeypatch.setattr(selectors, "__path__", [*selectors.__path__, str(folder)])
    declared_anew()
    yield "lowest"
    sys.modules.pop(f"{selectors.__name__}.lowest", None)


@pytest.mark.slow
def test_a_new_selector_is_one_file(new_selector):
    from stockpot import analyses, figures
    from stockpot.merging import methods
    from stockpot.tables.measurements import read_table

    known = ["held-out", new_selector, "within-error", "within-point"]
    assert selectors.on_held_out() == known
    assert (
        selectors.compare_selectors(SWEEP)
        .set_index("selector")
        .loc[new_selector, "alpha"]
        == 0
    )
    assert methods.options("wise-ft")["selector"]["enum"] == known
    assert auto(selector=new_selector)[0]["alpha"] == 0
    assert analyses.options("low-shot")["selectors"]["items"]["enum"] == [
        "half",
        *known,
    ]
    table = read_table(ROOT / "docs" / "results" / "low-shot.csv")
    table["selector"] = table["selector"].replace("half", new_selector)
    figure, _ = figures.load("low-shot")({"table": table}, {})
    assert "mix, the lowest" in [
        text.get_text() for text in figure.legends[0].get_texts()
    ]


@pytest.mark.slow
def test_a_new_selector_is_in_the_schema_of_the_config(new_selector):
    import yaml

    from stockpot.config.schema import schema_errors, with_plugin_options

    schema = with_plugin_options(
        yaml.safe_load((ROOT / "schemas" / "config.schema.yaml").read_text())
    )
    soup = {"method": "wise-ft", "ingredients": ["base"], "alpha": "auto"}
    config = {"soups": {"mine": soup | {"selector": new_selector}}}
    config["analyses"] = {"low-shot": {"selectors": [new_selector]}}
    assert not [line for line in schema_errors(config, schema) if "selector" in line]
    soup["selector"] = "highest"
    wrong = schema_errors({"soups": {"mine": soup}}, schema)
    assert any("soups.mine.selector: 'highest'" in line for line in wrong)
