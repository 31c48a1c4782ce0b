"""Rows of "What re-runs when" with several models per job, as in the default config."""

from collections import Counter

import pytest

from tests.support.expected_cells import (
    SOUPS,
    SOUPS_EVALUATED,
    TABLES,
    assert_only_missing,
    renewed,
)
from tests.support.paths import ROOT
from tests.support.workflow import Workflow


@pytest.fixture(scope="session")
def finished_in_chunks(finished, warm, once) -> Workflow:
    """Five runs, evaluated by two jobs: base, linear, search-00, search-01; search-02."""

    def make(folder):
        study = warm(finished.copy(folder))
        study.edit(
            lambda c: (c.pop("evaluation"), c["finetune"]["search"].update(runs=3))
        )
        jobs, _ = study.run()
        assert jobs["evaluate"] == 2 + 3  # and the soups

    return once("chunks", make)


@pytest.fixture
def chunks(finished_in_chunks, warm, tmp_path) -> Workflow:
    return warm(finished_in_chunks.copy(tmp_path))


def test_the_default_is_several_models_per_job():
    assert "models_per_job: 4 " in (ROOT / "config.yaml").read_text()


def test_a_run_that_changed_and_one_that_is_new_compute_themselves_and_the_soups(
    chunks,
):
    """The sweep of linear runs too, as its end is in one evaluation with that of base.

    So does the evaluation that the new run joins. They compute nothing else.
    """
    known = chunks.stored()
    chunks.edit(
        lambda c: c["finetune"]["runs"].update(
            base={"lr": 1.0e-4, "weight_decay": 2.0e-4}
        )
    )
    chunks.edit(lambda c: c["finetune"]["search"].update(runs=4))
    jobs, cells = chunks.run()
    assert (
        jobs
        == Counter(finetune=2, evaluate=2, sweep=2) + SOUPS + SOUPS_EVALUATED + TABLES
    )
    changed = {"base", "base alpha=0.5", "search-03", "uniform", "ensemble"}
    assert renewed(chunks, known) == changed
    assert_only_missing(chunks, known, cells)
