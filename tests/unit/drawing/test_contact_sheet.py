"""Contact sheets of samples: class names are legible and shown as they are."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from stockpot.datasets.dataset import Dataset
from stockpot.drawing.contact_sheet import contact_sheet
from tests.support import large_tables as large
from tests.support.drawn_text import drawn_texts, drawn_words
from tests.support.legible_text import illegible

pytestmark = pytest.mark.slow


def contact_sheet_of(classes: list[str], sets: int = 2, **options) -> Figure:
    images = np.zeros((len(classes), 8, 8, 3), np.uint8)
    labels = np.arange(len(classes))
    names = ["imagenet", *large.SHIFTS][:sets]
    datasets = [Dataset(name, images, labels, classes, name) for name in names]
    return contact_sheet(datasets, **options)[0]


LONG_CLASS_NAMES = [
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


@pytest.mark.parametrize(
    ("classes", "sets"), [(LONG_CLASS_NAMES[:7], 2), (LONG_CLASS_NAMES, 9)]
)
def test_titles_of_samples_do_not_run_into_each_other(classes, sets):
    figure = contact_sheet_of(classes, sets)
    assert illegible(figure) == []


def test_samples_say_how_many_classes_they_show():
    assert "12 of 18 classes." in drawn_words(contact_sheet_of(LONG_CLASS_NAMES))
    assert not any(
        "classes" in text
        for text in drawn_words(contact_sheet_of(LONG_CLASS_NAMES[:12]))
    )


def test_names_without_a_font_become_numbers_with_one_note(caplog):
    lost = "\U000f0000\U000f0001"
    figure = contact_sheet_of(["cat", lost, "dog", lost + "2"])
    shown = drawn_words(figure)
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
    figure = contact_sheet_of([name, "other"])
    assert name in {text.replace("\n", " ") for text in drawn_words(figure)}
    assert not any(text.get_parse_math() for text in drawn_texts(figure))


def test_right_to_left_names_and_marks_of_direction_are_drawn():
    shown = drawn_words(contact_sheet_of(["دراجة", "אופניים", "left\u202eright"]))
    assert {"دراجة", "אופניים"} <= shown
    assert "left\\u202eright" in {text.replace("\n", "") for text in shown}
