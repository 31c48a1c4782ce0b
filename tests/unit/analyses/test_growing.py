"""The analysis growing, against direct computation on a small study."""

import numpy as np
import pytest

from stockpot import analyses
from stockpot.analyses import growing
from tests.support.synthetic_study import (
    RUNS,
    SHIFTS,
    SHOWN_SETS,
    SIZES,
    SyntheticStudy,
    coefficients_by_name,
    ece,
    nll,
    only_row,
)

pytestmark = pytest.mark.slow


def test_growing_soups_are_of_the_first_k(study, tables):
    recipes = study.recipes("growing")
    assert [labels["model"] for labels, _ in recipes] == [
        f"{kind} of {k}" for k in (1, 2, 3, 4) for kind in ("uniform", "greedy")
    ]
    table = tables["growing"]
    for (labels, recipe), k, kind in zip(
        recipes, np.repeat([1, 2, 3, 4], 2), ["u", "g"] * 4
    ):
        members = RUNS[:k]
        if kind == "g":
            order = sorted(
                members, key=lambda m: (-study.held_out(uniform_recipe([m]))[0], m)
            )
            members = []
            for name in order:
                k_with = study.held_out(uniform_recipe([*members, name]))[0]
                if not members or k_with >= study.held_out(uniform_recipe(members))[0]:
                    members.append(name)
        assert set(recipe) == {"rule", "ingredients"}
        assert recipe["rule"] == "linear"
        assert coefficients_by_name(recipe) == pytest.approx(
            dict.fromkeys(members, 1 / len(members))
        )
        assert (
            labels["run_count"],
            labels["last_run"],
            labels["ingredient_count"],
        ) == (
            k,
            RUNS[k - 1],
            len(members),
        )
        method = "greedy soup" if kind == "g" else "uniform soup"
        found = only_row(table, run_count=k, method=method, dataset="mean of shifts")
        assert found["ingredient_count"] == len(members)
        coefficients = dict.fromkeys(members, 1 / len(members))
        check_scores(
            found, {d: study.mixed_logits(coefficients, d) for d in SHIFTS}, study
        )
    some = growing.sizes(["a"] * 3, {"sizes": [1, 3, 5]})
    assert some == [1, 3], "as many as there are"


def uniform_recipe(names: list[str]) -> dict:
    return {"ingredients": {f"sha {name}": 1 / len(names) for name in names}}


def check_scores(found, logits: dict[str, np.ndarray], study: SyntheticStudy):
    scores = {d: x.astype(float) for d, x in logits.items()}
    parts = [(x.argmax(1) == study.labels[d]).mean() for d, x in scores.items()]
    assert found["accuracy"] == pytest.approx(np.mean(parts))
    parts = [ece(x, study.labels[d], 15) for d, x in scores.items()]
    assert found["ece"] == pytest.approx(np.mean(parts))
    assert found["nll"] == pytest.approx(
        np.mean([nll(x, study.labels[d]) for d, x in scores.items()])
    )


def test_growing_ensembles_and_best_single_models(study, tables):
    table = tables["growing"]
    assert list(table["run_count"].unique()) == [1, 2, 3, 4]
    assert len(table) == 4 * 4 * 2
    for k in (1, 3):
        for on, sets in SHOWN_SETS.items():
            mean = {
                d: sum(study.logits[m][d].astype(float) for m in RUNS[:k]) / k
                for d in sets
            }
            check_scores(
                only_row(table, run_count=k, method="logit ensemble", dataset=on),
                mean,
                study,
            )
            best = max(RUNS[:k], key=lambda m: study.mean_accuracy(m, "held-out"))
            found = only_row(table, run_count=k, method="best single", dataset=on)
            check_scores(found, {d: study.logits[best][d] for d in sets}, study)
            assert found["ingredient_count"] == 1
            assert found["n"] == sum(SIZES[d] for d in sets)
    short = analyses.short_table_of("growing")(table)
    assert set(short["run_count"]) == {1, 4}
    cell = only_row(short, run_count=1, method="best single", dataset="reference")
    assert cell["accuracy"] == f"{100 * study.mean_accuracy('base', 'test'):.1f}"
