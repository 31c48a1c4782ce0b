"""The figure pair-accuracies, of a small study."""

import pytest

from tests.support.drawn_text import draw_figure
from tests.support.synthetic_study import only_row

pytestmark = pytest.mark.slow


def test_pairs_are_drawn_as_the_mean_over_the_shifts(analysis_tables):
    table = analysis_tables["pairs"]
    _, data = draw_figure("pair-accuracies", table)
    assert list(data["dataset"].value_counts()) == [6, 6]
    own = table[(table["model"] == "base") & (table["other_model"] == "few")]
    there = own[own["dataset"] != "test"]
    found = only_row(data, model="base", other_model="few", dataset="mean of shifts")
    assert found["soup_accuracy"] == pytest.approx(there["soup_accuracy"].mean())
    _, losses = draw_figure("pair-losses", table)
    found = only_row(losses, model="base", other_model="few", dataset="mean of shifts")
    assert found["error_difference"] == pytest.approx(
        (there["ensemble_accuracy"] - there["soup_accuracy"]).mean()
    )
