"""Figures of studies with many models, long or foreign names, or one shift: legible, complete."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from stockpot import figures
from stockpot.tables.main_table import overview
from stockpot.tables.notes import notes
from tests.support import large_tables as large
from tests.support.drawn_text import drawn_texts, drawn_words, figure_of
from tests.support.legible_text import illegible, legend_texts

pytestmark = pytest.mark.slow


NONE_SHARED = pd.DataFrame(columns=["other_dataset", "dataset", "shared_images", "n"])


@pytest.fixture(scope="module")
def one_shift_tables() -> dict[str, pd.DataFrame]:
    return large.study_tables(large.cells(runs=7, shifts=1))


def test_what_is_illegible_is_seen():
    figure = Figure((3, 1))
    figure.text(0.1, 0.5, "one text")
    figure.text(0.2, 0.5, "another text")
    figure.text(0.9, 0.1, "over the edge")
    assert illegible(figure) == [
        "over the edge is cut off",
        "one text over another text",
    ]


def test_names_in_figures_are_text_and_never_mathematics():
    renamed = {"model-1": "$x^2$", "model-2": "$$", "model-3": r"\sum_i"}
    for name, table in (
        ("comparisons", large.comparisons(4)),
        ("frontier", large.frontier(4)),
        ("cost", large.cost(4)),
        ("calibration", large.calibration(4, 1)),
    ):
        figure = figure_of(name, table.replace(renamed))
        assert set(renamed.values()) <= drawn_words(figure), name
        assert not any(text.get_parse_math() for text in drawn_texts(figure))


def test_nine_test_sets_have_room_for_their_names():
    figure = figure_of("diversity", large.diversity(8))
    assert not [text for text in illegible(figure) if text.endswith("is cut off")]
    heights = [axes.get_window_extent().height / figure.dpi for axes in figure.axes[:4]]
    assert min(heights) > 1.0, "inches"


@pytest.mark.parametrize("name", ["alpha", "shifts"])
def test_figures_of_nine_test_sets_have_no_text_over_another(name):
    tables = large.study_tables(large.cells(runs=3, long=True))
    figure, _ = figures.load(name)(tables, {})
    assert illegible(figure) == []


# One shift, no line, equals.


def test_one_shift_is_drawn_once_and_by_its_name(one_shift_tables):
    shift = large.SHIFTS[0]
    figure, _ = figures.load("alpha")(one_shift_tables, {})
    assert [axes.get_title("left") for axes in figure.axes] == [
        "imagenet",
        "held-out",
        shift,
    ]
    for name in ("effective-robustness", "soups", "methods"):
        figure, _ = figures.load(name)(one_shift_tables, {})
        assert figure.axes[0].get_ylabel() == f"Accuracy on {shift} (%)"
        assert not any("mean" in text.lower() for text in drawn_words(figure))
    assert list(overview(one_shift_tables["measurements"])) == [
        "model",
        "kind",
        "imagenet",
        shift,
    ]


@pytest.mark.parametrize("name", figures.names())
def test_captions_of_a_study_without_a_line_do_not_speak_of_one(name):
    facts = {"level": "95 %", "axis": "logit", "sizes": "a 10", "style": {}}
    text = figures.caption(name, shifts=["sketch"], line=False, **facts)
    assert "grey line" not in text
    assert "own line" not in text
    assert "above the line" not in text
    assert "mean of the shifts (" not in text
    assert "{" not in text
    with_line = figures.caption(name, shifts=["a", "b"], line=True, **facts)
    assert ("line" in with_line) or name not in ("effective-robustness", "shifts")


def test_equal_sweeps_and_soups_say_what_they_equal():
    cells = large.cells(runs=7, shifts=2)
    k = cells.set_index(["model", "dataset"])["k"].to_dict()
    pairs = {"ensemble": "uniform", "greedy": "model-3"}
    pairs |= {
        f"model-1 alpha={i / 10:g}": f"greedy alpha={i / 10:g}" for i in range(11)
    }
    for row in cells.itertuples():
        if row.model in pairs:
            cells.loc[row.Index, "k"] = k[pairs[row.model], row.dataset]
    tables = large.study_tables(cells)
    for name in ("effective-robustness", "shifts", "alpha"):
        shown = legend_texts(figures.load(name)(tables, {})[0])
        assert "WiSE-FT to model-1 (= to greedy)" in shown
        assert "WiSE-FT to greedy" in shown
        if name != "alpha":
            assert {"Greedy soup (= model-3)", "Logit ensemble (= uniform)"} <= set(
                shown
            )
    said = notes({}, NONE_SHARED, tables["measurements"], tables["fits"])
    assert said == [
        "greedy and model-3 are equal on every data set.",
        "ensemble and uniform are equal on every data set.",
        "The sweeps to greedy and model-1 are equal on every data set.",
    ]
