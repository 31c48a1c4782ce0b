"""The analysis overrides, against direct computation on a small study."""

import numpy as np
import pytest

from stockpot import analyses
from tests.support.synthetic_study import TESTS, only_row

pytestmark = pytest.mark.slow


def test_overrides_are_counted_one_by_one(study, tables):
    table = tables["overrides"]
    assert set(zip(table["sweep"], table["dataset"])) == {
        (c, d) for c in ("base", "few") for d in TESTS
    }
    zero, tuned = (
        study.logits[m]["sketch"].astype(float) for m in ("zero-shot", "base")
    )
    differ = first = second = 0
    for a, b in zip(zero, tuned):
        if a.argmax() != b.argmax():
            differ += 1
            first += (a + b).argmax() == a.argmax()
            second += (a + b).argmax() == b.argmax()
    found = only_row(table, sweep="base", dataset="sketch")
    shares = found[
        ["disagreement", "zero_shot_overrides", "target_overrides"]
    ].to_list()
    assert np.multiply(shares, 100) == pytest.approx([differ, first, second])
    margins = [
        np.mean([np.sort(x)[-1] - np.sort(x)[-2] for x in scores])
        for scores in (zero, tuned)
    ]
    assert [found["zero_shot_margin"], found["target_margin"]] == pytest.approx(margins)
    cell = only_row(
        analyses.short_table_of("overrides")(table), sweep="base", dataset="sketch"
    )
    assert cell["disagreement"] == f"{differ:.1f}"
    assert cell["target_margin"] == f"{margins[1]:.2f}"
