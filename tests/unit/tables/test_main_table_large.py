"""The main table of studies with many models."""

import numpy as np
import pytest

from stockpot.tables.main_table import main_table, overview
from tests.support import large_tables as large

pytestmark = pytest.mark.slow


def test_the_overview_has_soups_first_and_names_in_order(many_runs_tables):
    names = overview(many_runs_tables["measurements"])["model"].tolist()
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
