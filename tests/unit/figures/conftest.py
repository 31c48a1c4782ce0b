"""Tables of two small studies, and the main figures that are drawn from one."""

import pandas as pd
import pytest

from stockpot import figures
from tests.support.main_table_study import (
    study_cells,
    tables_of,
)
from tests.support.synthetic_study import study_and_tables
from tests.support.table_files import through_a_file


@pytest.fixture(scope="module")
def analysis_tables(once_value) -> dict[str, pd.DataFrame]:
    """By analysis, as figures read them: from files."""
    _, found = study_and_tables(once_value)
    return {name: through_a_file(table) for name, table in found.items()}


@pytest.fixture(scope="module")
def main_tables():
    return tables_of(study_cells())


@pytest.fixture(scope="module")
def drawn_main_figures(main_tables):
    """Figure and data of every name, each drawn when it is first asked for."""

    class Drawn(dict):
        def __missing__(self, name):
            return self.setdefault(name, figures.load(name)(main_tables, {}))

    return Drawn()
