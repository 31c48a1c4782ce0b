"""Tests how tables are written and read."""

import pandas as pd
import pytest

from stockpot.runtime.errors import StockpotError
from stockpot.tables.measurements import read_table, write_table
from tests.support.damaged_bytes import rewrite_bytes


def test_a_changed_table_is_named_and_one_without_a_seal_is_read(tmp_path):
    path = tmp_path / "studies/x/seed0/geometry.csv"
    table = pd.DataFrame({"model": ["a", "b"], "product": [1.25, 2.5]})
    write_table(table, path, "%.9g")
    assert path.read_text() == "model,product\na,1.25\nb,2.5\n"
    assert read_table(path).equals(table)
    rewrite_bytes(path, lambda content: content.replace(b"1.25", b"1.35"))
    with pytest.raises(
        StockpotError, match=r"geometry\.csv: damaged .*rm -f \S+ \S+ and the same"
    ):
        read_table(path)
    (path.parent / ".geometry.csv.seal").unlink()
    assert read_table(path)["product"].tolist() == [1.35, 2.5]
