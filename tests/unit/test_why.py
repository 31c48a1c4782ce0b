"""Which jobs would run and why, on small graphs of files, and the words for what changed."""

import base64
import hashlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from stockpot.planning.build_plan import build
from stockpot.planning.changes import (
    changes,
    describe_changes,
    describe_code_change,
    value_text,
)
from stockpot.planning.explain import Explainer, jobs_named, reason_lines, summary_lines
from stockpot.planning.history import (
    PastJob,
    PastRun,
    past_code,
    past_run,
    save_code,
    save_run,
)
from stockpot.planning.job_files import JobFiles, inputs_of, jobs_with_files
from stockpot.planning.jobs import COMPARED, Job, Present
from stockpot.planning.pending import pending_of
from stockpot.runtime.snakemake_records import is_unfinished, read_record, unfinished
from tests.support.paths import ROOT

CODE = "0123456789abcdef"
OTHER_CODE = "fedcba9876543210"


class Step(Job):
    """A job whose rule is told, and that is made from another one."""

    def __init__(self, rule: str, job_id: str, after: tuple[str, ...] = ()):
        object.__setattr__(self, "id", job_id)
        self.__dict__.update(step=rule, before=after)

    @property
    def rule(self) -> str:
        return self.__dict__["step"]

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"start": self.__dict__["before"]}

    def code(self, plan) -> tuple[str, ...]:
        return ()


def step(
    rule, job_id, inputs=(), undated=(), spec=None, code=CODE, after=()
) -> JobFiles:
    """A job that writes one file, out/<job_id>."""
    spec = spec or {"name": job_id.rpartition("-")[0]}
    return JobFiles(
        job=Step(rule, job_id, tuple(after)),
        inputs=tuple(f"out/{path}" for path in (*inputs, *undated)),
        undated=frozenset(f"out/{path}" for path in undated),
        outputs=(f"out/{job_id}",),
        benchmark="",
        spec=spec,
        code=code,
        parameters=frozenset(map(repr, (spec, code))),
    )


def chain(**finetune) -> list[JobFiles]:
    """Data, a run trained on it, its evaluation and a table."""
    run = finetune.pop("id", "base-11111111")
    return [
        step("prepare_dataset", "train-00000000"),
        step("finetune", run, ["train-00000000"], **finetune),
        step("evaluate", "base-22222222", [run]),
        step("main_table", "table-33333333", ["base-22222222"]),
    ]


TARGET = ["out/table-33333333"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def note(path: str) -> Path:
    """Where Snakemake keeps its note of a file."""
    name = base64.urlsafe_b64encode(path.encode()).decode()
    return Path(".snakemake/metadata", name)


def make(jobs: list[JobFiles], date: float = 1000) -> None:
    """Write the outputs of jobs with Snakemake's notes, each a second after the one before."""
    for second, job in enumerate(jobs):
        (path,) = job.outputs
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(path)
        os.utime(path, (date + second, date + second))
        record = {
            "record_format_version": 6,
            "params": sorted(job.parameters),
            "input": sorted(job.inputs),
            "input_checksums": {
                file: f"sha256:{hashlib.sha256(Path(file).read_bytes()).hexdigest()}"
                for file in job.inputs
                if Path(file).exists()
            },
        }
        note(path).parent.mkdir(parents=True, exist_ok=True)
        note(path).write_text(json.dumps(record))


def run_names(jobs: list[JobFiles], files=None) -> list[str]:
    return [job.job.rule for job, _ in pending_of(jobs, files or TARGET)]


def why(
    jobs: list[JobFiles], past: PastRun | None = None, history: Path = Path("history")
):
    return Explainer(None, past, history=history).explain(pending_of(jobs, TARGET))


def past_of(jobs: list[JobFiles], explained=()) -> PastRun:
    past = {
        (job.job.rule, job.job.name): PastJob(
            job.job.id, job.spec, {"start": list(job.job.follows()["start"])}, job.code
        )
        for job in jobs
    }
    return PastRun("yesterday", past, list(explained))


def test_nothing_runs_when_all_is_there(here):
    make(chain())
    assert run_names(chain()) == []


def test_all_of_a_new_study_runs_and_only_what_follows_from_nothing_is_called_new(here):
    assert run_names(chain()) == [
        "prepare_dataset",
        "finetune",
        "evaluate",
        "main_table",
    ]
    assert summary_lines(why(chain())) == [
        "prepare_dataset train: new",
        "3 jobs follow: finetune, evaluate, main_table",
    ]


def test_a_hyperparameter_is_named_with_both_values(here):
    before = chain(spec={"name": "base", "lr": 6.0e-4})
    make(before)
    after = chain(id="base-44444444", spec={"name": "base", "lr": 3.0e-4})
    assert summary_lines(why(after, past_of(before))) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4",
        "2 jobs follow: evaluate, main_table",
    ]


def test_a_run_that_was_not_made_in_the_last_run_keeps_its_reason(here):
    """Of a run that was interrupted."""
    before = chain(spec={"name": "base", "lr": 6.0e-4})
    make(before)
    after = chain(id="base-44444444", spec={"name": "base", "lr": 3.0e-4})
    interrupted = past_of(after, why(after, past_of(before)))
    assert (
        summary_lines(why(after, interrupted))[0]
        == "finetune base: lr 6.0e-4 -> 3.0e-4"
    )


def test_an_option_of_what_keeps_its_name_is_compared_with_snakemakes_note(here):
    jobs = chain()
    make(jobs)
    spec = {"figure": "alpha", "options": {"columns": 3}}
    drawn = step("figure", "alpha-55555555", ["table-33333333"], spec=spec)
    make([*jobs, drawn])
    spec = {"figure": "alpha", "options": {"columns": 4}}
    drawn = step("figure", "alpha-55555555", ["table-33333333"], spec=spec)
    found = pending_of([*jobs, drawn], ["out/alpha-55555555"])
    assert summary_lines(Explainer(None, None).explain(found)) == [
        "figure alpha: option columns 3 -> 4"
    ]


def test_an_option_is_named_also_where_a_table_before_it_changed(here):
    """Snakemake looks at no parameters of a job that it runs for another reason."""

    def study(lr: float, columns: int) -> list[JobFiles]:
        jobs = chain(id=f"base-{int(lr * 1e4):08}", spec={"name": "base", "lr": lr})
        spec = {"options": {"columns": columns}}
        return [*jobs, step("figure", "alpha-55555555", ["table-33333333"], spec=spec)]

    before, after = study(6.0e-4, 3), study(3.0e-4, 4)
    make(before)
    found = pending_of(after, ["out/alpha-55555555"])
    assert summary_lines(Explainer(None, past_of(before)).explain(found)) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4",
        "figure alpha: option columns 3 -> 4",
        "2 jobs follow: evaluate, main_table",
    ]


def test_code_that_changed_is_named(here, monkeypatch):
    make(chain())
    save_code(
        CODE,
        lambda: {"training/loss.py mixup": "1", "training/loop.py": "1"},
        here / "history",
    )
    parts = {"training/loss.py mixup": "2", "training/loop.py": "1"}
    monkeypatch.setattr("stockpot.planning.explain.code_parts", lambda *_: parts)
    assert summary_lines(why(chain(code=OTHER_CODE), history=here / "history")) == [
        "finetune base: training/loss.py changed (function mixup)",
        "2 jobs follow: evaluate, main_table",
    ]
    unknown = why(chain(code=OTHER_CODE), history=here / "nothing")
    assert summary_lines(unknown)[0] == "finetune base: its code changed"


def test_a_deleted_output_is_made_again_only_if_somebody_asks_for_it(here):
    make(chain())
    Path("out/base-11111111").unlink()
    assert run_names(chain()) == []
    Path("out/table-33333333").unlink()
    assert summary_lines(why(chain())) == [
        "main_table table: table-33333333 is missing"
    ]
    Path("out/base-22222222").unlink()
    assert run_names(chain()) == ["finetune", "evaluate", "main_table"]


def test_a_newer_input_counts_only_with_other_content(here):
    make(chain())
    os.utime("out/train-00000000", (5000, 5000))
    assert run_names(chain()) == []
    Path("out/train-00000000").write_text("other images")
    assert (
        summary_lines(why(chain()))[0] == "finetune base: out/train-00000000 is newer"
    )


def test_inputs_that_only_have_to_be_there_have_no_date(here):
    jobs = [
        step("prepare_dataset", "train-00000000"),
        step("finetune", "base-11111111", undated=["train-00000000"]),
    ]
    make(jobs)
    Path("out/train-00000000").write_text("other images")
    assert run_names(jobs, ["out/base-11111111"]) == []
    Path("out/train-00000000").unlink()
    assert run_names(jobs, ["out/base-11111111", "out/train-00000000"]) == [
        "prepare_dataset",
        "finetune",
    ]


def test_a_job_that_reads_other_files_says_which(here):
    before = [*chain(), step("sweep", "base-66666666", ["base-11111111"])]
    before[3] = step("main_table", "table-33333333", ["base-22222222", "base-66666666"])
    make([*before[:3], before[4], before[3]])
    assert summary_lines(why(chain())) == [
        "main_table table: inputs - out/base-66666666"
    ]


def test_a_job_that_was_not_finished_runs_again(here):
    make(chain())
    begun = note("out/base-22222222")
    begun = Path(".snakemake/incomplete", begun.name)
    begun.parent.mkdir()
    begun.touch()
    assert is_unfinished("out/base-22222222", unfinished())
    assert summary_lines(why(chain()))[0] == "evaluate base: was not finished"


def test_one_job_is_explained_by_what_it_follows_from(here):
    before = chain(spec={"name": "base", "lr": 6.0e-4})
    make(before)
    found = why(
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


def test_what_is_said_of_a_run_is_not_said_of_its_tables(here):
    """A table that is told the settings of all runs changes only as they do."""

    def study(run_id: str, lr: float) -> list[JobFiles]:
        jobs = chain(id=run_id, spec={"name": "base", "lr": lr})
        told = {
            "models": {"base": {"settings": {"lr": lr}}},
            "soups": {"mine": f"mine-{run_id[-8:]}"},
        }
        jobs[3] = step("analysis", "table-33333333", ["base-22222222"], spec=told)
        return jobs

    before, after = study("base-11111111", 6.0e-4), study("base-44444444", 3.0e-4)
    make(before)
    assert summary_lines(why(after, past_of(before))) == [
        "finetune base: lr 6.0e-4 -> 3.0e-4",
        "2 jobs follow: evaluate, analysis",
    ]


def test_a_note_that_cannot_be_read_is_none(here):
    make(chain())
    for damaged in ("{", "[]", "7", '{"record_format_version": "x"}', ""):
        note("out/base-11111111").write_text(damaged)
        assert read_record("out/base-11111111") is None
    assert run_names(chain()) == []
    assert read_record("out/never") is None


def test_the_history_comes_back_as_it_was(here):
    plan = SimpleNamespace(config={"study": "mine"})
    jobs = chain()
    explained = why(jobs)
    save_run(plan, jobs, explained, here / "history")
    past = past_run("mine", here / "history")
    assert past.explained == explained
    assert past.jobs == past_of(jobs).jobs
    for damaged in ("", "{", "[]", "7", '{"jobs": 1, "explained": []}'):
        (here / "history/mine.json").write_text(damaged)
        assert past_run("mine", here / "history") is None
    assert past_run("other", here / "history") is None
    assert past_code("../../etc", here / "history") is None


VALUES = [
    (6.0e-4, "6.0e-4"),
    (1.25e-5, "1.25e-5"),
    (0.5, "0.5"),
    (0.0, "0.0"),
    (3e8, "3.0e8"),
    (7, "7"),
    (True, "true"),
    (None, "null"),
    ("greedy", "greedy"),
    ("x" * 100, ""),
]


@pytest.mark.parametrize(
    ("value", "text"), VALUES, ids=[text or "long" for _, text in VALUES]
)
def test_values_are_written_as_in_a_config(value, text):
    assert value_text(value) == text


DIFFERENCES = [
    ({"lr": 1.0e-3}, {"lr": 2.0e-3}, ["lr 1.0e-3 -> 2.0e-3"]),
    ({}, {"mixup": 0.2}, ["mixup 0.2 is new"]),
    ({"mixup": 0.2}, {}, ["mixup 0.2 is gone"]),
    ({"tests": ["v2-11111111"]}, {"tests": ["v2-22222222"]}, []),
    ({"tests": ["a", "b"]}, {"tests": ["a", "c"]}, ["tests - b, + c"]),
    (
        {"members": [{"name": "base", "end": "base-11111111"}]},
        {
            "members": [
                {"name": "base", "end": "base-22222222"},
                {"name": "new", "end": "x"},
            ]
        },
        ["members + new"],
    ),
    (
        {"roles": [["a-11111111", "shift"]]},
        {"roles": [["b-22222222", "shift"]]},
        ["roles.a shift is gone", "roles.b shift is new"],
    ),
    ({"alphas": [0.0, 1.0]}, {"alphas": [0.0, 0.5, 1.0]}, ["alphas + 0.5"]),
    ({"files": "0123456789abcdef"}, {"files": "fedcba9876543210"}, ["files changed"]),
    ({"caption": "a" * 100}, {"caption": "b" * 100}, ["caption is another one"]),
]


@pytest.mark.parametrize(
    ("old", "new", "told"), DIFFERENCES, ids=[str(i) for i in range(10)]
)
def test_differences_in_words(old, new, told):
    assert describe_changes(changes(old, new)) == told


def test_code_in_words():
    old = {
        "training/loss.py mixup": "1",
        "training/loss.py Loss": "1",
        "models/card.py": "1",
    }
    changed = {**old, "training/loss.py mixup": "2", "training/loss.py Loss": "2"}
    assert (
        describe_code_change(old, changed)
        == "training/loss.py changed (function mixup, class Loss)"
    )
    assert (
        describe_code_change(old, {**old, "models/card.py": "2"})
        == "models/card.py changed"
    )
    assert describe_code_change(old, {**old, "models/card.py SIDE": "2"}).endswith(
        "(constant SIDE)"
    )
    assert (
        describe_code_change(None, old)
        == describe_code_change(old, old)
        == "its code changed"
    )
    many = {f"training/{name}.py": name for name in "abcdefg"}
    assert describe_code_change({}, many).endswith("and 3 more changed")


def test_a_crowd_of_jobs_takes_one_line(here):
    jobs = [step("finetune", f"run{i:04}-00000000") for i in range(1000)]
    found = Explainer(None, None).explain(
        pending_of(jobs, [job.outputs[0] for job in jobs])
    )
    assert summary_lines(found) == ["finetune x1000: new"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["nothing", "parameters", "inputs"])
def test_a_changed_job_is_not_passed_over_while_data_sets_are_compared(
    config, here, what
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
    note(now.outputs[0]).parent.mkdir(parents=True)
    note(now.outputs[0]).write_text(json.dumps(record))
    (compared,) = inputs_of(job, plan)["compared"]
    assert compared == COMPARED
    assert isinstance(compared, Present) == (what == "nothing")
    files = next(files for files in jobs_with_files(plan) if files.job is job)
    assert ("results/compared" in files.undated) == (what == "nothing")
