"""The figure alpha, of a synthetic study."""

import pytest

from stockpot import figures
from tests.support.main_table_study import ROLES, SHIFTS

pytestmark = pytest.mark.slow


def test_alpha_draws_every_sweep_on_every_data_set(main_tables):
    figure, data = figures.load("alpha")(main_tables, {"columns": 3})
    assert len(data) == 3 * 21 * (len(ROLES) + 1)
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles[:8] == ["reference", "held-out", *SHIFTS, "Mean of shifts"]
