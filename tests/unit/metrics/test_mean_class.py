"""Tests the mean of the accuracies of classes."""

import numpy as np
import pytest


def test_the_interval_of_the_mean_over_classes_is_that_of_resampled_examples():
    from stockpot.metrics import MetricInput, resampled, score

    rng = np.random.default_rng(0)
    labels, correct = 2 * rng.integers(0, 5, 400), rng.random(400) < 0.3
    correct[labels == 2] = True
    answers = MetricInput(labels, labels, correct)
    by_hand = [
        np.mean(
            [
                correct[rows][labels[rows] == label].mean()
                for label in np.unique(labels[rows])
            ]
        )
        for rows in (rng.integers(0, 400, 400) for _ in range(2000))
    ]
    found = resampled("mean-class", answers, 4000)
    assert found.mean() == pytest.approx(score("mean-class", answers).value, abs=0.005)
    assert found.std() == pytest.approx(np.std(by_hand), rel=0.1)
