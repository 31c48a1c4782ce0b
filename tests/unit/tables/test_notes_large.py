"""The notes of a study with many models."""

import pandas as pd
import pytest

from stockpot.tables.notes import notes

pytestmark = pytest.mark.slow


NONE_SHARED = pd.DataFrame(columns=["other_dataset", "dataset", "shared_images", "n"])


def test_nothing_is_said_of_models_that_differ(many_runs_tables):
    assert (
        notes(
            {}, NONE_SHARED, many_runs_tables["measurements"], many_runs_tables["fits"]
        )
        == []
    )
