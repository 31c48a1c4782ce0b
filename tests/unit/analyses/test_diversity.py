"""The analysis diversity, against direct computation on a small study."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from stockpot import analyses
from tests.support.synthetic_study import only_row, probabilities, tabulate

pytestmark = pytest.mark.slow


def test_diversity_is_that_of_every_pair(study, tables):
    table = tables["diversity"]
    assert table.groupby("pair_type", sort=False)["dataset"].size().to_dict() == {
        "zero-shot and end-to-end": 12,
        "zero-shot and linear": 3,
        "two end-to-end": 18,
    }
    one, other = (study.logits[m]["small"].astype(float) for m in ("zero-shot", "long"))
    found = only_row(table, model="zero-shot", other_model="long", dataset="small")
    correct = [study.is_correct(m, "small") for m in ("zero-shot", "long")]
    assert found["prediction_diversity"] == pytest.approx(
        (correct[0] ^ correct[1]).mean()
    )
    kappa = cohen_kappa_score(one.argmax(1), other.argmax(1))
    assert found["kappa_complement"] == pytest.approx(1 - kappa)
    p, q = probabilities(one), probabilities(other)
    assert found["divergence"] == pytest.approx((p * np.log(p / q)).sum(1).mean())
    centre = np.eye(60) - 1 / 60
    k, m = (centre @ x @ x.T @ centre for x in (one, other))
    aligned = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert found["cka_complement"] == pytest.approx(1 - aligned)
    assert found["n"] == 60

    own = table[(table["pair_type"] == "two end-to-end") & (table["dataset"] == "test")]
    cell = only_row(
        analyses.short_table_of("diversity")(table),
        pair_type="two end-to-end",
        dataset="test",
    )
    assert cell["divergence"] == f"{own['divergence'].mean():.3f}"
    few = tabulate("diversity", study.evidence(), {"models": ["base", "linear"]})
    assert set(few["other_model"]) == {"base", "linear"}
    assert set(few["model"]) == {"zero-shot"}
    pair_table = tabulate(
        "diversity", study.evidence(), {"pairs": [["greedy", "base alpha=0.5"]]}
    )
    assert pair_table[
        ["pair_type", "model", "other_model"]
    ].drop_duplicates().to_numpy().tolist() == [["pair", "greedy", "base alpha=0.5"]]


def test_the_short_table_has_a_row_for_each_pair_that_the_config_gives(study):
    given = [["greedy", "base"], ["base", "few"]]
    table = tabulate("diversity", study.evidence(), {"pairs": given})
    short = analyses.short_table_of("diversity")(table)
    names = short[["model", "other_model"]].drop_duplicates()
    assert names.to_numpy().tolist() == given
    assert len(short) == len(table)
    whole = only_row(table, model="base", other_model="few", dataset="test")
    row = only_row(short, model="base", other_model="few", dataset="test")
    assert row["divergence"] == f"{whole['divergence']:.3f}"
