"""The band about the baseline fit."""

import numpy as np
import pytest

from stockpot.tables.measurements import measure, robustness_table
from tests.support.published_cells import TWO_SHIFT_ROLES, published_model_cells


@pytest.mark.slow
def test_the_band_goes_through_the_models_that_the_line_goes_through(tmp_path):
    """A model at 0 on one shift has a mean, and no part in the line of the mean or its band."""
    from stockpot.drawing.robustness_axes import fit_with_band, scatter_points

    header = "model,reference,a,b\n"
    rows = [
        f"m{i},{0.5 + 0.05 * i},{0.3 + 0.04 * i},{0.2 + 0.06 * i}\n" for i in range(6)
    ]
    bands = []
    for extra in ("", "zero,0.9,0.0,0.6\n"):
        cells = published_model_cells(tmp_path, header + "".join(rows) + extra)
        cells = cells.assign(n=np.nan, k=np.nan, classes=9, precision="")
        table = measure(cells, TWO_SHIFT_ROLES, 0.95)
        fits, _ = robustness_table(table, "logit", 0.95)
        points = scatter_points(table, "shifts", "logit")
        bands.append(fit_with_band(table, points, fits, (0.5, 0.9)))
    without, with_zero = bands
    assert np.allclose(
        with_zero[["value", "low", "high"]], without[["value", "low", "high"]]
    )
