"""Calibration against torchmetrics and torch, and the cases without an answer."""

import importlib

import numpy as np
import pytest
import torch

from stockpot.statistics import calibration


def random_logits_and_labels(n=500, classes=7, sharp=2.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) * sharp
    logits[np.arange(n), labels] += rng.normal(1.5, 1, n)
    return logits, labels


@pytest.mark.parametrize("bins", [1, 5, 15, 40])
@pytest.mark.parametrize("sharp", [0.3, 2.0, 6.0])
def test_ece_is_that_of_torchmetrics(bins, sharp):
    from stockpot.models import third_party  # noqa: F401  makes the torchvision below importable

    metrics = importlib.import_module("torchmetrics.functional.classification")
    logits, labels = random_logits_and_labels(sharp=sharp)
    expected = metrics.multiclass_calibration_error(
        torch.tensor(logits),
        torch.tensor(labels),
        num_classes=7,
        n_bins=bins,
        norm="l1",
    )
    confidence, correct = calibration.confidences(logits), logits.argmax(1) == labels
    assert calibration.ece(confidence, correct, bins) == pytest.approx(
        float(expected), abs=1e-6
    )


def test_nll_and_brier_are_those_of_torch():
    logits, labels = random_logits_and_labels()
    nll = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels))
    one_hot = torch.nn.functional.one_hot(torch.tensor(labels), 7)
    brier = ((torch.tensor(logits).softmax(1) - one_hot) ** 2).sum(1).mean()
    assert calibration.nll(logits, labels) == pytest.approx(float(nll), abs=1e-12)
    assert calibration.brier(logits, labels) == pytest.approx(float(brier), abs=1e-12)


def test_reliability_counts_every_example_once_and_gives_the_ece():
    confidence = np.array([0.0, 0.05, 0.5, 0.5, 0.999, 1.0])
    correct = np.array([False, True, True, False, True, True])
    table = calibration.reliability(confidence, correct, 4)
    assert table["n"].tolist() == [2, 0, 2, 2]
    assert table["accuracy"].tolist()[0] == 0.5
    assert np.isnan(table["accuracy"][1])
    expected = (2 * abs(0.5 - 0.025) + 2 * 0 + 2 * abs(1 - 0.9995)) / 6
    assert calibration.ece(confidence, correct, 4) == pytest.approx(expected)


def test_temperature_is_the_one_that_the_logits_were_multiplied_with():
    rng = np.random.default_rng(3)
    calibrated = rng.normal(size=(40_000, 5)) * 1.5
    p = np.exp(calibrated) / np.exp(calibrated).sum(1, keepdims=True)
    labels = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)
    assert calibration.temperature(3 * calibrated, labels) == pytest.approx(3, rel=0.03)
    found = calibration.temperature(3 * calibrated, labels)
    at = [
        calibration.nll(3 * calibrated / t, labels)
        for t in (0.99 * found, found, 1.01 * found)
    ]
    assert at[1] == min(at)


def test_one_class_one_example_and_none():
    one = np.zeros((3, 1)), np.zeros(3, int)
    assert calibration.nll(*one) == 0
    assert calibration.brier(*one) == 0
    assert calibration.temperature(*one) == 1
    assert calibration.ece(calibration.confidences(one[0]), np.ones(3, bool)) == 0
    single = np.array([[2.0, 0.0]]), np.array([0])
    assert calibration.nll(*single) == pytest.approx(np.log1p(np.exp(-2)))
    assert 0 < calibration.ece(calibration.confidences(single[0]), [True]) < 0.2
    empty = np.zeros((0, 4)), np.zeros(0, int)
    assert np.isnan([calibration.nll(*empty), calibration.brier(*empty)]).all()
    assert np.isnan(calibration.ece([], []))
    assert calibration.temperature(*empty) == 1


def test_what_cannot_be_a_confidence_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration.ece([1.5], [True])
    with pytest.raises(ValueError, match="one confidence per answer"):
        calibration.ece([0.5, 0.5], [True])
    with pytest.raises(ValueError, match="a row of logits per label"):
        calibration.nll(np.zeros((2, 3)), [0])
