"""Intervals, paired differences, lines and tables."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest, norm

from stockpot.statistics import robustness
from stockpot.statistics.intervals import clopper_pearson, mean_interval
from stockpot.statistics.paired import paired_mean
from stockpot.tables.display import to_markdown
from stockpot.tables.escape import markdown
from stockpot.tables.guessing import guessing_sentences
from stockpot.tables.main_table import overview
from stockpot.tables.measurements import (
    COLUMNS,
    measure,
    paired_accuracies,
    read_table,
    robustness_table,
)
from stockpot.tables.notes import arithmetic, notes


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.995])
@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (10, 10), (1, 10), (3, 7), (480, 500), (40193, 50000)]
)
def test_clopper_pearson_is_scipys_exact_interval(k, n, confidence):
    expected = binomtest(k, n).proportion_ci(confidence, method="exact")
    assert np.allclose(
        clopper_pearson(k, n, confidence), (expected.low, expected.high), atol=1e-9
    )


def test_clopper_pearson_of_the_released_soups():
    """Correct of ImageNet's 50,000: best single, greedy, uniform, ensemble; in percent."""
    low, high = clopper_pearson([40193, 40513, 39986, 40594], 50_000)
    assert np.round(100 * low, 3).tolist() == [80.035, 80.680, 79.618, 80.843]
    assert np.round(100 * high, 3).tolist() == [80.733, 81.369, 80.322, 81.530]


def test_clopper_pearson_without_examples_and_shapes():
    low, high = clopper_pearson([[0, 0], [0, 5]], [0, 5])
    assert low.tolist()[0] == [0, 0]
    assert high[1].tolist() == [1, 1]
    assert low.shape == (2, 2)
    assert [float(x) for x in clopper_pearson(0, 0)] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("k", "n"), [(3, 2), (-1, 2), (0, -1), (np.nan, 2), (1, np.inf)]
)
def test_impossible_counts_are_refused(k, n):
    for function in (clopper_pearson, mean_interval):
        with pytest.raises(ValueError, match="counts must be finite"):
            function(k, n)


def test_confidence_must_be_a_fraction():
    with pytest.raises(ValueError, match="got 95"):
        clopper_pearson(1, 2, 95)


def test_mean_interval_covers_the_truth():
    rng = np.random.default_rng(3)
    n, p = np.array([400, 100, 250]), np.array([0.8, 0.5, 0.3])
    covered = 0
    for seed in range(400):
        low, high = mean_interval(rng.binomial(n, p), n, 0.9, draws=500, seed=seed)
        covered += low <= p.mean() <= high
    assert 0.86 <= covered / 400 <= 0.94


@pytest.mark.slow
def test_mean_interval_is_the_bootstrap_of_the_outcomes():
    rng = np.random.default_rng(0)
    sets = [np.arange(n) < k for k, n in ((30, 40), (10, 60))]
    means = [
        np.mean([rng.choice(s, len(s)).mean() for s in sets]) for _ in range(20_000)
    ]
    low, high = mean_interval([30, 10], [40, 60], 0.9)
    assert np.allclose((low, high), np.quantile(means, [0.05, 0.95]), atol=0.006)


def test_mean_interval_repeats_and_needs_examples():
    assert mean_interval([3, 5], [9, 9]) == mean_interval([3, 5], [9, 9])
    assert mean_interval([0, 9], [9, 9]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="examples in every set"):
        mean_interval([0, 1], [0, 5])


@pytest.mark.slow
@pytest.mark.parametrize("coefficients", [(1, -1), (1, -0.7, -0.3), (2, 0.5, -1)])
def test_a_paired_mean_is_the_bootstrap_of_examples(coefficients):
    """Of models that agree a lot; (1, -0.7, -0.3) is the distance from a chord."""
    rng = np.random.default_rng(0)
    models = [[] for _ in coefficients]
    for n, p in ((60, 0.7), (90, 0.5)):
        first = rng.random(n) < p
        for i, model in enumerate(models):
            model.append(
                np.where(rng.random(n) < 0.6, first, rng.random(n) < p - 0.1 * i)
            )

    def combined(rows):
        means = [
            np.mean([x[i].mean() for x, i in zip(model, rows)]) for model in models
        ]
        return np.dot(coefficients, means)

    sizes = [len(x) for x in models[0]]
    draws = [combined([rng.integers(0, n, n) for n in sizes]) for _ in range(10_000)]
    found = paired_mean(list(zip(coefficients, models)), 0.9)
    assert found.value == pytest.approx(combined([np.arange(n) for n in sizes]))
    assert np.allclose(
        (found.low, found.high), np.quantile(draws, [0.05, 0.95]), atol=0.006
    )


def test_a_paired_difference_is_sharper_than_two_intervals_and_zero_with_itself():
    right = np.random.default_rng(1).random(500) < 0.6
    better = right | (np.arange(500) < 25)
    found = paired_mean([(1, [better]), (-1, [right])])
    low, high = clopper_pearson(right.sum(), 500)
    assert 0 < found.low
    assert found.high - found.low < (high - low) / 2
    same = paired_mean([(1, [right]), (-1, [right])])
    assert (same.value, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("a", "b", "problem"),
    [
        ([], [], r"^need the same sets for every model, got \[0, 0\]$"),
        ([[1]], [], r"^need the same sets for every model, got \[1, 0\]$"),
        ([[1, 0]], [[1]], r"^set 0: shapes \[\(2,\), \(1,\)\]$"),
        ([[]], [[]], r"^set 0: shapes \[\(0,\), \(0,\)\]$"),
    ],
)
def test_paired_sets_must_match(a, b, problem):
    with pytest.raises(ValueError, match=problem):
        paired_mean([(1, a), (-1, b)])


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


ROLES = {"val": "held-out", "ref": "reference", "b": "shift", "a": "shift"}


def cells() -> pd.DataFrame:
    rows = []

    def model(name, kind, *k, sweep="", alpha=np.nan):
        for dataset, count in zip(ROLES, k):
            n, classes = (200, 10) if dataset == "a" else (100, 4)
            rows.append([name, kind, sweep, alpha, dataset, n, count, classes])

    for i, x in enumerate((-0.5, 0.0, 0.5, 1.0)):
        y = 0.5 * x - 1
        model(
            f"scratch-{i}",
            "from-scratch",
            0,
            *(round(100 * expit(v)) for v in (x, y)),
            round(200 * expit(y)),
        )
    model("run", "end-to-end", 90, 90, 60, 100)
    model("zero-shot", "zero-shot", 70, 70, 65, 140)
    model("stew", "new-rule", 80, 80, 60, 120)
    for alpha, held_out in ((0, 70), (0.25, 92), (0.5, 91), (0.75, 92), (1, 90)):
        model(
            f"run alpha={alpha:.2f}",
            "wise-ft",
            held_out,
            80,
            70,
            130,
            sweep="run",
            alpha=alpha,
        )
    columns = ["model", "kind", "sweep", "alpha", "dataset", "n", "k", "classes"]
    return pd.DataFrame(rows, columns=columns).assign(precision="bf16")


@pytest.fixture
def measurements():
    return measure(cells(), ROLES, 0.95)


def test_measurements_have_the_mean_and_do_not_depend_on_the_order(measurements):
    assert list(measurements.columns) == COLUMNS
    shuffled = cells().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(measure(shuffled, ROLES, 0.95), measurements)
    run = measurements[measurements["model"] == "run"].set_index("dataset")
    assert run.index.tolist() == ["val", "ref", "b", "a", "shifts"]
    mean = run.loc["shifts"]
    assert (mean["value"], mean["n"], mean["role"]) == (
        pytest.approx(0.55),
        300,
        "mean",
    )
    assert pd.isna(mean["k"])
    assert run.loc["a", "k"] == 100
    assert (mean["low"], mean["high"]) == mean_interval([100, 60], [200, 100], 0.95)
    assert run.loc["b", "low"] == clopper_pearson(60, 100, 0.95)[0]
    assert run.loc[["b", "a"], "chance"].tolist() == [0.25, 0.1]
    assert mean["chance"] == pytest.approx((1 / 4 + 1 / 10) / 2)
    assert (measurements["low"] <= measurements["value"]).all()
    assert (measurements["value"] <= measurements["high"]).all()
    kinds = measurements["kind"].unique().tolist()
    assert kinds == ["zero-shot", "end-to-end", "wise-ft", "from-scratch", "new-rule"]


def test_no_mean_without_all_shifts():
    table = cells()
    table = table[(table["model"] != "run") | (table["dataset"] != "a")]
    found = measure(table, ROLES, 0.95)
    assert "run" not in found.loc[found["role"] == "mean", "model"].tolist()
    assert "stew" in found.loc[found["role"] == "mean", "model"].tolist()


def test_measure_refuses_what_it_cannot_place():
    with pytest.raises(ValueError, match="without a role: .*'ref'"):
        measure(cells(), {"a": "shift", "b": "shift", "val": "held-out"}, 0.95)
    with pytest.raises(ValueError, match="measured twice: .*'scratch-0'"):
        measure(pd.concat([cells(), cells().head(1)]), ROLES, 0.95)
    with pytest.raises(ValueError, match="'shifts' is not free"):
        measure(cells(), {**ROLES, "shifts": "shift"}, 0.95)


def test_measurements_survive_csv(measurements, tmp_path):
    measurements.to_csv(tmp_path / "m.csv", index=False)
    back = read_table(tmp_path / "m.csv")
    assert (back["sweep"] == measurements["sweep"]).all()
    assert back["alpha"].equals(measurements["alpha"])
    assert back["value"].equals(measurements["value"])
    pd.testing.assert_frame_equal(overview(back), overview(measurements))


def test_robustness_table_is_the_fit_and_the_height_above_it(measurements):
    fits, rho = robustness_table(measurements, "logit", 0.95)
    assert fits["dataset"].tolist() == ["b", "a", "shifts"]
    assert (fits["n"] == 4).all()
    assert np.allclose(fits["slope"], 0.5, atol=0.1)
    assert (fits["r"] > 0.95).all()
    assert len(rho) == 3 * len(paired_accuracies(measurements, "a"))
    fit = fits.set_index("dataset").loc["b"]
    row = rho[(rho["model"] == "run") & (rho["dataset"] == "b")].iloc[0]
    predicted = expit(fit["slope"] * logit(0.9) + fit["intercept"])
    assert row["effective_robustness"] == pytest.approx(0.6 - predicted)
    assert (rho["low"] < rho["effective_robustness"]).all()
    assert (rho["effective_robustness"] < rho["high"]).all()


def test_robustness_table_draws_all_that_is_uncertain(measurements):
    """The mean's interval from its parts: lines of the means, both shifts, the reference."""
    _, rho = robustness_table(measurements, "logit", 0.9)
    row = rho[(rho["model"] == "zero-shot") & (rho["dataset"] == "shifts")].iloc[0]
    mean = paired_accuracies(measurements, "shifts").query("kind == 'from-scratch'")
    lines = robustness.resampled_lines(mean["reference_value"], mean["value"])
    expected = robustness.effective_robustness_interval(
        lines, (0.7, 100), ([0.7, 0.65], [200, 100]), 0.9
    )
    assert (row["low"], row["high"]) == expected
    run = rho[(rho["model"] == "run") & (rho["dataset"] == "b")].iloc[0]
    low, high = clopper_pearson(60, 100, 0.9)
    assert run["high"] - run["low"] > high - low, "wider than the accuracy's own"


@pytest.mark.slow
def test_robustness_table_does_not_depend_on_the_order_or_on_other_models(measurements):
    key = ["model", "dataset"]
    _, rho = robustness_table(measurements, "logit", 0.95)
    others = measurements[~measurements["model"].isin(["stew", "run alpha=0.25"])]
    _, fewer = robustness_table(others.sample(frac=1, random_state=1), "logit", 0.95)
    rho, fewer = (table.set_index(key).sort_index() for table in (rho, fewer))
    pd.testing.assert_frame_equal(rho.loc[fewer.index], fewer)


def test_robustness_table_without_a_line_is_empty(measurements):
    """No baseline, two that are left, or three of one reference accuracy."""
    fits, rho = robustness_table(
        measurements[measurements["kind"] != "from-scratch"], "logit", 0.95
    )
    assert len(fits) == len(rho) == 0
    assert "effective_robustness" in rho
    assert "slope" in fits
    few = measurements[~measurements["model"].isin(["scratch-0", "scratch-1"])]
    assert [len(table) for table in robustness_table(few, "logit", 0.95)] == [0, 0]
    same = measurements.copy()
    line = (same["kind"] == "from-scratch") & (same["dataset"] == "ref")
    same.loc[line, "value"] = 0.5
    assert [len(table) for table in robustness_table(same, "logit", 0.95)] == [0, 0]


@pytest.mark.slow
def test_notes_tell_what_is_missing(measurements):
    overlap = pd.DataFrame(
        {
            "other_dataset": "train",
            "dataset": ["a", "b"],
            "shared_images": [3, 0],
            "n": 9,
        }
    )
    fits, _ = robustness_table(measurements, "logit", 0.95)
    found = notes({"run": "ok", "wild": "diverged (nan)"}, overlap, measurements, fits)
    assert found == [
        "wild has no result: this run diverged (nan).",
        "a: 3 of its 9 images are also in train.",
    ]
    few = measurements[~measurements["model"].isin(["scratch-0", "scratch-1"])]
    found = notes({}, overlap[:0], few, robustness_table(few, "logit", 0.95)[0])
    assert len(found) == 1
    assert "on a, b, the mean of shifts: a line needs 3 models" in found[0]
    none = measurements[measurements["kind"] != "from-scratch"]
    assert notes({}, overlap[:0], none, robustness_table(none, "logit", 0.95)[0]) == []


def test_overview_and_its_markdown(measurements):
    table = overview(measurements)
    assert list(table.columns) == ["model", "kind", "ref", "b", "a", "mean of shifts"]
    assert table["model"].tolist() == [
        "stew",
        "run, alpha 0.50",
        "run, alpha 0.25 (chosen)",
        "run, alpha 0.00 (oracle)",
        "zero-shot",
        "run",
    ]
    low, high = clopper_pearson(90, 100)
    assert table.loc[5, "ref"] == f"90.0 ± {50 * (high - low):.1f}"
    lines = to_markdown(table.replace("stew", "a|b")).splitlines()
    assert lines[1] == "| :-- | :-- | --: | --: | --: | --: |"
    assert len(lines) == 8
    assert lines[2].startswith("| a\\|b | new-rule | 80.0")


def test_overview_with_the_best_alpha_at_one_half(measurements):
    best = measurements.copy()
    best.loc[(best["alpha"] == 0.5) & (best["role"] == "held-out"), "value"] = 0.99
    assert overview(best)["model"].tolist()[:-2] == [
        "stew",
        "run, alpha 0.50 (chosen)",
        "run, alpha 0.00 (oracle)",
    ]


def test_a_column_of_the_main_table_is_one_entry(measurements, monkeypatch):
    """Its heading, its alignment and its value stand together."""
    from stockpot.tables import main_table

    usual = main_table.columns
    letters = main_table.Column("letters", lambda row: str(len(row.model)))
    names = main_table.Column("again", lambda row: row.label, left=True)
    monkeypatch.setattr(
        main_table, "columns", lambda *given: [*usual(*given), letters, names]
    )
    made = main_table.main_table(measurements)
    assert made.table["letters"].tolist()[0] == "4"
    assert made.table["again"].tolist()[0] == "stew"
    lines = made.markdown().splitlines()
    assert lines[1] == "| :-- | :-- | --: | --: | --: | --: | --: | :-- |"
    assert lines[2].endswith("| 4 | stew |")
    assert r"\begin{tabular}{llrrrrrl}" in made.latex()


@pytest.mark.slow
def test_notes_tell_of_a_piece_without_a_line(measurements):
    fits, _ = robustness_table(measurements, "logit", 0.95, {"a": [0.99]})
    overlap = pd.DataFrame(columns=["other_dataset", "dataset", "shared_images", "n"])
    (told,) = notes({}, overlap, measurements, fits, {"a": [0.99]})
    assert told.startswith("a: its line has no piece from 0.99")


@pytest.mark.parametrize(
    ("k", "guesses"), [(20, True), (28, True), (60, False), (0, True)]
)
def test_a_zero_shot_model_that_guesses_is_told(k, guesses, tmp_path):
    """20 of 100 among 5 classes is what guessing gives; 28 is not certainly more."""
    cells = pd.DataFrame(
        [
            ("zero-shot", "zero-shot", "", 0.0, "test", 100, k, 5, "fp32"),
            ("base", "end-to-end", "", 0.0, "test", 100, 20, 5, "fp32"),
        ],
        columns=[
            "model",
            "kind",
            "sweep",
            "alpha",
            "dataset",
            "n",
            "k",
            "classes",
            "precision",
        ],
    )
    table = measure(cells, {"test": "reference"}, 0.95)
    none = pd.DataFrame(
        columns=["other_dataset", "dataset", "shared_images", "n"]
    ).astype({"shared_images": int})
    found = notes({}, none, table, pd.DataFrame(columns=["dataset", "piece_start"]))
    told = [sentence for sentence in found if "no better than guessing" in sentence]
    expected = (
        f"zero-shot is no better than guessing on test: {k:.1f} % of 100 images are right, and "
        "guessing among 5 classes gives 20.0 %. The prompts, the class names or the model do not "
        "fit these images."
    )
    assert told == [expected] * guesses
    (tmp_path / "main_table.md").write_text(
        "".join(f"\n{markdown(sentence)}\n" for sentence in found)
    )
    assert guessing_sentences(tmp_path / "main_table.md") == told
    assert guessing_sentences(tmp_path / "gone.md") == []


@pytest.mark.parametrize(
    ("precisions", "trained", "text"),
    [
        (["fp32", "fp32", None], [], "Evaluated in fp32."),
        (
            ["fp32", ""],
            ["base", "hot"],
            "Evaluated in fp32. Trained in bf16: base, hot.",
        ),
        (
            ["bf16", np.nan],
            [],
            "Evaluated in bf16. Some answers in bf16 differ from those in fp32, so compare only "
            "models that were evaluated in the same precision.",
        ),
        (
            ["fp32", "bf16"],
            [],
            "Evaluated in bf16 and fp32. Some answers in bf16 differ from those in fp32, so "
            "compare only models that were evaluated in the same precision. measurements.csv has "
            "the precision of every model.",
        ),
    ],
)
def test_the_overview_says_which_arithmetic_its_numbers_come_from(
    precisions, trained, text
):
    assert arithmetic(pd.DataFrame({"precision": precisions}), trained) == text
