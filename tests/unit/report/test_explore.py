"""The interactive scatter of all models."""

import json
import re

import pandas as pd
import pytest


def scatter_cells_and_roles():
    rows = [
        ("zero-shot", "zero-shot", "", None, 70, 60),
        ("base", "end-to-end", "", None, 90, 50),
        ("soup", "greedy", "", None, 91, 55),
        ("base alpha=0.5", "wise-ft", "base", 0.5, 88, 62),
        *(
            (f"s{i}", "from-scratch", "", None, 50 + 10 * i, 20 + 9 * i)
            for i in range(4)
        ),
    ]
    cells = [
        {
            "model": m,
            "kind": kind,
            "sweep": sweep,
            "alpha": alpha,
            "dataset": dataset,
            "n": 100,
            "k": k,
            "classes": 4,
            "precision": "fp32",
        }
        for m, kind, sweep, alpha, reference, shift in rows
        for dataset, k in (("held-out", reference), ("test", reference), ("s", shift))
    ]
    return pd.DataFrame(cells), {
        "held-out": "held-out",
        "test": "reference",
        "s": "shift",
    }


@pytest.fixture(scope="module")
def scatter_chart():
    from stockpot.report.explore import robustness_scatter
    from stockpot.tables.measurements import measure, robustness_table

    table = measure(*scatter_cells_and_roles(), 0.95)
    models = {
        "base": {
            "kind": "end-to-end",
            "settings": {"lr": 0.1, "sam_rho": 0.0, "variant": "x"},
        },
        "soup": {
            "kind": "greedy",
            "settings": {"order": "held-out"},
            "ingredients": ["base", "c"],
            "recipe": {
                "rule": "linear",
                "ingredients": {"0a": 0.5, "1b": 0.25, "2c": 0.25},
                "ingredient_names": {"base": "0a", "c": "1b"},
            },
        },
    }
    return robustness_scatter(table, *robustness_table(table, "logit", 0.95), models)


def test_the_scatter_tells_recipes_numbers_and_robustness(scatter_chart):
    (points,) = (
        data
        for data in scatter_chart.to_dict()["datasets"].values()
        if data and "recipe" in data[0]
    )
    told = {row["model"]: row for row in points if row["shift"] == "s"}
    assert told["base"]["recipe"] == "end-to-end; lr 0.1"
    assert (
        told["soup"]["recipe"]
        == "greedy; 0.5 base + 0.25 c + 0.25 zero-shot; order held-out"
    )
    assert told["base alpha=0.5"]["recipe"] == "0.5 zero-shot + 0.5 base"
    assert told["base"]["under_shift"] == "50.0 % [39.8, 60.2], n = 100"
    assert re.fullmatch(r"[+-]\d+\.\d \[.*\]", told["base"]["effective_robustness"])
    assert {row["shift"] for row in points} == {
        "s"
    }  # the mean of one shift is that shift


@pytest.mark.slow
def test_every_curve_has_a_colour_and_the_zero_shot_model_is_a_star():
    from stockpot.report.explore import robustness_scatter
    from stockpot.tables.measurements import measure, robustness_table

    cells, roles = scatter_cells_and_roles()
    curves = cells[cells["sweep"] == "base"]
    cells = pd.concat(
        [cells, *(curves.assign(sweep=name) for name in ("soup", "third"))]
    )
    names = cells["sweep"] + cells["model"]
    cells = cells.assign(model=cells["model"].where(cells["sweep"] == "", names))
    table = measure(cells, roles, 0.95)
    scatter_chart = robustness_scatter(
        table, *robustness_table(table, "logit", 0.95), {}
    ).to_dict()
    marks = scatter_chart["layer"][2]["encoding"]
    colours, shapes = (marks[channel]["scale"] for channel in ("color", "shape"))
    look = dict(zip(colours["domain"], colours["range"]))
    assert [name for name in look if name.startswith("WiSE-FT to ")] == [
        "WiSE-FT to base",
        "WiSE-FT to soup",
        "WiSE-FT to third",
    ]
    assert len(set(look.values())) == len(look)
    star = dict(zip(shapes["domain"], shapes["range"]))["Zero-shot"]
    assert star.startswith("M0.000,-1.000L")
    assert star.count("L") == 9
    line = scatter_chart["layer"][1]["encoding"]
    assert line["color"]["field"] == "series"
    assert line["detail"]["field"] == "sweep"


@pytest.mark.slow
def test_the_scatter_is_one_page_with_all_scripts_in_it(scatter_chart):
    from stockpot.report.explore import to_html

    html = to_html(scatter_chart, "Every model of <x>")
    assert html == to_html(scatter_chart, "Every model of <x>")
    assert len(html) > 500_000
    assert html.count("Every model of &lt;x&gt;") == 2
    assert "Hover over a point" in html
    assert not re.search(r'<script[^>]*src=|<link[^>]*href="http', html)
    assert "vega.github.io/schema/vega-lite" in json.dumps(scatter_chart.to_dict())
