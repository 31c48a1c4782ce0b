"""Texts of figures: their width, their room and their fonts."""

import pytest
from matplotlib.figure import Figure

from stockpot.drawing import texts as figure_texts

pytestmark = pytest.mark.slow


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
