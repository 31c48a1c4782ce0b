"""The reference restricted to the classes of a shift, with metrics of all kinds."""

import numpy as np
import pandas as pd
import pytest
import torch

from stockpot import metrics
from stockpot.datasets.dataset import Scoring, write_dataset
from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.store import Store
from stockpot.runtime.errors import StockpotError
from stockpot.statistics.intervals import tail_quantiles
from stockpot.tables.class_subsets import subset_cells
from stockpot.tables.measurements import measure
from tests.support.metric_inputs import f1_of_sklearn, metric_input
from tests.support.mixed_metric_cells import measured_cell

PLAIN = Scoring()


@pytest.fixture
def restricted_reference(tmp_path):
    """A function: scoring of reference and shift -> the restricted cell; and what it is made of."""
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 4, 90), torch.tensor(rng.normal(size=(90, 4)))
    logits[torch.arange(90), torch.tensor(labels)] += 1
    images, names = np.zeros((90, 4, 4, 3), np.uint8), list("pqrs")

    def make(reference=PLAIN, classes=("r", "p"), shift=PLAIN):
        write_dataset(tmp_path / "ref", "ref", images, labels, names, {}, reference)
        write_dataset(
            tmp_path / "a", "a", images, labels % len(classes), list(classes), {}, shift
        )
        made = predictions(
            logits,
            torch.tensor(labels),
            keep_logits=True,
            accepted=reference.accepted,
            videos=reference.videos,
        )
        Store(tmp_path / "store").put("key1", made, {}, "")
        table = pd.DataFrame(
            [
                {
                    "model": "m",
                    "kind": "zero-shot",
                    "sweep": "",
                    "alpha": None,
                    "precision": "fp32",
                    "dataset": d,
                    "key": "key1",
                    "n": 90,
                    "k": None,
                    "classes": 4,
                    "metric": "macro-f1",
                    "value": 0.5,
                }
                for d in ("ref", "a")
            ]
        )
        roles, folders = (
            {"ref": "reference", "a": "shift"},
            [tmp_path / "ref", tmp_path / "a"],
        )
        return subset_cells(
            table, roles, folders, tmp_path / "store", tail_quantiles(0.9)
        )

    rows = np.isin(labels, [0, 2])
    predicted = np.where(logits[:, 0] >= logits[:, 2], 0, 2)[rows]
    return make, rows, labels[rows], predicted


def test_a_subset_has_the_metric_of_the_reference(restricted_reference):
    make, rows, labels, predicted = restricted_reference
    found = make(Scoring("macro-f1")).iloc[0]
    given = metric_input(labels, predicted)
    assert found["metric"] == "macro-f1"
    assert found["k"] is None
    assert found["n"] == rows.sum()
    assert found["value"] == pytest.approx(f1_of_sklearn(given))
    expected = np.quantile(metrics.resampled("macro-f1", given), [0.05, 0.95])
    assert [found["low"], found["high"]] == pytest.approx(expected.tolist())


def test_a_subset_of_the_worst_group_and_of_accepted_classes(restricted_reference):
    make, rows, labels, predicted = restricted_reference
    groups = np.arange(90) % 3
    found = make(Scoring("worst-group", groups=groups.tolist())).iloc[0]
    shares = [(predicted == labels)[groups[rows] == g].mean() for g in range(3)]
    assert found["metric"] == "worst-group"
    assert found["value"] == pytest.approx(min(shares))
    found = make(Scoring(accepted=[[0] for _ in range(90)])).iloc[0]
    assert (found["metric"], found["k"]) == ("accuracy", (predicted == 0).sum())


def test_a_subset_and_its_shift_are_measured_and_drawn_together(restricted_reference):
    make, *_ = restricted_reference
    subset = make(Scoring("macro-f1"))
    name = "ref (a classes)"
    roles = {"ref": "reference", "a": "shift", name: "subset"}
    shift = [
        measured_cell("m", "zero-shot", "f1", 0.4) | {"dataset": d}
        for d in ("ref", "a")
    ]
    found = measure(
        pd.concat([pd.DataFrame(shift), subset], ignore_index=True), roles, 0.9
    )
    got = found[found["dataset"] == name].iloc[0]
    assert got["interval_type"] == "bootstrap"
    assert got["low"] < got["value"] < got["high"]


def test_merged_classes_of_a_shift_are_those_that_stand_for_them(restricted_reference):
    """As ObjectNet's: its own names are none of the reference's."""
    make, rows, labels, predicted = restricted_reference
    merges = Scoring(merges={"x": ["p"], "y": ["r"]})
    found = make(classes=("x", "y"), shift=merges).iloc[0]
    assert (found["n"], found["classes"]) == (rows.sum(), 2)
    assert found["k"] == (predicted == labels).sum()
    both = Scoring(merges={"x": ["p", "q"], "y": ["s", "r"]})
    assert make(classes=("x", "y"), shift=both).empty, "no class is missing"


def test_a_reference_of_videos_cannot_be_restricted(restricted_reference):
    make, *_ = restricted_reference
    videos = [i // 9 for i in range(90)]
    with pytest.raises(StockpotError, match="class_subset: ref is scored by videos"):
        make(Scoring(videos=videos))
    assert make(Scoring(videos=videos), classes=list("pqrs")).empty
