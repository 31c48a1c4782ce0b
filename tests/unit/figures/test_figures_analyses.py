"""Figures of analyses: drawn from the tables of a small study, with all text on the page."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from stockpot import analyses, figures
from stockpot.tables.evidence import NothingToShowError
from tests.support.drawn_text import draw_figure, drawn_words, texts_beyond_the_page
from tests.support.synthetic_study import (
    NOTHING_TO_SHOW_TEXTS,
    SIZES,
    UPDATES,
    products,
    small_study,
    tabulate,
)
from tests.support.table_files import through_a_file

pytestmark = pytest.mark.slow


DRAWN = [name for name in figures.names() if figures.draws(name)]


FACTS = {"level": "95 %", "axis": "logit", "sizes": "test 150, sketch 100"}


@pytest.fixture(scope="module")
def smallest_study_tables(once_value) -> dict[str, pd.DataFrame]:
    """Of a study with one example per data set and three runs."""
    return once_value("unit-least", make_smallest_study_tables)


def make_smallest_study_tables(folder) -> dict[str, pd.DataFrame]:
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
            evidence = study.evidence(mixes=mixes, geometry=products(UPDATES))
            found[name] = through_a_file(tabulate(name, evidence))
        except NothingToShowError as reason:
            found[name] = through_a_file(reason.table())
    return found


@pytest.mark.parametrize("name", ["brittleness", "cost"])
def test_the_only_shift_is_named_in_a_figure(analysis_tables, name):
    """Where a study has several, and of a table alone, it is their mean."""
    columns = {
        "dataset": ["test", "sketch", "a"],
        "role": ["reference", "shift", "shift"],
    }
    several = pd.DataFrame(columns)
    one, _ = figures.load(name)(
        {"table": analysis_tables[name], "measurements": several[:2]}, {}
    )
    assert "sketch" in drawn_words(one)
    assert not any("Mean of shifts" in text for text in drawn_words(one))
    for given in (
        {"table": analysis_tables[name]},
        {"table": analysis_tables[name], "measurements": several},
    ):
        figure, _ = figures.load(name)(given, {})
        assert "Mean of shifts" in drawn_words(figure)
        assert "sketch" not in drawn_words(figure)


def test_text_beyond_an_edge_is_seen():
    figure = Figure((2, 1))
    figure.text(0.5, 0.5, "inside")
    figure.text(0.9, 0.5, "over the edge")
    figure.text(0.5, 2, "hidden", visible=False)
    assert [text for text, _ in texts_beyond_the_page(figure)] == ["over the edge"]


@pytest.mark.parametrize("name", DRAWN)
def test_draws_its_table_with_all_text_on_the_page(name, analysis_tables):
    before = analysis_tables[figures.draws(name)].copy()
    figure, data = draw_figure(name, analysis_tables[figures.draws(name)])
    assert isinstance(figure, Figure)
    assert isinstance(data, pd.DataFrame)
    assert len(data)
    assert texts_beyond_the_page(figure) == []
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
    pd.testing.assert_frame_equal(analysis_tables[figures.draws(name)], before)


@pytest.mark.parametrize("name", DRAWN)
def test_draws_a_study_of_one_example_per_data_set(name, smallest_study_tables):
    figure, data = draw_figure(name, smallest_study_tables[figures.draws(name)])
    assert len(data)
    assert texts_beyond_the_page(figure) == []


@pytest.mark.parametrize("name", DRAWN)
def test_an_empty_table_draws_its_sentence(name):
    table = NothingToShowError(
        NOTHING_TO_SHOW_TEXTS.get(
            figures.draws(name), "there is no model with a result"
        )
    ).table()
    figure, data = draw_figure(name, table)
    assert drawn_words(figure) == {table.iloc[0, 0]}
    assert data is table
    assert not figure.axes
    assert texts_beyond_the_page(figure) == []


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


def test_joint_and_chords_have_a_curve_per_sweep(analysis_tables):
    figure, _ = draw_figure("joint", analysis_tables["joint"])
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 5]
    own = analysis_tables["joint"][analysis_tables["joint"]["dataset"] == "test"]
    assert len(curves) == 1
    assert curves[0].get_ydata() == pytest.approx(100 * own["difference"].to_numpy())
    assert "base − both (with sketch)" in drawn_words(figure)
    figure, _ = draw_figure("chords", analysis_tables["chords"])
    assert {"to base", "to few", "mean of shifts"} <= drawn_words(figure)
