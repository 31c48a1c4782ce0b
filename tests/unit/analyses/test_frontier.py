"""The analysis frontier, against direct computation on a small study."""

import numpy as np
import pytest

from stockpot import analyses
from stockpot.tables.evidence import NothingToShowError
from tests.support.synthetic_study import (
    ALPHAS,
    ROLES,
    SHIFTS,
    SyntheticStudy,
    check_interval,
    only_row,
    right_on_the_first,
    tabulate,
)

pytestmark = pytest.mark.slow


def curve_study(
    folder, sweep: list[tuple[int, int]], singles: dict[str, tuple[int, int]]
) -> SyntheticStudy:
    """A sweep and other models, each by how many it has right: of 100 there, of 100 under shift."""
    study = SyntheticStudy(folder, dict.fromkeys(ROLES, 100))
    for i, (x, y) in enumerate(sweep):
        logits = right_on_the_first(
            {"test": x, "sketch": y, "small": y, "held-out": x}
        )(study)
        study.add(f"base alpha={i}", "wise-ft", logits, "base", i / (len(sweep) - 1))
    for name, (x, y) in singles.items():
        logits = right_on_the_first(
            {"test": x, "sketch": y, "small": y, "held-out": x}
        )(study)
        study.add(name, {"base": "end-to-end"}.get(name, "uniform"), logits)
    return study


def test_frontier_gap_on_between_beyond_and_below_the_curve(tmp_path):
    singles = {"on": (65, 60), "over": (75, 59), "beyond": (90, 52), "under": (40, 30)}
    singles["base"] = (80, 50)
    study = curve_study(tmp_path, [(50, 50), (60, 64), (70, 56), (80, 50)], singles)
    table = tabulate("frontier", study.evidence())
    found = table.set_index("model")
    # Half way from (60, 64) to (70, 56) lies (65, 60).
    assert found.loc["on", "gap_to_sweep"] == pytest.approx(0, abs=1e-12)
    assert not found.loc["on", "reference_above_sweep"]
    assert found.loc["on", "alpha"] == pytest.approx(0.5)
    assert found.loc["over", "gap_to_sweep"] == pytest.approx(0.06)
    assert not found.loc["over", "reference_above_sweep"]
    assert found.loc["beyond", "gap_to_sweep"] == pytest.approx(0.02)
    assert found.loc["beyond", "reference_above_sweep"]
    assert found.loc["under", "gap_to_sweep"] == pytest.approx(0.30 - 0.50)
    assert found.loc["base", "gap_to_sweep"] == pytest.approx(0)
    assert found.loc["base", "alpha"] == 1
    assert list(table["model"])[:2] == ["over", "beyond"]
    assert table["model"].iloc[-1] == "under"
    terms = [(1, "over"), (-0.5, "base alpha=2"), (-0.5, "base alpha=3")]
    terms = [(c, [study.is_correct(m, d) for d in SHIFTS]) for c, m in terms]
    check_interval(*found.loc["over", ["gap_to_sweep", "low", "high"]], terms)
    short = analyses.short_table_of("frontier")(table).set_index("model")[
        "gap to the sweep of base"
    ]
    assert short["beyond"].startswith("+2.0 [")
    assert short["beyond"].endswith("] (beyond it)")
    assert short["over"].startswith("+6.0 [")
    assert "beyond" not in short["over"]


def test_frontier_takes_the_better_point_where_the_curve_has_an_accuracy_twice(
    tmp_path,
):
    study = curve_study(tmp_path, [(50, 50), (70, 60), (50, 70)], {"back": (60, 62)})
    found = only_row(
        tabulate("frontier", study.evidence(), {"sweep": "base"}), model="back"
    )
    assert found["gap_to_sweep"] == pytest.approx(0.62 - 0.65)
    assert found["alpha"] == pytest.approx(0.75)


def test_frontier_of_a_curve_that_ends_level(tmp_path):
    study = curve_study(tmp_path, [(50, 50), (70, 60), (70, 66)], {"soup": (70, 66)})
    found = only_row(
        tabulate("frontier", study.evidence(), {"sweep": "base"}), model="soup"
    )
    assert found["gap_to_sweep"] == pytest.approx(0, abs=1e-12)
    assert found["alpha"] == 1


def test_frontier_of_the_whole_study(study, tables):
    table = tables["frontier"]
    assert set(table["sweep"]) == {"base"}, (
        "the better of the two sweeps on held-out data"
    )
    assert set(table["model"]) == set(study.models) - {"gone", "cars"}
    assert (np.diff(table["gap_to_sweep"]) <= 1e-12).all(), "best on top"
    models = [f"base alpha={a:g}" for a in ALPHAS]
    x, y = (
        [study.mean_accuracy(m, *sets) for m in models] for sets in (["test"], SHIFTS)
    )
    for found in table.itertuples():
        at = study.mean_accuracy(found.model, "test")
        assert found.reference_above_sweep == (at > max(x))
        lines = [
            np.interp(at, *zip(*sorted([(x[i], y[i]), (x[i + 1], y[i + 1])])))
            for i in range(4)
            if min(x[i : i + 2]) <= at <= max(x[i : i + 2])
        ]
        if lines:
            assert found.gap_to_sweep == pytest.approx(
                study.mean_accuracy(found.model, *SHIFTS) - max(lines)
            )


def test_a_frontier_without_other_models_says_so(tmp_path):
    study = curve_study(tmp_path, [(50, 60), (70, 50)], {})
    with pytest.raises(NothingToShowError, match="no model outside the sweeps"):
        tabulate("frontier", study.evidence(), {"sweep": "base"})
