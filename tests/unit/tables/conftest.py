"""Tables that several test files share."""

import pandas as pd
import pytest

from tests.support import large_tables as large


@pytest.fixture(scope="module")
def many_runs_tables() -> dict[str, pd.DataFrame]:
    return large.study_tables(large.cells(runs=72))
