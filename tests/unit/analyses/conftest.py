"""The small study with made-up predictions, and the tables of its analyses."""

import pandas as pd
import pytest

from tests.support.synthetic_study import SyntheticStudy, study_and_tables


@pytest.fixture(scope="module")
def study(once_value) -> SyntheticStudy:
    return study_and_tables(once_value)[0]


@pytest.fixture(scope="module")
def tables(once_value) -> dict[str, pd.DataFrame]:
    return study_and_tables(once_value)[1]
