"""Labels that another node wrote are seen late."""

from stockpot.tables.evidence import Evidence
from tests.support.timers import run_later


def test_labels_that_are_seen_late_are_waited_for(tmp_path):
    import numpy as np
    import pandas as pd

    path = tmp_path / "labels.npy"
    evidence = Evidence(pd.DataFrame(), [{"cells": []}], tmp_path, {"test": path}, {})
    run_later(0.7, lambda: np.save(path, np.arange(3)))
    assert evidence.labels("test").tolist() == [0, 1, 2]
