"""All pages of a study whose every name, label and setting is hostile, opened in a browser."""

import pandas as pd
import pytest
from PIL import Image

from stockpot.report.explore import robustness_scatter, to_html
from stockpot.report.page import figure, render_page, text
from stockpot.tables import escape
from stockpot.tables.display import to_markdown
from stockpot.tables.main_table import overview
from stockpot.tables.measurements import measure, robustness_table
from stockpot.tables.summary import summary
from tests.support.nasty_names import NASTY

ROLES = {
    "held-out": "held-out",
    "test": "reference",
    NASTY[0]: "shift",
    NASTY[3]: "shift",
}


@pytest.fixture(scope="module")
def measurements():
    """Models, kinds and data sets with the names of the corpus; published models among them."""
    rows = [
        ("zero-shot", "zero-shot", "", None),
        *((n, "end-to-end", "", None) for n in NASTY),
    ]
    rows += [(f"{name} alpha=0.5", "wise-ft", name, 0.5) for name in NASTY[:6]]
    rows += [(f"kind of {name}", name, "", None) for name in NASTY[6:18]]
    rows += [(f"standard {name}", "from-scratch", "", None) for name in NASTY[:6]]
    cells = [
        {
            "model": model,
            "kind": kind,
            "sweep": sweep,
            "alpha": alpha,
            "dataset": dataset,
            "n": 100,
            "k": 30 + (7 * i) % 60 + 3 * j,
            "classes": 4,
            "precision": "fp32",
        }
        for i, (model, kind, sweep, alpha) in enumerate(rows)
        for j, dataset in enumerate(ROLES)
    ]
    return measure(pd.DataFrame(cells), ROLES, 0.95)


@pytest.fixture(scope="module")
def written(measurements, tmp_path_factory):
    """The folder of the pages, written by the functions that the jobs call."""
    folder = tmp_path_factory.mktemp("pages")
    Image.new("RGB", (400, 20)).save(folder / "x.png")
    people = overview(measurements)
    notes = [escape.markdown(name) for name in NASTY]
    words = to_markdown(people) + "".join(f"\n{note}\n" for note in notes)
    drawn = figure(folder / "x.png", " ".join(notes))
    title = f"Overview of {NASTY[0]}"
    (folder / "overview.html").write_text(
        render_page(title, [drawn, text(words)]), "utf-8"
    )
    # Also as it would be if a sentence forgot to escape a name.
    raw = "\n\n".join(NASTY)
    (folder / "analysis.html").write_text(
        render_page(NASTY[4], [text(raw), text(words)]), "utf-8"
    )
    found = pd.DataFrame(
        {
            "finding": NASTY,
            "compared": NASTY,
            "dataset": NASTY,
            "value": 0.1,
            "low": 0.0,
            "high": 0.2,
            "supported": True,
        }
    )
    seeds = text(summary({NASTY[1]: found}, {NASTY[1]: words}))
    (folder / "summary.html").write_text(render_page("All seeds", [seeds]), "utf-8")
    settings = dict(zip(NASTY, reversed(NASTY)))
    models = {
        name: {"kind": name, "settings": settings, "ingredients": list(NASTY)}
        for name in NASTY
    }
    chart = robustness_scatter(
        measurements, *robustness_table(measurements, "logit", 0.95), models
    )
    (folder / "explore.html").write_text(to_html(chart, title), "utf-8")
    return folder


@pytest.mark.parametrize("name", ["overview", "analysis", "summary"])
def test_a_page_obeys_nothing(name, written, visit):
    shown = visit(written / f"{name}.html")
    assert shown.title().split("<")[0] in ("Overview of ", '">', "All seeds")
    assert (
        shown.locator("script, iframe, a, svg, form, section img, object").count() == 0
    )
    assert shown.locator("meta[http-equiv]").count() == 1
    if name != "analysis":
        assert shown.locator("tbody tr").count() >= len(NASTY)


def test_the_scatter_obeys_nothing(written, visit):
    shown = visit(written / "explore.html")
    marks = shown.locator("path[aria-roledescription='point']")
    marks.first.wait_for()
    assert (
        shown.title() == f"Overview of {NASTY[0]}" == shown.locator("h1").inner_text()
    )
    assert "Hover over a point" in shown.locator("p").first.inner_text()
    told = set()
    for i in range(0, marks.count(), 3):
        box = marks.nth(i).bounding_box()
        shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        told |= set(shown.locator("#vg-tooltip-element.visible").all_inner_texts())
    assert any("<" in tooltip for tooltip in told)
    assert shown.locator("#vg-tooltip-element :is(script, img, a, iframe)").count() == 0
    menu = shown.locator("select")
    assert menu.locator("option").all_inner_texts()[0] == "mean of shifts"
    menu.select_option(index=1)
    assert marks.count()
    assert shown.locator("script").count() == 2
