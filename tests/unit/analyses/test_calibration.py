"""The analysis calibration, against direct computation on a small study."""

import numpy as np
import pytest

from stockpot import analyses
from tests.support.synthetic_study import SHIFTS, ece, nll, only_row, probabilities

pytestmark = pytest.mark.slow


def test_calibration_of_models_and_of_their_bins(study, tables):
    table = tables["calibration"]
    whole = table[table["bin"].isna()]
    assert "base alpha=0.5" in set(whole["model"])
    assert "base alpha=0.25" not in set(whole["model"])
    logits, labels = (
        study.logits["long"]["sketch"].astype(float),
        study.labels["sketch"],
    )
    found = only_row(whole, model="long", dataset="sketch")
    p = probabilities(logits)
    assert found["ece"] == pytest.approx(ece(logits, labels, 10))
    assert found["nll"] == pytest.approx(nll(logits, labels))
    assert found["brier"] == pytest.approx(((p - np.eye(4)[labels]) ** 2).sum(1).mean())
    assert found["confidence"] == pytest.approx(p.max(1).mean())
    assert found["accuracy"] == pytest.approx(study.mean_accuracy("long", "sketch"))
    # The temperature is that of the held-out set, and no other of a fine grid is better there.
    t = found["temperature"]
    known = study.logits["long"]["held-out"].astype(float), study.labels["held-out"]
    least = min(nll(known[0] / u, known[1]) for u in np.geomspace(0.05, 20, 400))
    assert nll(known[0] / t, known[1]) <= least + 1e-9
    assert found["nll_scaled"] == pytest.approx(nll(logits / t, labels))
    assert found["ece_scaled"] == pytest.approx(ece(logits / t, labels, 10))
    bins = table[
        (table["model"] == "long")
        & (table["dataset"] == "sketch")
        & table["bin"].notna()
    ]
    assert list(bins["bin"]) == list(range(10))
    assert bins["n"].sum() == 100
    own = (p.max(1) >= 0.9) & (p.max(1) <= 1)
    assert bins["n"].iloc[-1] == own.sum()
    assert bins["accuracy"].iloc[-1] == pytest.approx(
        study.is_correct("long", "sketch")[own].mean()
    )

    cell = only_row(analyses.short_table_of("calibration")(table), model="long")
    shifts = [
        ece(study.logits["long"][d].astype(float), study.labels[d], 10) for d in SHIFTS
    ]
    assert cell["shifts ece"] == f"{100 * np.mean(shifts):.1f}"
    assert cell["temperature"] == f"{t:.2f}"
