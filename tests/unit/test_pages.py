"""Tables for people, and the pages of the report."""

import json
import re

import pandas as pd
import pytest
from PIL import Image

from stockpot.report.page import figure, render_page, text
from stockpot.tables.display import to_latex, to_markdown

TABLE = pd.DataFrame(
    {
        "model": ["a_b", "50 % & more"],
        "dataset": ["ref", None],
        "points": ["**1.0 ± 0.1**", "α < 2"],
    }
)


def test_latex_is_escaped_and_bold():
    lines = to_latex(TABLE).splitlines()
    assert lines[:2] == [r"\begin{tabular}{llr}", r"\toprule"]
    assert lines[2] == r"model & dataset & points \\"
    assert lines[4] == r"a\_b & ref & \textbf{1.0 $\pm$ 0.1} \\"
    assert lines[5] == r"50 \% \& more &  & $\alpha$ \textless{} 2 \\"
    assert lines[-1] == r"\end{tabular}"
    assert len(lines) == 8


def test_markdown_keeps_its_columns():
    lines = to_markdown(TABLE.replace("ref", "a|b")).splitlines()
    assert lines[1] == "| :-- | :-- | --: |"
    assert lines[2] == "| a_b | a\\|b | **1.0 ± 0.1** |"
    assert lines[3].count("|") == 4


def test_a_page_shows_html_and_does_not_obey_it(tmp_path):
    source = "| model | x |\n| :-- | --: |\n| <script>alert(1)</script> | **2** |\n"
    found = render_page("<b>", [text(source)])
    assert "<script" not in found
    assert "&lt;script&gt;" in found
    assert "<strong>2</strong>" in found
    assert "<title>&lt;b&gt;</title>" in found
    assert found.count("<table>") == 1
    Image.new("RGB", (2, 2)).save(tmp_path / "x.png")
    shown = figure(tmp_path / "x.png", "**How** <to> read it")
    assert 'alt="x"' in shown
    assert "<strong>How</strong> &lt;to&gt;" in shown
    assert "data:image/png;base64,iVBOR" in shown
    assert re.findall(r"https?://", found + shown) == []


def study():
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
def chart():
    from stockpot.report.explore import robustness_scatter
    from stockpot.tables.measurements import measure, robustness_table

    table = measure(*study(), 0.95)
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


def test_the_scatter_tells_recipes_numbers_and_robustness(chart):
    (points,) = (
        data
        for data in chart.to_dict()["datasets"].values()
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

    cells, roles = study()
    curves = cells[cells["sweep"] == "base"]
    cells = pd.concat(
        [cells, *(curves.assign(sweep=name) for name in ("soup", "third"))]
    )
    names = cells["sweep"] + cells["model"]
    cells = cells.assign(model=cells["model"].where(cells["sweep"] == "", names))
    table = measure(cells, roles, 0.95)
    chart = robustness_scatter(
        table, *robustness_table(table, "logit", 0.95), {}
    ).to_dict()
    marks = chart["layer"][2]["encoding"]
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
    line = chart["layer"][1]["encoding"]
    assert line["color"]["field"] == "series"
    assert line["detail"]["field"] == "sweep"


@pytest.mark.slow
def test_the_scatter_is_one_page_with_all_scripts_in_it(chart):
    from stockpot.report.explore import to_html

    html = to_html(chart, "Every model of <x>")
    assert html == to_html(chart, "Every model of <x>")
    assert len(html) > 500_000
    assert html.count("Every model of &lt;x&gt;") == 2
    assert "Hover over a point" in html
    assert not re.search(r'<script[^>]*src=|<link[^>]*href="http', html)
    assert "vega.github.io/schema/vega-lite" in json.dumps(chart.to_dict())
