"""Tables as they are after they were written to a file and read again."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from stockpot.tables.measurements import read_table, write_table


def through_a_file(table: pd.DataFrame) -> pd.DataFrame:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(table, path, float_format="%.6g")
        return read_table(path)
