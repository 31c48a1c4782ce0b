"""The baseline fit, its band, and the interval of effective robustness."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from stockpot.statistics import robustness
from stockpot.statistics.intervals import clopper_pearson


@pytest.mark.parametrize("axis", ["logit", "probit", "linear"])
def test_line_is_recovered_and_its_points_have_no_effective_robustness(axis):
    forward, inverse = robustness.axis_transforms(axis)
    reference = np.linspace(0.5, 0.8, 7)
    shift = inverse(0.9 * forward(reference) - 0.2)
    line = robustness.fit_line(reference, shift, axis)
    assert (line.slope, line.intercept, line.r) == pytest.approx((0.9, -0.2, 1))
    assert (line.n, line.axis) == (7, axis)
    assert np.allclose(robustness.effective_robustness(line, reference, shift), 0)
    low, high = robustness.band(reference, shift, [0.4, 0.9], axis=axis)
    assert np.allclose(low, line.predict([0.4, 0.9]))
    assert np.allclose(high, low)


def test_effective_robustness_of_clip_and_the_testbed_line():
    """Slope and intercept are of imagenet-testbed's 79 baselines, mean of five shifts.

    CLIP ViT-B/16 zero-shot and WiSE-FT at 0.5 are from WiSE-FT's tables.
    """
    line = robustness.BaselineFit(1.0436, -1.8904, 0.974, 79, "logit")
    rho = robustness.effective_robustness(line, [0.683, 0.817], [0.581, 0.630])
    assert np.round(100 * rho, 1) == pytest.approx([32.9, 21.2], abs=0.15)


def test_band_narrows_where_the_models_are_and_has_the_right_width():
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 2, 200)
    y = 0.8 * x - 1 + rng.normal(0, 0.3, 200)
    at = expit([-1.0, 0.5, 2.0, 4.0])
    low, high = robustness.band(expit(x), expit(y), at, 0.95)
    width = logit(high) - logit(low)
    spread = ((x - x.mean()) ** 2).sum()
    expected = 2 * 1.96 * 0.3 * np.sqrt(1 / 200 + (logit(at) - x.mean()) ** 2 / spread)
    assert np.allclose(width, expected, rtol=0.15)


def test_three_models_suffice_for_a_band():
    low, high = robustness.band([0.5, 0.6, 0.7], [0.3, 0.42, 0.5], [0.6])
    assert np.isfinite([low, high]).all()


def test_resampled_lines_are_fits_of_resampled_models_in_any_order():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.4, 0.8, 7), rng.uniform(0.2, 0.5, 7)
    slope, intercept = robustness.resampled_lines(x, y, 50)
    x, y = x[np.argsort(x)], y[np.argsort(x)]
    rows = np.random.default_rng(0).integers(0, 7, (50, 7))
    fits = [robustness.fit_line(x[i], y[i]) for i in rows]
    assert np.allclose(slope, [fit.slope for fit in fits])
    assert np.allclose(intercept, [fit.intercept for fit in fits])
    shuffled = rng.permutation(7)
    again = robustness.resampled_lines(x[shuffled], y[shuffled], 50)
    assert np.array_equal(again, (slope, intercept))


def test_a_resample_of_one_model_has_no_line():
    slope, intercept = robustness.resampled_lines(
        [0.5, 0.6, 0.7], [0.3, 0.42, 0.5], 900
    )
    assert len(slope) == len(intercept)
    assert np.isfinite([slope, intercept]).all()
    assert 750 < len(slope) < 850, "1 of 9 resamples holds one model three times"


@pytest.mark.slow
def test_the_interval_of_rho_is_the_brute_force_bootstrap():
    """One draw at a time, on a probit axis, with two shifts."""
    rng = np.random.default_rng(0)
    x, y = np.array([0.4, 0.5, 0.6, 0.7, 0.75]), np.array([0.2, 0.3, 0.33, 0.42, 0.4])
    draws = []
    while len(draws) < 8_000:
        rows = rng.integers(0, 5, 5)
        if np.ptp(x[rows]) > 0:
            line = robustness.BaselineFit(
                *np.polyfit(norm.ppf(x[rows]), norm.ppf(y[rows]), 1), 1, 5, "probit"
            )
            shift = (rng.binomial(200, 0.5) / 200 + rng.binomial(80, 0.8) / 80) / 2
            draws.append(shift - line.predict(rng.binomial(150, 0.7) / 150))
    lines = robustness.resampled_lines(x, y, 20_000, axis="probit")
    found = robustness.effective_robustness_interval(
        lines, (0.7, 150), ([0.5, 0.8], [200, 80]), 0.9, axis="probit"
    )
    assert np.allclose(found, np.quantile(draws, [0.05, 0.95]), atol=0.006)


@pytest.mark.slow
def test_the_interval_of_rho_covers_the_truth():
    """Of models that scatter about a line, seen through samples; a fixed line is too sure."""
    rng, n, models = np.random.default_rng(0), 400, 12
    truth = 0.6 - expit(0.6 * logit(0.9) - 1)
    joint = fixed = 0
    for _ in range(300):
        place = rng.uniform(-0.5, 2, models)
        shift = 0.6 * place - 1 + rng.normal(0, 0.1, models)
        x, y = (
            robustness.clip_to_axis(rng.binomial(n, expit(v)) / n, n)
            for v in (place, shift)
        )
        reference, k = rng.binomial(n, 0.9) / n, rng.binomial(n, 0.6)
        low, high = robustness.effective_robustness_interval(
            robustness.resampled_lines(x, y, 500), (reference, n), ([k / n], [n])
        )
        joint += low <= truth <= high
        predicted = robustness.fit_line(x, y).predict(reference)
        low, high = clopper_pearson(k, n)
        fixed += low <= truth + predicted <= high
    assert 0.9 <= joint / 300 <= 0.98
    assert fixed / 300 < 0.85


@pytest.mark.parametrize("axis", ["logit", "probit", "linear"])
@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_the_interval_of_rho_is_finite_and_wide_at_the_ends(axis, accuracy):
    lines = robustness.resampled_lines([0.5, 0.6, 0.7], [0.3, 0.42, 0.5], axis=axis)
    found = robustness.effective_robustness_interval(
        lines, (accuracy, 50), ([accuracy] * 2, [50, 50]), axis=axis
    )
    assert np.isfinite(found).all()
    assert found[0] < found[1]
    none = np.zeros(2_000)
    low, high = robustness.effective_robustness_interval(
        (none, none), (0.5, 50), ([accuracy], [50]), axis="linear"
    )
    assert high - low >= 0.02, "no line, yet an accuracy of 0 or 1 is not certain"


def test_lines_that_cannot_be_fitted_say_why():
    with pytest.raises(ValueError, match="at least 3 baseline models, got 2"):
        robustness.fit_line([0.5, 0.6], [0.4, 0.5])
    with pytest.raises(ValueError, match="'log'; allowed: logit, probit, linear"):
        robustness.fit_line([0.5, 0.6, 0.7], [0.4, 0.5, 0.6], "log")
    with pytest.raises(ValueError, match="no finite place on the logit axis"):
        robustness.fit_line([0.5, 0.6, 0.7], [0.0, 0.5, 0.6])


def test_accuracies_are_moved_half_an_example_inside():
    assert robustness.clip_to_axis([0, 0.3, 1], 100).tolist() == [0.005, 0.3, 0.995]
    assert robustness.clip_to_axis([0, 0.3, 1], 100, "linear").tolist() == [0, 0.3, 1]
