"""The figure soups, of a synthetic study."""

import pytest

pytestmark = pytest.mark.slow


def test_soups_ring_is_on_the_best_held_out_run(main_tables, drawn_main_figures):
    _, data = drawn_main_figures["soups"]
    m = main_tables["measurements"]
    runs = m[(m["kind"] == "end-to-end") & (m["role"] == "held-out")]
    best = runs.loc[runs["value"].idxmax(), "model"]
    assert data.loc[data["is_best_run"], "model"].tolist() == [best]
    assert set(data["kind"]) == {"end-to-end", "uniform", "greedy", "logit-ensemble"}
