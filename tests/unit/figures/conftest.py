"""The tables of the analyses of a small study, as figures read them."""

import pandas as pd
import pytest

from tests.support.synthetic_study import study_and_tables
from tests.support.table_files import through_a_file


@pytest.fixture(scope="module")
def analysis_tables(once_value) -> dict[str, pd.DataFrame]:
    """By analysis, as figures read them: from files."""
    _, found = study_and_tables(once_value)
    return {name: through_a_file(table) for name, table in found.items()}
