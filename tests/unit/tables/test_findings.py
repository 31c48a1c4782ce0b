"""The papers' findings, of small studies whose answers are made up example by example."""

import zlib

import numpy as np
import pandas as pd
import pytest

from stockpot.statistics.paired import paired_mean
from stockpot.tables.findings import findings
from stockpot.tables.measurements import measure, robustness_table

ROLES = {"val": "held-out", "ref": "reference", "a": "shift", "b": "shift"}


N = {"val": 200, "ref": 400, "a": 300, "b": 100}


CHORD = "the sweep lies above the chord (least distance, oracle)"


HALF = "alpha 0.5 against fine-tuning"


GAIN = "fine-tuning gains at least 8 points on the reference"


class AnsweredStudy:
    """A study in the making: cells, and who is right about what."""

    def __init__(self):
        self.rows, self.right = [], {}

    def model(self, name, kind, reference, shift, sweep="", alpha=np.nan):
        """Accuracies; examples are hard for all models alike, and for each a little apart.

        A sweep's ends answer as the models that they are.
        """
        same = {0.0: "zero-shot", 1.0: sweep}.get(alpha, name)
        for dataset, n in N.items():
            rng = np.random.default_rng(zlib.crc32(f"{same} {dataset}".encode()))
            accuracy = shift if ROLES[dataset] == "shift" else reference
            right = np.zeros(n, bool)
            right[
                np.argsort(np.arange(n) + rng.uniform(0, n, n))[: round(n * accuracy)]
            ] = True
            key = f"{name} {dataset}"
            self.right[key] = right
            self.rows.append(
                {
                    "model": name,
                    "kind": kind,
                    "sweep": sweep,
                    "alpha": alpha,
                    "dataset": dataset,
                    "n": n,
                    "k": int(right.sum()),
                    "classes": 16,
                    "key": key,
                    "precision": "bf16",
                }
            )

    def sweep(self, target, points):
        for alpha, (reference, shift) in points.items():
            self.model(
                f"{target} alpha={alpha}", "wise-ft", reference, shift, target, alpha
            )

    def found(self, without=()) -> pd.DataFrame:
        cells = pd.DataFrame(self.rows)
        cells = cells[~cells["model"].isin(without)]
        measurements = measure(cells.drop(columns="key"), ROLES, 0.9)
        _, rho = robustness_table(measurements, "logit", 0.9)
        return findings(cells, measurements, rho, self.right.__getitem__, 0.9)

    def mean(self, terms, *sets):
        return paired_mean(
            [
                (c, [self.right[f"{name} {dataset}"] for dataset in sets])
                for name, c in terms
            ],
            0.9,
        )


def study_above_its_chord(tuned=0.9, alphas=(0.0, 0.3, 0.5, 0.8, 1.0)) -> AnsweredStudy:
    """Zero-shot at 70 and 60 %, base at ``tuned`` and 50 %, and a sweep above the chord."""
    answered = AnsweredStudy()
    answered.model("zero-shot", "zero-shot", 0.7, 0.6)
    answered.model("base", "end-to-end", tuned, 0.5)
    bulge = {0.0: 0, 0.3: 0.04, 0.5: 0.05, 0.6: 0.05, 0.8: 0.02, 1.0: 0}
    answered.sweep(
        "base",
        {
            a: (0.7 + a * (tuned - 0.7) + bulge[a], 0.6 - 0.1 * a + bulge[a])
            for a in alphas
        },
    )
    for i, x in enumerate((0.5, 0.6, 0.7, 0.8)):
        answered.model(f"standard-{i}", "from-scratch", x, x - 0.3)
    return answered


def rows_of_finding(table: pd.DataFrame, finding: str) -> list:
    return list(table[table["finding"] == finding].itertuples())


@pytest.mark.parametrize(
    ("tuned", "holds"), [(0.9, True), (0.78, True), (0.775, False), (0.6, False)]
)
def test_fine_tuning_must_gain_eight_points(tuned, holds):
    answered = study_above_its_chord(tuned)
    (row,) = rows_of_finding(answered.found(), GAIN)
    expected = answered.mean([("base", 1), ("zero-shot", -1)], "ref")
    assert row.value == pytest.approx(tuned - 0.7)
    assert row.supported == holds
    assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
    assert (row.compared, row.dataset) == ("base - zero-shot", "reference")


def test_the_chord_has_the_interval_of_its_least_distance():
    answered = study_above_its_chord()
    rows = rows_of_finding(answered.found(), CHORD)
    assert [row.dataset for row in rows] == ["reference", "mean of shifts"]
    for row, sets in zip(rows, (["ref"], ["a", "b"])):
        expected = answered.mean(
            [("base alpha=0.8", 1), ("zero-shot", -0.2), ("base", -0.8)], *sets
        )
        assert row.compared == "base alpha=0.8 - chord"
        assert row.supported
        assert row.value == pytest.approx(0.02) == expected.value
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))


def test_a_sweep_below_its_chord_is_said_to_be():
    answered = study_above_its_chord(alphas=(0.0, 0.5, 1.0))
    answered.sweep("base", {0.4: (0.77, 0.56)})
    rows = rows_of_finding(answered.found(), CHORD)
    assert all(row.compared == "base alpha=0.4 - chord" for row in rows)
    assert rows[0].value == pytest.approx(-0.01)
    assert not rows[0].supported
    assert rows[1].value == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_one_half_is_compared_where_it_is_an_alpha():
    rows = rows_of_finding(study_above_its_chord().found(), HALF)
    assert [row.compared for row in rows] == ["base alpha=0.5 - base"] * 2
    without = study_above_its_chord(alphas=(0.0, 0.3, 0.6, 1.0)).found()
    assert rows_of_finding(without, HALF) == []
    assert len(rows_of_finding(without, CHORD)) == 2
    nearly = study_above_its_chord(alphas=(0.0, 0.3, 1.0))
    nearly.sweep("base", {0.1 * 5.0 + 1e-12: (0.85, 0.6)})
    assert len(rows_of_finding(nearly.found(), HALF)) == 2


def test_the_only_shift_is_named(monkeypatch):
    monkeypatch.delitem(ROLES, "b")
    monkeypatch.delitem(N, "b")
    answered = study_above_its_chord()
    assert set(answered.found()["dataset"]) == {"reference", "a"}


@pytest.mark.slow
def test_a_sweep_brings_its_own_ends():
    answered = study_above_its_chord()
    whole, alone = answered.found(), answered.found(without=["base", "zero-shot"])
    for finding in (GAIN, HALF, CHORD, "fine-tuning loses under shift"):
        a, b = rows_of_finding(whole, finding), rows_of_finding(alone, finding)
        assert len(a) > 0
        assert [x[1:] for x in a] == [x[1:] for x in b]


@pytest.mark.slow
def test_without_the_ends_in_the_sweep_the_models_are_the_ends():
    answered = study_above_its_chord(alphas=(0.3, 0.5))
    assert [
        row.value for row in rows_of_finding(answered.found(), CHORD)
    ] == pytest.approx([0.04, 0.04])
    assert rows_of_finding(answered.found(without=["base"]), CHORD) == []


def test_a_sweep_of_its_ends_has_no_inner_alpha():
    found = study_above_its_chord(alphas=(0.0, 1.0)).found()
    assert set(found["finding"]) == {
        GAIN,
        "fine-tuning loses under shift",
        "above the baseline fit",
    }


@pytest.mark.parametrize(("shift", "holds"), [(0.51, True), (0.5, False), (0.4, False)])
def test_a_soup_must_be_above_the_best_single_model_under_shift(shift, holds):
    answered = study_above_its_chord()
    answered.model("greedy", "greedy", 0.89, shift)
    title = "greedy soup against the best single model on held-out data"
    reference, mean = rows_of_finding(answered.found(), title)
    assert (reference.compared, mean.dataset) == ("greedy - base", "mean of shifts")
    assert reference.value < 0 < reference.high, "within its interval"
    assert reference.supported, "within its interval"
    assert mean.supported == holds


def test_soups_are_known_by_their_method_not_their_name():
    answered = study_above_its_chord()
    answered.model("mine", "greedy", 0.9, 0.6)
    answered.model("greedy", "uniform", 0.9, 0.6)
    soups = [row for row in answered.found().itertuples() if "soup" in row.finding]
    titles = {row.finding.split()[0]: row.compared for row in soups}
    assert titles == {"uniform": "greedy - base", "greedy": "mine - base"}


@pytest.mark.slow
def test_above_the_line_is_judged_by_the_joint_interval():
    answered = study_above_its_chord()
    table = rows_of_finding(answered.found(), "above the baseline fit")
    assert [row.compared for row in table] == ["zero-shot", "base alpha=0.5"]
    assert all(
        row.low < row.value < row.high and row.supported == (row.low > 0)
        for row in table
    )
    assert table[0].supported
    answered.model("standard-4", "from-scratch", 0.75, 0.1)
    assert not rows_of_finding(answered.found(), "above the baseline fit")[1].supported
