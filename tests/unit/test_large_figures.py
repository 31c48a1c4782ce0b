"""Figures of studies with many models, long or foreign names, or one shift: legible, complete."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from stockpot import analyses, figures
from stockpot.datasets.dataset import Dataset
from stockpot.drawing import style
from stockpot.drawing import texts as figure_texts
from stockpot.drawing.contact_sheet import contact_sheet
from stockpot.figures import methods
from stockpot.statistics.natural_order import natural
from stockpot.tables.display import to_latex, to_markdown, unbroken
from stockpot.tables.main_table import main_table, overview
from stockpot.tables.notes import notes
from tests.support import large_tables as large
from tests.unit.test_analysis_figures import texts, words

pytestmark = pytest.mark.slow

NONE_SHARED = pd.DataFrame(columns=["other_dataset", "dataset", "shared_images", "n"])


@pytest.fixture(scope="module")
def many() -> dict[str, pd.DataFrame]:
    return large.study_tables(large.cells(runs=72))


@pytest.fixture(scope="module")
def one_shift() -> dict[str, pd.DataFrame]:
    return large.study_tables(large.cells(runs=7, shifts=1))


def drawn(name: str, table: pd.DataFrame) -> Figure:
    return figures.load(name)({"table": table}, {})[0]


def illegible(figure: Figure, tolerance: float = 3) -> list[str]:
    """Every text that is cut off at an edge of the page, and every two that cover each other.

    The tolerance is the pixels that letters leave free in the box of a text.
    """
    # Of an annotation the box of its text alone, without its arrow.
    shown = [(text.get_text(), Text.get_window_extent(text)) for text in texts(figure)]
    page, found = figure.bbox, []
    for text, box in shown:
        if max(-box.x0, -box.y0, box.x1 - page.width, box.y1 - page.height) > tolerance:
            found.append(f"{text} is cut off")
    for (one, a), (other, b) in combinations(shown, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > tolerance and high > tolerance:
            found.append(f"{one} over {other}")
    return found


def test_what_is_illegible_is_seen():
    figure = Figure((3, 1))
    figure.text(0.1, 0.5, "one text")
    figure.text(0.2, 0.5, "another text")
    figure.text(0.9, 0.1, "over the edge")
    assert illegible(figure) == [
        "over the edge is cut off",
        "one text over another text",
    ]


def legend_texts(figure: Figure) -> list[str]:
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return [
        text.get_text() for legend in legends if legend for text in legend.get_texts()
    ]


# Texts.


def test_a_text_is_wrapped_and_shortened_to_its_room():
    fit, width = figure_texts.fit_text, figure_texts.text_width
    assert fit("agricultural equipment", 60, 8, lines=2) == "agricultural\nequipment"
    shortened = fit("model-1-with-strong-augmentation", 60, 8)
    assert shortened.startswith("model")
    assert shortened.endswith("ation")
    assert "…" in shortened
    for text in (
        "x" * 300,
        "红色圆盘" * 30,
        "a b " * 50,
        "very-long_names/with-all_of_it" * 9,
    ):
        lines = fit(text, 50, 8, lines=3).split("\n")
        assert len(lines) <= 3
        assert all(width(line, 8) <= 50 for line in lines)
    assert fit("two\nlines\x1b[31m", 500, 8) == "two\\nlines\\x1b[31m"
    assert fit("", 50, 8) == ""


def test_the_width_of_a_text_is_that_of_matplotlib():
    figure = Figure(dpi=72)
    text = figure.text(0, 0, "model-12 WiSE-FT (%)", fontsize=10, parse_math=False)
    assert figure_texts.text_width(text.get_text(), 10) == pytest.approx(
        text.get_window_extent().width, rel=0.05
    )


def test_fonts_are_asked_for_characters_alone_that_the_usual_one_lacks():
    assert figure_texts.families_for(["plain", "Ärger", "α ± 1"]) == (
        ["DejaVu Sans"],
        set(),
    )
    _, missing = figure_texts.families_for(
        ["\U000f0000"]
    )  # private use: no font has it
    assert missing == {"\U000f0000"}


def test_names_sort_as_people_count():
    names = ["model-10", "model-2", "model-1", "model", "2", "10", "model-2b"]
    assert sorted(names, key=natural) == [
        "2",
        "10",
        "model",
        "model-1",
        "model-2",
        "model-2b",
        "model-10",
    ]


# Samples.


def samples(classes: list[str], sets: int = 2, **options) -> Figure:
    images = np.zeros((len(classes), 8, 8, 3), np.uint8)
    labels = np.arange(len(classes))
    names = ["imagenet", *large.SHIFTS][:sets]
    datasets = [Dataset(name, images, labels, classes, name) for name in names]
    return contact_sheet(datasets, **options)[0]


LONG = [
    "agricultural equipment",
    "vegetable",
    "construction machinery",
    "musical instruments",
    "Arabian camel",
    "air conditioner unit",
    "fruit",
    "stained_glass-window",
    "x" * 60,
    "a",
    "tree",
    "house",
    "bus",
    "car",
    "cat",
    "dog",
    "duck",
    "hen",
]


@pytest.mark.parametrize(("classes", "sets"), [(LONG[:7], 2), (LONG, 9)])
def test_titles_of_samples_do_not_run_into_each_other(classes, sets):
    figure = samples(classes, sets)
    assert illegible(figure) == []


def test_samples_say_how_many_classes_they_show():
    assert "12 of 18 classes." in words(samples(LONG))
    assert not any("classes" in text for text in words(samples(LONG[:12])))


def test_names_without_a_font_become_numbers_with_one_note(caplog):
    lost = "\U000f0000\U000f0001"
    figure = samples(["cat", lost, "dog", lost + "2"])
    shown = words(figure)
    assert {"cat", "class 2", "dog", "class 4"} <= shown
    (note,) = [text for text in shown if "font" in text]
    assert "2 class names" in note.replace("\n", " ")
    assert lost not in "".join(shown)
    assert "no font of this machine has" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "$",
        "$$",
        "$5 to $10",
        r"\frac{a}{b}",
        "a_b^c",
        "$\\alpha$",
        "100 %",
        "{}",
        "#&~",
    ],
)
def test_class_names_are_text_and_never_mathematics(name):
    figure = samples([name, "other"])
    assert name in {text.replace("\n", " ") for text in words(figure)}
    assert not any(text.get_parse_math() for text in texts(figure))


def test_names_in_figures_are_text_and_never_mathematics():
    renamed = {"model-1": "$x^2$", "model-2": "$$", "model-3": r"\sum_i"}
    for name, table in (
        ("comparisons", large.comparisons(4)),
        ("frontier", large.frontier(4)),
        ("cost", large.cost(4)),
        ("calibration", large.calibration(4, 1)),
    ):
        figure = drawn(name, table.replace(renamed))
        assert set(renamed.values()) <= words(figure), name
        assert not any(text.get_parse_math() for text in texts(figure))


def test_right_to_left_names_and_marks_of_direction_are_drawn():
    shown = words(samples(["دراجة", "אופניים", "left\u202eright"]))
    assert {"دراجة", "אופניים"} <= shown
    assert "left\\u202eright" in {text.replace("\n", "") for text in shown}


# Many models.


@pytest.mark.parametrize(("runs", "long"), [(72, False), (30, True)])
def test_every_model_is_in_view_or_counted_as_outside(runs, long):
    tables = large.study_tables(large.cells(runs=runs, shifts=2, long=long))
    figure, data = figures.load("methods")(tables, {})
    assert illegible(figure) == []
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    single = data[data["sweep"] == ""]
    inside = single["reference_value"].between(low, high)
    below = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    outside_count = int((~inside).sum())
    assert ("Left of view" in below) == (outside_count > 0)
    if outside_count > methods.NAMED_OUTSIDE:
        assert f"and {outside_count - methods.NAMED_OUTSIDE} more" in below
    named = {text.get_text() for text in axes.texts}
    unnamed = int(inside.sum()) - len(named)
    assert (f"No room for {unnamed} more names" in below) == (unnamed > 0)
    assert {"uniform", "greedy", "ensemble"} <= named


def test_the_view_holds_a_study_of_low_accuracies_and_few_images():
    cells = large.cells(runs=9, shifts=2, n=54)
    cells["k"] = (cells["k"] * 0.3).round().astype(int)
    figure, data = figures.load("methods")(large.study_tables(cells), {})
    low, _ = figure.axes[0].get_xlim()
    single = data[(data["sweep"] == "") & (data["kind"] != "zero-shot")]
    inside = single["reference_value"] >= low
    assert inside.sum() >= len(single) - 1, "one run of the nine diverged"
    assert inside[single["value"].idxmax()], "the best under shift"


def test_a_span_that_is_given_is_kept(many):
    figure, data = figures.load("methods")(many, {"points_below_best": 2.0})
    best = data.loc[data["sweep"] == "", "reference_value"].max()
    assert figure.axes[0].get_xlim()[0] > best - 0.03


def test_cost_names_soups_and_the_best_run_of_many():
    table = large.cost(72)
    figure = drawn("cost", table)
    best = (
        table.loc[table["kind"] == "end-to-end"]
        .set_index("model")["gain_shifts"]
        .idxmax()
    )
    for axes in figure.axes:
        assert {text.get_text() for text in axes.texts} == {
            "uniform",
            "greedy",
            "ensemble",
            best,
        }
    assert illegible(figure) == []
    few = {text.get_text() for text in drawn("cost", large.cost(8)).axes[0].texts}
    assert len(few) == 11


@pytest.mark.parametrize(("runs", "long"), [(29, True), (72, False)])
def test_diagnosis_of_many_has_colours_and_no_numbers(runs, long):
    figure = drawn("diagnosis", large.diagnosis(runs, long))
    assert illegible(figure) == []
    assert figure.get_figheight() < 9
    assert len(texts(figure)) < 3 * runs
    matrix = next(axes for axes in figure.axes if len(axes.images) == 2)
    pairs = runs * (runs - 1) // 2
    cosines, barriers = (image.get_array() for image in matrix.images)
    assert cosines.count() == pairs
    assert barriers.count() == 200
    assert not matrix.texts
    assert f"200 of {pairs:,} barriers were measured" in matrix.get_title("left")


def test_diagnosis_of_few_has_its_numbers_and_an_order_of_names():
    figure = drawn("diagnosis", large.diagnosis(11, barriers=55))
    matrix = next(axes for axes in figure.axes if axes.images)
    assert len(matrix.texts) == 110
    assert "measured" not in matrix.get_title("left")
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == large.run_names(11)


def test_comparisons_are_ordered_by_the_difference_under_shift():
    table = large.comparisons(30, long=True)
    figure = drawn("comparisons", table)
    assert illegible(figure) == []
    shifts = figure.axes[1]
    dots = [line for line in shifts.lines if line.get_marker() == "o"]
    by_row = sorted((line.get_ydata()[0], line.get_xdata()[0]) for line in dots)
    values = [x for _, x in by_row]
    assert values == sorted(values), "the best is on top"


def test_reliability_diagrams_have_a_diagonal_of_45_degrees():
    figure = drawn("calibration", large.calibration(72, shifts=2))
    assert illegible(figure) == []
    for axes in figure.axes[1:]:
        box = axes.get_window_extent()
        assert box.width == pytest.approx(box.height, rel=0.01)


def test_nine_test_sets_have_room_for_their_names():
    figure = drawn("diversity", large.diversity(8))
    assert not [text for text in illegible(figure) if text.endswith("is cut off")]
    heights = [axes.get_window_extent().height / figure.dpi for axes in figure.axes[:4]]
    assert min(heights) > 1.0, "inches"


@pytest.mark.parametrize("name", ["alpha", "shifts"])
def test_figures_of_nine_test_sets_have_no_text_over_another(name):
    tables = large.study_tables(large.cells(runs=3, long=True))
    figure, _ = figures.load(name)(tables, {})
    assert illegible(figure) == []


# One shift, no line, equals.


def test_one_shift_is_drawn_once_and_by_its_name(one_shift):
    shift = large.SHIFTS[0]
    figure, _ = figures.load("alpha")(one_shift, {})
    assert [axes.get_title("left") for axes in figure.axes] == [
        "imagenet",
        "held-out",
        shift,
    ]
    for name in ("effective-robustness", "soups", "methods"):
        figure, _ = figures.load(name)(one_shift, {})
        assert figure.axes[0].get_ylabel() == f"Accuracy on {shift} (%)"
        assert not any("mean" in text.lower() for text in words(figure))
    assert list(overview(one_shift["measurements"])) == [
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


def test_nothing_is_said_of_models_that_differ(many):
    assert notes({}, NONE_SHARED, many["measurements"], many["fits"]) == []


# Tables for people.


def test_the_overview_has_soups_first_and_names_in_order(many):
    names = overview(many["measurements"])["model"].tolist()
    assert names[:3] == ["uniform", "greedy", "ensemble"]
    assert names[names.index("zero-shot") + 1 :] == large.run_names(72)


def test_bold_that_would_say_nothing_is_left_out_and_said():
    n = 100
    cells = large.cells(runs=20, shifts=2, n=n)
    measurements = large.study_tables(cells)["measurements"]
    k = cells.set_index(["model", "dataset"])["k"]
    made = main_table(measurements, lambda m, d: np.arange(n) < k[m, d])
    table, said = made.table, made.notes
    assert len(said) == 1
    assert said[0].startswith("Nothing is bold on imagenet (")
    assert "**" not in "".join(table["imagenet"])


def test_a_table_of_more_than_a_page_is_a_longtable(many):
    lines = to_latex(overview(many["measurements"])).splitlines()
    assert lines[0].startswith(r"\begin{longtable}{ll")
    assert lines[-1] == r"\end{longtable}"
    assert lines.index(r"\endhead") == 4


def test_the_page_of_comparisons_has_the_best_first():
    table = analyses.short_table_of("comparisons")(large.comparisons(30))
    own = table[
        (table["against"] == "zero-shot") & (table["dataset"] == "mean of shifts")
    ]
    differences = [float(text.split()[0]) for text in own["difference"]]
    assert len(own) == 33
    assert differences == sorted(differences, reverse=True)


def test_names_of_rows_differ_when_they_are_shortened():
    names = [f"a-long-name-with-{i}-in-the-middle-of-everything-else" for i in range(3)]
    assert len(set(style.row_names(names, 0.8))) == 3


def test_cells_and_column_names_of_tables_for_people():
    table = pd.DataFrame(
        {"joint_run": ["a b"], "cka_complement": ["26.8 ± 6.1"], "p": ["0.1 to 0.5"]}
    )
    head, rules, row = to_markdown(unbroken(table)).splitlines()
    assert head == "| joint run | cka complement | p |"
    assert rules == "| :-- | --: | --: |"
    assert row == "| a b | 26.8\u00a0±\u00a06.1 | 0.1\u00a0to\u00a00.5 |"
    assert "cka complement" in to_latex(table)
    assert "_" not in to_latex(table)
