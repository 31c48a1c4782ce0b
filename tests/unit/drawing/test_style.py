"""The style that figures share."""

import pytest

from stockpot.drawing import style

pytestmark = pytest.mark.slow


def test_names_of_rows_differ_when_they_are_shortened():
    names = [f"a-long-name-with-{i}-in-the-middle-of-everything-else" for i in range(3)]
    assert len(set(style.row_names(names, 0.8))) == 3
