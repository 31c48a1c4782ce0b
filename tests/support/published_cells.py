"""Cells of published models from a table that a test writes."""

import pandas as pd

from stockpot.tables.measurements import published_cells
from stockpot.tables.published_models import read_published_models

TWO_SHIFT_ROLES = {"reference": "reference", "a": "shift", "b": "shift"}


PUBLISHED_SPEC = {"model": "model", "columns": {}, "unit": "fraction"}


def published_model_cells(
    tmp_path, text: str, pad: bool = False, **spec
) -> pd.DataFrame:
    path = tmp_path / "models.csv"
    path.write_text(text)
    if pad and text:
        columns = text.splitlines()[0].count(",")
        path.write_text(text + "".join(f"pad{i}{',' * columns}\n" for i in range(3)))
    return published_cells(
        read_published_models(
            path, PUBLISHED_SPEC | spec, "reference", ["a", "b"], ["mine"]
        )
    )
