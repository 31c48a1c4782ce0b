"""Names in the order in which people count."""

import pytest

from stockpot.statistics.natural_order import natural

pytestmark = pytest.mark.slow


def test_names_sort_as_people_count():
    names = ["model-10", "model-2", "model-1", "model", "2", "10", "model-2b"]
    assert sorted(names, key=natural) == [
        "2",
        "10",
        "model",
        "model-1",
        "model-2",
        "model-2b",
        "model-10",
    ]
