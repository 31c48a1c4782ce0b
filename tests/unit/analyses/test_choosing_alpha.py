"""The analysis choosing-alpha, against direct computation on a small study."""

import json

import numpy as np
import pytest
import torch

from stockpot import analyses
from stockpot.evaluation.predictions import predictions
from stockpot.runtime.errors import StockpotError
from tests.support.synthetic_study import (
    ALPHAS,
    SHIFTS,
    only_row,
    probabilities,
    small_study,
    tabulate,
)

pytestmark = pytest.mark.slow


def test_choosing_alpha_sees_what_the_predictions_say(study, tables):
    evidence = study.evidence()
    points = evidence.sweeps()["base"]
    sweep = analyses.load("choosing-alpha", "selection_curve")(evidence, points)
    models = [f"base alpha={a:g}" for a in ALPHAS]
    assert list(points["model"]) == models
    assert list(points["alpha"]) == ALPHAS
    for i, model in enumerate(models):
        assert sweep["held_out"][i] == pytest.approx(
            study.mean_accuracy(model, "held-out")
        )
        assert sweep["corrupted"][i] == pytest.approx(
            study.mean_accuracy(model, "blurred")
        )
        assert sweep["reference"][i] == pytest.approx(
            study.mean_accuracy(model, "test")
        )
        assert sweep["shifts"][i] == pytest.approx(study.mean_accuracy(model, *SHIFTS))
        entropy, shares = [], []
        known = np.sort(probabilities(study.logits[model]["held-out"]).max(1))
        wrong = int((~study.is_correct(model, "held-out")).sum())
        for d in SHIFTS:
            p = probabilities(study.logits[model][d])
            entropy.append(-(p * np.log(p)).sum(1).mean())
            shares.append((p.max(1) > known[wrong - 1]).mean())
        assert sweep["entropy"][i] == pytest.approx(np.mean(entropy))
        assert sweep["thresholded"][i] == pytest.approx(np.mean(shares))
    assert (sweep["n"] == 120).all()
    assert sweep["agreement"].between(0, 1).all()

    table = tables["choosing-alpha"]
    assert set(table["sweep"]) == {"base", "few"}
    assert table["n_shifts"].unique() == [160]
    assert table["n_held_out"].unique() == [120]
    shifts = {a: study.mean_accuracy(m, *SHIFTS) for a, m in zip(ALPHAS, models)}
    best = only_row(table, sweep="base", selector="oracle-shifts")
    assert best["alpha"] == max(ALPHAS, key=shifts.get)
    assert best["regret_shifts"] == 0
    half = only_row(table, sweep="base", selector="half")
    assert half["alpha"] == 0.5
    assert half["regret_shifts"] == pytest.approx(max(shifts.values()) - shifts[0.5])
    greedy = only_row(table, sweep="base", selector="held-out")
    held_out = {a: study.mean_accuracy(m, "held-out") for a, m in zip(ALPHAS, models)}
    assert greedy["alpha"] == max(ALPHAS, key=held_out.get)

    short = analyses.short_table_of("choosing-alpha")(table)
    both = [study.mean_accuracy(f"{run} alpha=0.5", *SHIFTS) for run in ("base", "few")]
    cell = only_row(short, selector="fixed 0.5")
    assert (cell["sweeps"], cell["alpha"]) == (2, "0.5")
    assert cell["mean of shifts"] == f"{100 * np.mean(both):.1f}"


def test_without_logits_alpha_is_chosen_without_entropy(tmp_path):
    study = small_study(tmp_path, ["base"], ["base"])
    for cell in study.cells:
        scores, labels = (
            study.logits[cell["model"]][cell["dataset"]],
            study.labels[cell["dataset"]],
        )
        bare = predictions(
            torch.tensor(scores), torch.tensor(labels), keep_logits=False
        )
        study.store.path(cell["key"]).unlink(missing_ok=True)
        study.store.put(cell["key"], bare, {}, "")
    table = tabulate("choosing-alpha", study.evidence())
    assert "confidence" in set(table["selector"])
    assert "entropy" not in set(table["selector"])
    with pytest.raises(StockpotError, match="store_logits: true keeps them"):
        tabulate("overrides", study.evidence())


def test_damaged_logits_are_named_where_alpha_is_chosen(tmp_path):
    """Only logits that were never kept leave out the entropy without a word."""
    study = small_study(tmp_path, ["base"], ["base"])
    cell = next(c for c in study.cells if c["dataset"] in SHIFTS and c["sweep"])
    path = study.store.path(cell["key"])
    content = bytearray(path.read_bytes())
    header_size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + header_size])
    first_byte = 8 + header_size + header["logits"]["data_offsets"][0]
    content[first_byte] ^= 1
    path.write_bytes(content)
    with pytest.raises(StockpotError, match="damaged"):
        tabulate("choosing-alpha", study.evidence())
