"""Which jobs would run and why, on small graphs of files."""

import json
import os
from pathlib import Path

import pytest

from stockpot.planning.build_plan import build
from stockpot.planning.explain import Explainer, jobs_named, reason_lines, summary_lines
from stockpot.planning.history import (
    save_code,
)
from stockpot.planning.job_files import JobFiles, inputs_of, jobs_with_files
from stockpot.planning.jobs import COMPARED, Present
from stockpot.planning.pending import pending_of
from stockpot.runtime.snakemake_records import is_unfinished, unfinished
from tests.support.paths import ROOT
from tests.support.small_graphs import (
    CODE,
    chain,
    explain_pending,
    job_step,
    make_outputs,
    note_file,
    past_of,
    run_names,
)

OTHER_CODE = "fedcba9876543210"


def test_nothing_runs_when_all_is_there(empty_folder):
    make_outputs(chain())
    assert run_names(chain()) == []


def test_all_of_a_new_study_runs_and_only_what_follows_from_nothing_is_called_new(
    empty_folder,
):
    assert run_names(chain()) == [
        "prepare_dataset",
        "finetune",
        "evaluate",
        "main_table",
    ]
    assert summary_lines(explain_pending(chain())) == [
        "prepare_dataset train: new",
        "3 jobs follow: finetune, evaluate, main_table",
    ]


def test_a_hyperparameter_is_named_with_both_values(empty_folder):
    before = chain(spec={"name": "base", "lr": 6.0e-4})
    make_outputs(before)
    after = chain(id="base-44444444", spec={"name": "base", "lr": 3.0e-4})
    assert summary_lines(explain_pending(after, past_of(before))) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4",
        "2 jobs follow: evaluate, main_table",
    ]


def test_a_run_that_was_not_made_in_the_last_run_keeps_its_reason(empty_folder):
    """Of a run that was interrupted."""
    before = chain(spec={"name": "base", "lr": 6.0e-4})
    make_outputs(before)
    after = chain(id="base-44444444", spec={"name": "base", "lr": 3.0e-4})
    interrupted = past_of(after, explain_pending(after, past_of(before)))
    assert (
        summary_lines(explain_pending(after, interrupted))[0]
        == "finetune base: lr 6.0e-4 -> 3.0e-4"
    )


def test_an_option_of_what_keeps_its_name_is_compared_with_snakemakes_note(
    empty_folder,
):
    jobs = chain()
    make_outputs(jobs)
    spec = {"figure": "alpha", "options": {"columns": 3}}
    drawn = job_step("figure", "alpha-55555555", ["table-33333333"], spec=spec)
    make_outputs([*jobs, drawn])
    spec = {"figure": "alpha", "options": {"columns": 4}}
    drawn = job_step("figure", "alpha-55555555", ["table-33333333"], spec=spec)
    found = pending_of([*jobs, drawn], ["out/alpha-55555555"])
    assert summary_lines(Explainer(None, None).explain(found)) == [
        "figure alpha: option columns 3 -> 4"
    ]


def test_an_option_is_named_also_where_a_table_before_it_changed(empty_folder):
    """Snakemake looks at no parameters of a job that it runs for another reason."""

    def study(lr: float, columns: int) -> list[JobFiles]:
        jobs = chain(id=f"base-{int(lr * 1e4):08}", spec={"name": "base", "lr": lr})
        spec = {"options": {"columns": columns}}
        return [
            *jobs,
            job_step("figure", "alpha-55555555", ["table-33333333"], spec=spec),
        ]

    before, after = study(6.0e-4, 3), study(3.0e-4, 4)
    make_outputs(before)
    found = pending_of(after, ["out/alpha-55555555"])
    assert summary_lines(Explainer(None, past_of(before)).explain(found)) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4",
        "figure alpha: option columns 3 -> 4",
        "2 jobs follow: evaluate, main_table",
    ]


def test_code_that_changed_is_named(empty_folder, monkeypatch):
    make_outputs(chain())
    save_code(
        CODE,
        lambda: {"training/loss.py mixup": "1", "training/loop.py": "1"},
        empty_folder / "history",
    )
    parts = {"training/loss.py mixup": "2", "training/loop.py": "1"}
    monkeypatch.setattr("stockpot.planning.explain.code_parts", lambda *_: parts)
    assert summary_lines(
        explain_pending(chain(code=OTHER_CODE), history=empty_folder / "history")
    ) == [
        "finetune base: training/loss.py changed (function mixup)",
        "2 jobs follow: evaluate, main_table",
    ]
    unknown = explain_pending(chain(code=OTHER_CODE), history=empty_folder / "nothing")
    assert summary_lines(unknown)[0] == "finetune base: its code changed"


def test_a_deleted_output_is_made_again_only_if_somebody_asks_for_it(empty_folder):
    make_outputs(chain())
    Path("out/base-11111111").unlink()
    assert run_names(chain()) == []
    Path("out/table-33333333").unlink()
    assert summary_lines(explain_pending(chain())) == [
        "main_table table: table-33333333 is missing"
    ]
    Path("out/base-22222222").unlink()
    assert run_names(chain()) == ["finetune", "evaluate", "main_table"]


def test_a_newer_input_counts_only_with_other_content(empty_folder):
    make_outputs(chain())
    os.utime("out/train-00000000", (5000, 5000))
    assert run_names(chain()) == []
    Path("out/train-00000000").write_text("other images")
    assert (
        summary_lines(explain_pending(chain()))[0]
        == "finetune base: out/train-00000000 is newer"
    )


def test_inputs_that_only_have_to_be_there_have_no_date(empty_folder):
    jobs = [
        job_step("prepare_dataset", "train-00000000"),
        job_step("finetune", "base-11111111", undated=["train-00000000"]),
    ]
    make_outputs(jobs)
    Path("out/train-00000000").write_text("other images")
    assert run_names(jobs, ["out/base-11111111"]) == []
    Path("out/train-00000000").unlink()
    assert run_names(jobs, ["out/base-11111111", "out/train-00000000"]) == [
        "prepare_dataset",
        "finetune",
    ]


def test_a_job_that_reads_other_files_says_which(empty_folder):
    before = [*chain(), job_step("sweep", "base-66666666", ["base-11111111"])]
    before[3] = job_step(
        "main_table", "table-33333333", ["base-22222222", "base-66666666"]
    )
    make_outputs([*before[:3], before[4], before[3]])
    assert summary_lines(explain_pending(chain())) == [
        "main_table table: inputs - out/base-66666666"
    ]


def test_a_job_that_was_not_finished_runs_again(empty_folder):
    make_outputs(chain())
    begun = note_file("out/base-22222222")
    begun = Path(".snakemake/incomplete", begun.name)
    begun.parent.mkdir()
    begun.touch()
    assert is_unfinished("out/base-22222222", unfinished())
    assert (
        summary_lines(explain_pending(chain()))[0] == "evaluate base: was not finished"
    )


def test_one_job_is_explained_by_what_it_follows_from(empty_folder):
    before = chain(spec={"name": "base", "lr": 6.0e-4})
    make_outputs(before)
    found = explain_pending(
        chain(id="base-44444444", spec={"name": "base", "lr": 3.0e-4}), past_of(before)
    )
    (table,) = jobs_named(found, "main_table")
    line = "main_table table follows from finetune base: lr 6.0e-4 -> 3.0e-4"
    assert reason_lines(found, table) == [line]
    assert [entry.rule for entry in jobs_named(found, "base")] == [
        "finetune",
        "evaluate",
    ]
    assert reason_lines(found, jobs_named(found, "base")[0]) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4"
    ]


def test_what_is_said_of_a_run_is_not_said_of_its_tables(empty_folder):
    """A table that is told the settings of all runs changes only as they do."""

    def study(run_id: str, lr: float) -> list[JobFiles]:
        jobs = chain(id=run_id, spec={"name": "base", "lr": lr})
        told = {
            "models": {"base": {"settings": {"lr": lr}}},
            "soups": {"mine": f"mine-{run_id[-8:]}"},
        }
        jobs[3] = job_step("analysis", "table-33333333", ["base-22222222"], spec=told)
        return jobs

    before, after = study("base-11111111", 6.0e-4), study("base-44444444", 3.0e-4)
    make_outputs(before)
    assert summary_lines(explain_pending(after, past_of(before))) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4",
        "2 jobs follow: evaluate, analysis",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["nothing", "parameters", "inputs"])
def test_a_changed_job_is_not_passed_over_while_data_sets_are_compared(
    config, empty_folder, what
):
    """Snakemake passes nothing on along a file without a date, nor looks further."""
    plan = build(config, lambda path: ROOT / path)
    job = next(run for run in plan.runs.values() if run.id not in plan.adversaries)
    now = next(files for files in jobs_with_files(plan) if files.job is job)
    changed = {"parameters": ["'other code'"], "inputs": ["another/file"]}
    record = {
        "record_format_version": 6,
        "params": [
            *now.parameters,
            *(changed["parameters"] if what == "parameters" else []),
        ],
        "input": sorted(
            [*now.inputs, *(changed["inputs"] if what == "inputs" else [])]
        ),
    }
    note_file(now.outputs[0]).parent.mkdir(parents=True)
    note_file(now.outputs[0]).write_text(json.dumps(record))
    (compared,) = inputs_of(job, plan)["compared"]
    assert compared == COMPARED
    assert isinstance(compared, Present) == (what == "nothing")
    files = next(files for files in jobs_with_files(plan) if files.job is job)
    assert ("results/compared" in files.undated) == (what == "nothing")
