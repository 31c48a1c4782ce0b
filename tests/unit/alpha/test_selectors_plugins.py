"""The default selector is one for all, and a new selector is one file."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from stockpot.alpha import selectors
from stockpot.runtime import registry
from tests.support.paths import ROOT
from tests.support.selected_sweep import HAND_MADE_SWEEP, auto_recipe


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
def forget_declarations():
    """Forgets what plug-ins declared, as a new process would: now by calling it, and at the end."""
    registry.declaration.cache_clear()
    yield registry.declaration.cache_clear
    registry.declaration.cache_clear()


@pytest.mark.parametrize("rule", ["within-point", "held-out"])
def test_the_merge_and_the_main_table_choose_by_the_default_rule(
    rule, monkeypatch, forget_declarations
):
    from stockpot.merging import methods
    from stockpot.tables.main_table import main_table

    monkeypatch.setattr(selectors, "DEFAULT", rule)
    forget_declarations()
    assert methods.options("wise-ft")["selector"]["default"] == rule
    sweep = pd.DataFrame(auto_recipe()[0]["sweep"]).assign(reference=0.8, shifts=0.6)
    alpha = selectors.choose(rule, sweep)
    assert auto_recipe()[0]["alpha"] == alpha
    made = main_table(sweep_measurements(sweep))
    assert [name for name in made.table["model"] if name.endswith("(chosen)")] == [
        f"run, alpha {alpha:.2f} (chosen)"
    ]
    assert any(f"({selectors.label(rule)})" in note for note in made.rule)


@pytest.fixture
def new_selector(tmp_path, monkeypatch, forget_declarations):
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
    forget_declarations()
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
        selectors.compare_selectors(HAND_MADE_SWEEP)
        .set_index("selector")
        .loc[new_selector, "alpha"]
        == 0
    )
    assert methods.options("wise-ft")["selector"]["enum"] == known
    assert auto_recipe(selector=new_selector)[0]["alpha"] == 0
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
