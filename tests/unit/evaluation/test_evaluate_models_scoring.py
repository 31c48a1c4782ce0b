"""Cells of data sets that are scored in every way, and their intervals."""

import json

import numpy as np
import pandas as pd
import pytest

from stockpot import metrics
from stockpot.evaluation.evaluate_models import evaluate_models
from stockpot.evaluation.store import Store
from stockpot.statistics.intervals import tail_quantiles
from stockpot.tables.uncounted_intervals import with_intervals
from tests.support.metric_inputs import f1_of_sklearn, metric_input
from tests.support.scored_datasets import EVALUATION_SPEC, logits_of


def evaluated_cells(folder, sets, root):
    """Cells of one model on these data sets."""
    member = {"name": "zero-shot", "kind": "zero-shot", "end": "zero"}
    evaluate_models(
        {**EVALUATION_SPEC, "members": [member], "alphas": []},
        None,
        {"zero": folder},
        [folder],
        sets,
        Store(root / "store"),
        root / "out.json",
    )
    return json.loads((root / "out.json").read_text())["cells"]


@pytest.fixture(scope="module")
def root_and_cells(zero_shot, scored_sets, tmp_path_factory):
    root = tmp_path_factory.mktemp("cells")
    return root, pd.DataFrame(
        evaluated_cells(zero_shot, list(scored_sets.values()), root)
    )


def test_cells_tell_metric_value_n_and_k(root_and_cells, zero_shot, world_test_set):
    found = root_and_cells[1].set_index("dataset")
    is_right = (
        logits_of(zero_shot, world_test_set).argmax(1).numpy() == world_test_set.labels
    )
    predicted, n = (
        logits_of(zero_shot, world_test_set).argmax(1).numpy(),
        len(world_test_set),
    )
    assert found["metric"].to_dict() == {
        "plain": "accuracy",
        "f1": "macro-f1",
        "groups": "worst-group",
        "videos": "accuracy",
    }
    assert found.loc["plain", ["value", "n", "k"]].tolist() == [
        is_right.mean(),
        n,
        is_right.sum(),
    ]
    assert found.loc["f1", "value"] == pytest.approx(
        f1_of_sklearn(metric_input(world_test_set.labels, predicted))
    )
    assert found.loc["f1", "n"] == n
    assert np.isnan(found.loc["f1", "k"])
    groups = [is_right[i::3] for i in range(3)]
    worst = min(groups, key=np.mean)
    expected = [worst.mean(), len(worst), worst.sum()]
    assert found.loc["groups", ["value", "n", "k"]].tolist() == pytest.approx(expected)
    whole = is_right.reshape(8, 8).all(1)
    assert found.loc["videos", ["value", "n", "k"]].tolist() == [
        whole.mean(),
        8,
        whole.sum(),
    ]


def test_intervals_of_what_counts_nothing_come_from_the_store(
    root_and_cells, scored_sets, world_test_set
):
    root, table = root_and_cells
    found = with_intervals(
        table, list(scored_sets.values()), root / "store", tail_quantiles(0.9)
    )
    found = found.set_index("dataset")
    assert found.drop("f1")[["low", "high"]].isna().all(axis=None)
    low, value, high = found.loc["f1", ["low", "value", "high"]]
    assert 0 < low < value < high < 1
    entry = Store(root / "store").get(found.loc["f1", "key"])
    given = metric_input(world_test_set.labels, entry.predicted.numpy())
    expected = np.quantile(metrics.resampled("macro-f1", given), [0.05, 0.95])
    assert [low, high] == pytest.approx(expected.tolist())
    counted = with_intervals(
        table[table["dataset"] != "f1"], [], root / "store", tail_quantiles(0.9)
    )
    assert counted[["low", "high"]].isna().all(axis=None), (
        "no data set is opened for these"
    )
