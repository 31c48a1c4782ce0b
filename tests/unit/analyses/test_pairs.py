"""The analysis pairs, against direct computation on a small study."""

import random
from itertools import combinations

import numpy as np
import pytest
from scipy.special import softmax

from stockpot import analyses
from stockpot.analyses import pairs
from tests.support.synthetic_study import (
    RUNS,
    TESTS,
    UPDATES,
    coefficients_by_name,
    nll,
    only_row,
    products,
)

pytestmark = pytest.mark.slow


def test_pairs_mix_every_two_runs_in_half_and_a_step_to_each_side(study):
    recipes = study.recipes("pairs", {"alpha_step": 0.2})
    assert len(recipes) == 3 * 6
    for labels, recipe in recipes:
        coefficients = coefficients_by_name(recipe)
        assert sum(coefficients.values()) == pytest.approx(1)
        alpha = float(labels["model"].split(" at ")[1])
        assert coefficients == pytest.approx(
            {labels["run"]: 1 - alpha, labels["other_run"]: alpha}
        )
    assert {labels["model"].split(" at ")[1] for labels, _ in recipes} == {
        "0.3",
        "0.5",
        "0.7",
    }
    few = pairs.sampled_pairs(RUNS, {"max_pairs": 2, "seed": 0})
    assert few == pairs.sampled_pairs(RUNS[::-1], {"max_pairs": 2, "seed": 0})
    assert len(set(few)) == 2
    every = list(combinations(RUNS, 2))
    assert set(few) <= set(every)
    assert pairs.sampled_pairs(RUNS, {"max_pairs": 6, "seed": 0}) == every
    expected = random.Random("pairs 3").sample(every, 2)
    assert pairs.sampled_pairs(RUNS, {"max_pairs": 2, "seed": 3}) == sorted(expected)
    assert study.recipes("pairs", runs=["base"]) == []


def test_pairs_by_hand(study, tables):
    table = tables["pairs"]
    assert len(table) == 6 * 3
    for one, other in combinations(RUNS, 2):
        u, v = UPDATES[one], UPDATES[other]
        angle = np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))
        own = table[(table["model"] == one) & (table["other_model"] == other)]
        assert list(own["dataset"]) == TESTS
        assert own["angle"].to_list() == pytest.approx([angle] * 3)
    found = only_row(table, model="base", other_model="long", dataset="small")
    labels = study.labels["small"]
    start, end = (study.logits[m]["small"].astype(float) for m in ("base", "long"))
    before, soup, after = (
        study.mixed_logits({"base": 1 - a, "long": a}, "small").astype(float)
        for a in (0.4, 0.5, 0.6)
    )
    assert found["soup_accuracy"] == pytest.approx((soup.argmax(1) == labels).mean())
    assert found["ensemble_accuracy"] == pytest.approx(
        ((start + end).argmax(1) == labels).mean()
    )
    ends = (
        study.mean_accuracy("base", "small") + study.mean_accuracy("long", "small")
    ) / 2
    assert found["interpolation_advantage"] == pytest.approx(
        found["soup_accuracy"] - ends
    )
    b, known = (
        found["inverse_temperature"],
        study.mixed_logits({"base": 0.5, "long": 0.5}, "held-out").astype(float),
    )
    losses = [
        nll(x * known, study.labels["held-out"]) for x in np.geomspace(0.05, 20, 400)
    ]
    assert nll(b * known, study.labels["held-out"]) <= min(losses) + 1e-9
    assert found["soup_loss"] == pytest.approx(nll(b * soup, labels))
    assert found["ensemble_loss"] == pytest.approx(nll(b * (start + end) / 2, labels))
    assert found["loss_difference"] == pytest.approx(
        found["soup_loss"] - found["ensemble_loss"]
    )
    curvature = (
        nll(b * before, labels) + nll(b * after, labels) - 2 * nll(b * soup, labels)
    ) / 0.01
    assert found["curvature"] == pytest.approx(curvature, rel=1e-6)
    p, change = softmax(b * soup, axis=1), end - start
    spread = b**2 * ((p * change**2).sum(1) - (p * change).sum(1) ** 2).mean()
    assert found["variance"] == pytest.approx(spread)
    assert found["approximate_loss_difference"] == pytest.approx(
        (spread - curvature) / 8
    )

    cell = only_row(analyses.short_table_of("pairs")(table), dataset="reference")
    own = table[table["dataset"] == "test"]
    assert cell["pairs"] == 6
    points = 100 * (own["soup_accuracy"] - own["ensemble_accuracy"]).mean()
    assert cell["soup minus ensemble, points"] == f"{points:+.2f}"
    r = np.corrcoef(own["angle"], own["interpolation_advantage"])[0, 1]
    assert cell["angle and advantage, r"] == f"{r:.2f}"


def test_a_run_that_did_not_move_has_no_angle():
    found = pairs.cosines(
        products({"a": np.zeros(2), "b": np.ones(2), "c": -np.ones(2)})
    )
    assert found.keys() == {("b", "b"), ("b", "c"), ("c", "b"), ("c", "c")}
    assert found["b", "c"] == pytest.approx(-1)
