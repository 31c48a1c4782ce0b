"""Analyses, pages and the report of a finished study, looked at in a browser without a network."""

import json
from collections import Counter

import pandas as pd
import pytest

ANALYSES = {
    "choosing-alpha": {},
    "diagnosis": {},
    "plane": {"analysis": "landscape", "points_per_side": 2},
}
FIGURES = {"effective-robustness", "alpha", *ANALYSES}
PAGES = {
    "overview.html",
    "explore.html",
    *(f"analyses/{name}.html" for name in ANALYSES),
}
FROM_TABLES = Counter(
    main_table=1,
    summary=1,
    figure=len(FIGURES),
    analysis=len(ANALYSES),
    page=len(ANALYSES),
    overview=1,
    explore=1,
)


@pytest.fixture(scope="session")
def reported(finished, warm, once):
    """The micro study with analyses, all pages and its report; jobs that ran; cells computed."""

    def make(folder):
        study = warm(finished.copy(folder))
        analyses = {**dict.fromkeys(defaults(study)), **ANALYSES}
        study.edit(lambda c: c.update(analyses=analyses, pages=["overview", "explore"]))
        done = study.run()
        policy = ("--report-stylesheet", "report/policy.css")
        study.snakemake("--report", "report.html", *policy)
        (folder / "ran.json").write_text(json.dumps(done))

    study = once("reported", make)
    jobs, computed = json.loads((study.folder / "ran.json").read_text())
    return study, Counter(jobs), computed


def defaults(study) -> list[str]:
    import yaml

    return list(yaml.safe_load((study.folder / "config.yaml").read_text())["analyses"])


@pytest.fixture
def study(reported, warm, tmp_path):
    return warm(reported[0].copy(tmp_path))


def test_analyses_come_from_what_is_stored(reported):
    """Mixes alone are evaluated; all else is read from the store."""
    study, jobs, computed = reported
    assert jobs == FROM_TABLES - Counter(main_table=1, summary=1, figure=2) + Counter(
        geometry=1, mixes=2
    )
    folder = study.results / "studies/micro/seed0"
    cells = [
        cell["key"]
        for path in (folder / "mixes").glob("*.json")
        for cell in json.loads(path.read_text())["cells"]
    ]
    assert 0 < computed <= len(set(cells))
    for name in ANALYSES:
        table = pd.read_csv(folder / "analyses" / f"{name}.csv")
        assert len(table)
        assert "nothing" not in table
        assert (folder / "analyses" / f"{name}.md").read_text().startswith("| ")
        assert r"\toprule" in (folder / "analyses" / f"{name}.tex").read_text()
    # So few images tell no two models apart: bold would say nothing, and a sentence does instead.
    assert "Nothing is bold on" in (folder / "main_table.md").read_text()
    assert r"\textbf{" not in (folder / "main_table.tex").read_text()
    plane = pd.read_csv(folder / "analyses" / "plane.csv")
    assert {"base", "search-00"} == set(plane.loc[0, ["model", "other_model"]])
    assert (
        computed
        >= len(plane) * len(["train", "reference", "v2", "own", "adversarial"]) - 15
    )


def test_another_level_axis_or_style_evaluates_nothing(study):
    study.edit(lambda c: c.update(statistics={"confidence": 0.9, "axis": "probit"}))
    assert study.run() == (FROM_TABLES, 0)
    study.edit(lambda c: c["figures"].update(alpha={"columns": 2}))
    assert study.run() == (Counter(figure=1), 0)


def test_an_option_of_one_analysis_redoes_that_one(study):
    study.edit(lambda c: c["analyses"].update(diagnosis={"max_barrier": 3.0}))
    jobs, computed = study.run()
    assert computed == 0
    assert jobs == Counter(mixes=1, analysis=1, figure=1, page=1, overview=1)


def test_the_same_study_gives_the_same_pages(reported, tmp_path):
    """In fresh interpreters, of which each hashes strings in its own way."""
    study = reported[0].copy(tmp_path)
    assert study.run() == (Counter(), 0)
    folder = study.results / "studies/micro/seed0"
    made = ("*.html", "analyses/choosing-alpha.*", "figures/choosing-alpha.*")
    removed = {path for pattern in made for path in folder.rglob(pattern)}
    assert {folder / page for page in PAGES} <= removed
    for path in removed:
        path.unlink()
    study.run()
    assert {path for pattern in made for path in folder.rglob(pattern)} == removed
    for path in removed:
        before = reported[0].results / path.relative_to(study.results)
        assert path.read_bytes() == before.read_bytes(), path.name


@pytest.mark.parametrize("name", sorted(PAGES - {"explore.html"}))
def test_a_page_shows_its_figure_its_caption_and_its_table(name, reported, visit):
    page = visit(reported[0].results / "studies/micro/seed0" / name)
    images = page.evaluate(
        "[...document.images].map(i => [i.complete, i.naturalWidth])"
    )
    assert images
    assert all(complete and width > 300 for complete, width in images)
    assert all(len(text) > 100 for text in page.locator("figcaption").all_inner_texts())
    assert page.locator("tbody tr").count() >= 2
    # Nothing but a wide table, which scrolls by itself, is wider than the window.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_scatter_tells_the_recipe_of_a_model(reported, visit):
    page = visit(reported[0].results / "studies/micro/seed0/explore.html")
    marks = page.locator("path[aria-roledescription='point']")
    marks.first.wait_for()
    told, frame = set(), page.locator("svg .background").first.bounding_box()
    for i in range(marks.count()):
        box = marks.nth(i).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if frame["x"] < x < frame["x"] + frame["width"] and 0 < y < 1000:
            page.mouse.move(x, y)
            told |= set(page.locator("#vg-tooltip-element.visible").all_inner_texts())
    assert any("0.5 zero-shot + 0.5 base" in text for text in told)
    assert any("n = 64" in text and "[" in text for text in told)
    menu = page.locator("select")
    options = menu.locator("option").all_inner_texts()
    assert options == ["mean of shifts", "v2", "own", "adversarial"]
    menu.select_option("own")
    assert marks.count()


def test_the_report_opens_offline_and_shows_every_result(reported, visit):
    page = visit(reported[0].folder / "report.html")
    assert page.title() == "Snakemake Report"
    shown = {
        "Overview": ["table and figure", "interactive scatter", "all seeds"],
        "Analyses": ANALYSES,
        "Figures": [*FIGURES, "samples"],
    }
    for category, names in shown.items():
        page.get_by_text(category, exact=True).first.click()
        for name in names:
            page.get_by_text(name, exact=True).first.wait_for()
        page.get_by_text("Results", exact=True).first.click()
    html = (reported[0].folder / "report.html").read_text()
    assert "PWNED" not in html
    assert "127.0.0.1:9" not in html
    assert page.locator("meta[http-equiv=Content-Security-Policy]").count() == 1
    assert "Clopper-Pearson" in html
    assert "{level}" not in html
