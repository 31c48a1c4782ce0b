"""Tables that several test files share."""

import pandas as pd
import pytest
from scipy.special import expit

from stockpot.tables.measurements import (
    measure,
)
from tests.support import large_tables as large
from tests.support.mixed_metric_cells import (
    measured_cell,
)
from tests.support.small_study_cells import SMALL_STUDY_ROLES, small_study_cells


@pytest.fixture(scope="module")
def many_runs_tables() -> dict[str, pd.DataFrame]:
    return large.study_tables(large.cells(runs=72))


@pytest.fixture
def measurements():
    return measure(small_study_cells(), SMALL_STUDY_ROLES, 0.95)


@pytest.fixture
def mixed_cells():
    rows = []
    for i, x in enumerate((-0.5, 0.0, 0.5, 1.0)):
        for dataset, place in (
            ("ref", x),
            ("acc", 0.8 * x - 0.3),
            ("f1", 0.7 * x - 0.9),
        ):
            rows.append(
                measured_cell(f"scratch-{i}", "from-scratch", dataset, expit(place))
            )
    for dataset, value in (("ref", 0.7), ("acc", 0.65), ("f1", 0.5)):
        rows.append(measured_cell("zero-shot", "zero-shot", dataset, value))
        rows.append(measured_cell("run", "end-to-end", dataset, value + 0.1))
    return pd.DataFrame(rows)
