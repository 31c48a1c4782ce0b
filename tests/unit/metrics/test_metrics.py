"""Metrics are found by name."""

import pytest

from stockpot import metrics
from stockpot.metrics import score
from stockpot.runtime.errors import StockpotError
from tests.support.metric_inputs import metric_input


def test_metrics_are_found_by_name():
    assert {"accuracy", "macro-f1", "worst-group"} <= set(metrics.names())
    with pytest.raises(
        StockpotError, match="^unknown metric 'f2'; there are accuracy, macro-f1"
    ):
        score("f2", metric_input([0], [0]))
    with pytest.raises(StockpotError, match="unknown metric 'f2'"):
        metrics.resampled("f2", metric_input([0], [0]))
