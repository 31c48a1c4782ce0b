"""The figure effective-robustness, of a synthetic study."""

import numpy as np
import pytest

from stockpot import figures

pytestmark = pytest.mark.slow


def test_the_line_drawn_is_the_line_of_the_table(main_tables):
    _, data = figures.load("effective-robustness")(main_tables, {"axis": "linear"})
    line = data[data["kind"] == "fit"]
    fit = main_tables["fits"].set_index("dataset").loc["shifts"]
    x, y = (np.log(line[c] / (1 - line[c])) for c in ("reference_value", "value"))
    assert np.allclose(y, fit["slope"] * x + fit["intercept"])
    inner = line[line["reference_value"].between(0.5, 0.85)]
    assert ((inner["low"] < inner["value"]) & (inner["value"] < inner["high"])).all()
