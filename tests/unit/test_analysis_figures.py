"""Figures of analyses: drawn from the tables of the made-up study, with all text on the page."""

from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from stockpot import analyses, figures
from stockpot.drawing import style
from stockpot.tables.evidence import NothingToShowError
from stockpot.tables.measurements import read_table, write_table
from tests.unit.test_analyses import (
    NEEDED,
    SIZES,
    VECTORS,
    made,
    products,
    row,
    small_study,
    tabulate,
)

pytestmark = pytest.mark.slow

DRAWN = [name for name in figures.names() if figures.draws(name)]
FACTS = {"level": "95 %", "axis": "logit", "sizes": "test 150, sketch 100"}


@pytest.fixture(scope="module")
def tables(once_value) -> dict[str, pd.DataFrame]:
    """By analysis, as figures read them: from files."""
    _, found = made(once_value)
    return {name: through_a_file(table) for name, table in found.items()}


@pytest.fixture(scope="module")
def least(once_value) -> dict[str, pd.DataFrame]:
    """Of a study with one example per data set and three runs."""
    return once_value("unit-least", make_least)


def make_least(folder) -> dict[str, pd.DataFrame]:
    study = small_study(
        folder,
        ["base", "both", "few"],
        ["base", "few"],
        sizes=dict.fromkeys(SIZES, 1),
    )
    found, runs = {}, ["base", "both", "few"]
    for name in analyses.names():
        mixes = study.mixes(name, runs=runs) if analyses.evaluates(name) else None
        try:
            evidence = study.evidence(mixes=mixes, geometry=products(VECTORS))
            found[name] = through_a_file(tabulate(name, evidence))
        except NothingToShowError as reason:
            found[name] = through_a_file(reason.table())
    return found


def through_a_file(table: pd.DataFrame) -> pd.DataFrame:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(table, path, float_format="%.6g")
        return read_table(path)


@pytest.mark.parametrize("name", ["brittleness", "cost"])
def test_the_only_shift_is_named_in_a_figure(tables, name):
    """Where a study has several, and of a table alone, it is their mean."""
    columns = {
        "dataset": ["test", "sketch", "a"],
        "role": ["reference", "shift", "shift"],
    }
    several = pd.DataFrame(columns)
    one, _ = figures.load(name)(
        {"table": tables[name], "measurements": several[:2]}, {}
    )
    assert "sketch" in words(one)
    assert not any("Mean of shifts" in text for text in words(one))
    for given in (
        {"table": tables[name]},
        {"table": tables[name], "measurements": several},
    ):
        figure, _ = figures.load(name)(given, {})
        assert "Mean of shifts" in words(figure)
        assert "sketch" not in words(figure)


def drawn(name: str, table: pd.DataFrame, options=None) -> tuple[Figure, pd.DataFrame]:
    return figures.load(name)({"table": table}, options)


def texts(figure: Figure) -> list[Text]:
    """All text that is really drawn; ticks beyond the ends of an axis are not."""
    seen, draw = [], Text.draw

    def noted(self, *args, **kwargs):
        seen.append(self)
        return draw(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch, style.matplotlib_settings():
        patch.setattr(Text, "draw", noted)
        FigureCanvasAgg(figure).draw()
    return [text for text in seen if text.get_visible() and text.get_text().strip()]


def outside(figure: Figure, tolerance=2) -> list[tuple[str, int]]:
    """Every text that is cut off at an edge, and by how many pixels."""
    shown, page = texts(figure), figure.bbox
    assert shown, "a figure has text"
    boxes = [text.get_window_extent() for text in shown]
    over = [max(-b.x0, -b.y0, b.x1 - page.width, b.y1 - page.height) for b in boxes]
    return [(t.get_text(), round(by)) for t, by in zip(shown, over) if by > tolerance]


def words(figure: Figure) -> set[str]:
    return {text.get_text() for text in texts(figure)}


def test_text_beyond_an_edge_is_seen():
    figure = Figure((2, 1))
    figure.text(0.5, 0.5, "inside")
    figure.text(0.9, 0.5, "over the edge")
    figure.text(0.5, 2, "hidden", visible=False)
    assert [text for text, _ in outside(figure)] == ["over the edge"]


@pytest.mark.parametrize("name", DRAWN)
def test_draws_its_table_with_all_text_on_the_page(name, tables):
    before = tables[figures.draws(name)].copy()
    figure, data = drawn(name, tables[figures.draws(name)])
    assert isinstance(figure, Figure)
    assert isinstance(data, pd.DataFrame)
    assert len(data)
    assert outside(figure) == []
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
    pd.testing.assert_frame_equal(tables[figures.draws(name)], before)


@pytest.mark.parametrize("name", DRAWN)
def test_draws_a_study_of_one_example_per_data_set(name, least):
    figure, data = drawn(name, least[figures.draws(name)])
    assert len(data)
    assert outside(figure) == []


@pytest.mark.parametrize("name", DRAWN)
def test_an_empty_table_draws_its_sentence(name):
    table = NothingToShowError(
        NEEDED.get(figures.draws(name), "there is no model with a result")
    ).table()
    figure, data = drawn(name, table)
    assert words(figure) == {table.iloc[0, 0]}
    assert data is table
    assert not figure.axes
    assert outside(figure) == []


@pytest.mark.parametrize("name", figures.names())
def test_every_caption_says_how_to_read_the_figure(name):
    text = figures.caption(name, style={}, **FACTS)
    assert len(text.split()) >= 40
    assert text.startswith("**")
    assert text.endswith(".")
    assert not {"{", "}", "\n"} & set(text)
    assert FACTS["sizes"] in text or name == "diagnosis", (
        "which is of the held-out set alone"
    )


def test_every_analysis_has_a_figure_and_every_figure_an_analysis():
    assert {figures.draws(name) for name in DRAWN} == set(analyses.names())


@pytest.mark.parametrize("name", analyses.names())
def test_every_option_has_a_type_and_a_default_that_fits(name):
    for option, schema in analyses.options(name).items():
        assert schema["type"] in {"array", "integer", "number", "string", "boolean"}, (
            option
        )
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(schema["default"], schema)


def test_frontier_has_a_dot_per_model_at_its_gap(tables):
    figure, _ = drawn("frontier", tables["frontier"])
    axes = figure.axes[0]
    dots = {
        round(line.get_ydata()[0]): line.get_xdata()[0]
        for line in axes.lines
        if line.get_marker() == "o"
    }
    labels = [label.get_text() for label in axes.get_yticklabels()]
    for found in tables["frontier"].itertuples():
        assert dots[labels.index(found.model)] == pytest.approx(
            100 * found.gap_to_sweep
        )
    assert len(dots) == len(tables["frontier"])


def test_the_plane_has_its_three_models_where_they_are(tables):
    table = tables["landscape"]
    figure, _ = drawn("landscape", table)
    panel = figure.axes[0]
    star = next(line for line in panel.lines if line.get_marker() == "*")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0, 0)
    ends = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in panel.lines
        if line.get_marker() == "o"
    ]
    corners = (
        row(table, coefficient=s, other_coefficient=t) for s, t in ((1, 0), (0, 1))
    )
    assert ends == [(corner["x"], corner["y"]) for corner in corners]
    assert panel.get_aspect() == 1, "distances are true"


def test_cost_leaves_out_what_has_no_whole_time(tables):
    figure, _ = drawn("cost", tables["cost"])
    assert "uniform" in words(figure)
    assert "greedy" not in words(figure)


def test_joint_and_chords_have_a_curve_per_sweep(tables):
    figure, _ = drawn("joint", tables["joint"])
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 5]
    own = tables["joint"][tables["joint"]["dataset"] == "test"]
    assert len(curves) == 1
    assert curves[0].get_ydata() == pytest.approx(100 * own["difference"].to_numpy())
    assert "base − both (with sketch)" in words(figure)
    figure, _ = drawn("chords", tables["chords"])
    assert {"to base", "to few", "mean of shifts"} <= words(figure)


def test_pairs_are_drawn_as_the_mean_over_the_shifts(tables):
    table = tables["pairs"]
    _, data = drawn("pair-accuracies", table)
    assert list(data["dataset"].value_counts()) == [6, 6]
    own = table[(table["model"] == "base") & (table["other_model"] == "few")]
    there = own[own["dataset"] != "test"]
    found = row(data, model="base", other_model="few", dataset="mean of shifts")
    assert found["soup_accuracy"] == pytest.approx(there["soup_accuracy"].mean())
    _, losses = drawn("pair-losses", table)
    found = row(losses, model="base", other_model="few", dataset="mean of shifts")
    assert found["error_difference"] == pytest.approx(
        (there["ensemble_accuracy"] - there["soup_accuracy"]).mean()
    )


def test_diagnosis_without_a_greedy_soup_says_so(tables):
    table = tables["diagnosis"]
    assert {"taken", "left out"} <= words(drawn("diagnosis", table)[0])
    figure, _ = drawn("diagnosis", table[table["row_type"] != "greedy_step"])
    assert "no greedy soup of these ingredients" in words(figure)
    assert outside(figure) == []


@pytest.mark.parametrize("column", ["train_loss", "reference_error", "shift_error"])
def test_a_level_plane_is_drawn(column, tables):
    """As where all mixes are equally right, which few examples make likely."""
    table = tables["landscape"].assign(**{column: 0.25})
    figure, _ = drawn("landscape", table)
    assert outside(figure) == []


def test_significance_fills_the_dots_of_comparisons(tables):
    table = tables["comparisons"]

    def filled(level):
        figure, _ = drawn("comparisons", table, {"significance": level})
        dots = [
            line
            for axes in figure.axes
            for line in axes.lines
            if line.get_marker() == "o"
        ]
        return sum(dot.get_markerfacecolor() != "white" for dot in dots)

    shown = table[table["dataset"].isin(["test", "mean of shifts"])]
    for level in (0.05, 0.5):
        assert filled(level) == (shown["p_corrected"] <= level).sum()
    assert filled(0.05) not in (0, len(shown)), "the study has both"
