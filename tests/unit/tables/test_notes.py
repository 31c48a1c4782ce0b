"""Notes under the main table: what is missing, and the arithmetic."""

import numpy as np
import pandas as pd
import pytest

from stockpot.tables.measurements import robustness_table
from stockpot.tables.notes import arithmetic, notes


@pytest.mark.slow
def test_notes_tell_what_is_missing(measurements):
    overlap = pd.DataFrame(
        {
            "other_dataset": "train",
            "dataset": ["a", "b"],
            "shared_images": [3, 0],
            "n": 9,
        }
    )
    fits, _ = robustness_table(measurements, "logit", 0.95)
    found = notes({"run": "ok", "wild": "diverged (nan)"}, overlap, measurements, fits)
    assert found == [
        "wild has no result: this run diverged (nan).",
        "a: 3 of its 9 images are also in train.",
    ]
    few = measurements[~measurements["model"].isin(["scratch-0", "scratch-1"])]
    found = notes({}, overlap[:0], few, robustness_table(few, "logit", 0.95)[0])
    assert len(found) == 1
    assert "on a, b, the mean of shifts: a line needs 3 models" in found[0]
    none = measurements[measurements["kind"] != "from-scratch"]
    assert notes({}, overlap[:0], none, robustness_table(none, "logit", 0.95)[0]) == []


@pytest.mark.slow
def test_notes_tell_of_a_piece_without_a_line(measurements):
    fits, _ = robustness_table(measurements, "logit", 0.95, {"a": [0.99]})
    overlap = pd.DataFrame(columns=["other_dataset", "dataset", "shared_images", "n"])
    (told,) = notes({}, overlap, measurements, fits, {"a": [0.99]})
    assert told.startswith("a: its line has no piece from 0.99")


@pytest.mark.parametrize(
    ("precisions", "trained", "text"),
    [
        (["fp32", "fp32", None], [], "Evaluated in fp32."),
        (
            ["fp32", ""],
            ["base", "hot"],
            "Evaluated in fp32. Trained in bf16: base, hot.",
        ),
        (
            ["bf16", np.nan],
            [],
            "Evaluated in bf16. Some answers in bf16 differ from those in fp32, so compare only "
            "models that were evaluated in the same precision.",
        ),
        (
            ["fp32", "bf16"],
            [],
            "Evaluated in bf16 and fp32. Some answers in bf16 differ from those in fp32, so "
            "compare only models that were evaluated in the same precision. measurements.csv has "
            "the precision of every model.",
        ),
    ],
)
def test_the_overview_says_which_arithmetic_its_numbers_come_from(
    precisions, trained, text
):
    assert arithmetic(pd.DataFrame({"precision": precisions}), trained) == text
