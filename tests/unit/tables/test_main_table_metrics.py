"""The main table of a study with different metrics."""

import pandas as pd
import pytest

from stockpot.tables.main_table import overview
from stockpot.tables.measurements import measure, published_cells, read_table
from tests.support.mixed_metric_cells import (
    MIXED_METRIC_ROLES,
    PUBLISHED_ACCURACIES,
    answered_right,
)


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_the_overview_names_the_metric_and_gives_no_bold_there(
    mixed_cells, tmp_path, published, stored
):
    extra = [published_cells(PUBLISHED_ACCURACIES)] * published
    found = measure(
        pd.concat([mixed_cells, *extra], ignore_index=True), MIXED_METRIC_ROLES, 0.95
    )
    if stored:
        found.to_csv(tmp_path / "m.csv", index=False)
        found = read_table(tmp_path / "m.csv")
    table = overview(found, answered_right)
    assert table.columns.tolist() == [
        "model",
        "kind",
        "ref",
        "acc",
        "f1 (macro f1)",
        "mean of shifts",
    ]
    assert table["model"].tolist() == ["zero-shot", "run"]
    assert table.loc[1, "ref"].startswith("**80.0")
    assert table.loc[1, "acc"].startswith("**75.0")
    assert table.loc[1, "f1 (macro f1)"] == "60.0 ± 6.0"
    assert "*" not in "".join([*table["f1 (macro f1)"], *table["mean of shifts"]])


def test_the_worst_group_is_named_without_bold(mixed_cells):
    table = mixed_cells.assign(
        metric=mixed_cells["metric"].where(
            mixed_cells["dataset"] != "acc", "worst-group"
        )
    )
    found = overview(measure(table, MIXED_METRIC_ROLES, 0.95), answered_right)
    assert "acc (worst group)" in found
    assert "*" not in "".join(found["acc (worst group)"])
