"""The history of runs of the workflow."""

from types import SimpleNamespace

from stockpot.planning.history import (
    past_code,
    past_run,
    save_run,
)
from tests.support.small_graphs import chain, explain_pending, past_of


def test_the_history_comes_back_as_it_was(empty_folder):
    plan = SimpleNamespace(config={"study": "mine"})
    jobs = chain()
    explained = explain_pending(jobs)
    save_run(plan, jobs, explained, empty_folder / "history")
    past = past_run("mine", empty_folder / "history")
    assert past.explained == explained
    assert past.jobs == past_of(jobs).jobs
    for damaged in ("", "{", "[]", "7", '{"jobs": 1, "explained": []}'):
        (empty_folder / "history/mine.json").write_text(damaged)
        assert past_run("mine", empty_folder / "history") is None
    assert past_run("other", empty_folder / "history") is None
    assert past_code("../../etc", empty_folder / "history") is None
