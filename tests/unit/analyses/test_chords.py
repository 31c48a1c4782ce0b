"""The analysis chords, against direct computation on a small study."""

import pytest

from stockpot import analyses
from tests.support.synthetic_study import SHIFTS, TESTS, check_interval, only_row

pytestmark = pytest.mark.slow


def test_chords_are_between_the_ends_of_a_sweep(study, tables):
    table = tables["chords"]
    assert sorted(table["alpha"].unique()) == [0.25, 0.5, 0.75]
    assert list(table["dataset"].unique()) == [*TESTS, "mean of shifts"]
    for on, sets in {"test": ["test"], "mean of shifts": SHIFTS}.items():
        found = only_row(table, sweep="base", dataset=on, alpha=0.25)
        start, end, mix = (
            [study.is_correct(m, d) for d in sets]
            for m in ("zero-shot", "base", "base alpha=0.25")
        )
        check_interval(
            found["distance"],
            found["low"],
            found["high"],
            [(1, mix), (-0.75, start), (-0.25, end)],
        )
        better = max(("zero-shot", "base"), key=lambda m: study.mean_accuracy(m, *sets))
        best = [study.is_correct(better, d) for d in sets]
        check_interval(
            found["gain_over_better_end"],
            found["gain_over_better_end_low"],
            found["gain_over_better_end_high"],
            [(1, mix), (-1, best)],
        )
        assert found["accuracy"] == pytest.approx(
            study.mean_accuracy("base alpha=0.25", *sets)
        )
    own = table[(table["sweep"] == "few") & (table["dataset"] == "sketch")]
    least = own.loc[own["distance"].idxmin()]
    text = only_row(
        analyses.short_table_of("chords")(table), sweep="few", dataset="sketch"
    )["least above the chord (oracle)"]
    assert text.startswith(f"{100 * least['distance']:+.1f} [")
    assert text.endswith(f"at alpha {least['alpha']:g}")
