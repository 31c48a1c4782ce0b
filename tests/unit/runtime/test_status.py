"""The state of all runs, by their logs, locks, cards and saved states."""

import fcntl
import json
import os
import shlex
import subprocess
import sys

import pytest

from stockpot import cli
from stockpot.runtime.status import main, states
from tests.support.paths import SCRIPTS

BEAT = "12:00:00  epoch 1/3  step 5/30  loss 0.1  80 images/s  3 min left\n"


@pytest.fixture
def results(tmp_path):
    """Runs in every state there is."""
    said = {
        "done": f"{BEAT}12:00:09  done\n",
        "diverged": "12:00:00  diverged diverged: the loss became nan\n12:00:00  done\n",
        "failed": f"{BEAT}error: train: gone\n",
        "running": BEAT,
        "saved": f"{BEAT}stopped after epoch 0, step 5\n",
        "killed": "12:00:00  on the CPU\n",
    }
    (tmp_path / "logs" / "finetune").mkdir(parents=True)
    for name, text in said.items():
        (tmp_path / "logs" / "finetune" / f"{name}.log").write_text(text)
        (tmp_path / "logs" / "finetune" / f".{name}.log.lock").touch()
        (tmp_path / "classifiers" / name).mkdir(parents=True)
    for name, status in (
        ("done", "ok"),
        ("diverged", "diverged (the loss became nan)"),
    ):
        card = tmp_path / "classifiers" / name / "classifier.json"
        card.write_text(json.dumps({"status": status}))
    state = tmp_path / "classifiers" / "saved" / ".state" / "x" / "state.pt"
    state.parent.mkdir(parents=True)
    state.touch()
    with open(tmp_path / "logs" / "finetune" / ".running.log.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def write_plan(results, runs=(), checkpoints=(), soups=()):
    """soups: name -> is it a merge, with weights of its own?"""
    plan = {
        "runs": dict.fromkeys(runs),
        "checkpoints": dict.fromkeys(checkpoints),
        "soups": {
            name: {"writes_weights": merge} for name, merge in dict(soups).items()
        },
    }
    (results / "plan.json").write_text(json.dumps({"plan": plan}))


def test_every_state_is_told(results):
    found = {row["name"]: row for row in states(results)}
    assert {name: row["state"] for name, row in found.items()} == {
        "done": "done",
        "diverged": "diverged",
        "failed": "failed",
        "running": "running",
        "saved": "stopped, goes on from its state",
        "killed": "stopped",
    }
    assert found["running"]["message"] == BEAT[10:].strip() == found["done"]["message"]
    assert found["failed"]["message"] == "error: train: gone"
    assert found["killed"]["age"].endswith(" s ago")


def test_it_is_printed_with_a_count_of_each(results, capsys):
    main(results)
    lines = capsys.readouterr().out.splitlines()
    assert "1 running" in lines[:6]
    assert len(lines) == 12
    assert any(
        line.startswith("running ") and "3 min left" in line for line in lines[6:]
    )


def test_runs_of_the_last_config_come_first_and_those_that_wait_are_told(
    results, capsys
):
    write_plan(results, runs=["done", "failed", "waits"])
    main(results, all_studies=True)
    now, others = capsys.readouterr().out.split("\nof other studies:\n")
    assert now.splitlines()[:3] == ["1 done", "1 failed", "1 not begun"]
    assert [line.split()[0] for line in now.splitlines()[3:]] == [
        "done",
        "failed",
        "waits",
    ]
    names = [line.split()[0] for line in others.splitlines()]
    assert names == ["diverged", "killed", "running", "saved"]


def test_other_studies_are_counted_unless_asked_for(results, capsys):
    write_plan(results, runs=["done", "failed"])
    main(results)
    *_, blank, last = capsys.readouterr().out.splitlines()
    assert blank == ""
    assert last == "and 4 of other studies: make status ARGS=--all"


def test_checkpoints_and_merges_of_the_study_count_as_its_own(results, capsys):
    write_plan(
        results, checkpoints=["done", "given"], soups={"ties": True, "uniform": False}
    )
    main(results)
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told[2:-2]] == ["done", "given", "ties"]
    assert told[-1] == "and 5 of other studies: make status ARGS=--all"


def test_a_study_without_runs_lists_no_others(results, capsys):
    write_plan(results)
    main(results)
    assert (
        capsys.readouterr().out.strip()
        == "and 6 of other studies: make status ARGS=--all"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "--cores 4",
        "--config a=b",
        "--config-file x",
        "--configfile a.yaml b.yaml",
        "--all-temp",
        "",
    ],
)
def test_options_of_snakemake_are_passed_over(arguments):
    """Make passes on what is meant for both."""
    asked = cli.parsed(["status", *arguments.split()])
    assert (str(asked.results), asked.all) == ("results", False)
    asked = cli.parsed(
        ["status", *arguments.split(), "--all", "--results", "elsewhere"]
    )
    assert (str(asked.results), asked.all) == ("elsewhere", True)


@pytest.mark.process
def test_a_reader_that_has_seen_enough_ends_it_quietly(results):
    for i in range(2000):  # more than a pipe holds
        (results / f"logs/finetune/run-{i}.log").write_text(f"12:00:00  {'x' * 80}\n")
    python = shlex.quote(sys.executable)
    command = f"{python} -m stockpot.cli status --results {results} | head -1"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True
    )
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_nothing_has_begun(tmp_path, capsys):
    main(tmp_path)
    assert capsys.readouterr().out == f"{tmp_path}: no run has begun here\n"


DAMAGED = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "a number": "7",
    "without a status": "{}",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_every_run_is_told_whatever_is_damaged(results, capsys, text):
    (results / "classifiers" / "done" / "classifier.json").write_text(text)
    (results / "plan.json").write_text(text)
    (results / "logs" / "finetune" / "dangling.log").symlink_to(results / "nothing")
    (results / "logs" / "finetune" / "failed.log").write_bytes(
        b"\xff\x00\x1b[2J\nerror: \x1b[2J"
    )
    found = {row["name"]: row for row in states(results)}
    assert len(found) == 7
    assert found["done"]["state"] == "damaged card"
    assert found["running"]["state"] == "running"
    assert found["failed"]["state"] == "failed"
    main(results)
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("which", [".log", "lock", "card", "plan"])
def test_what_is_a_pipe_is_not_waited_for(results, which):
    path = {
        ".log": results / "logs/finetune/killed.log",
        "lock": results / "logs/finetune/.killed.log.lock",
        "card": results / "classifiers/killed/classifier.json",
        "plan": results / "plan.json",
    }[which]
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert len(states(results)) == 6


def test_a_log_of_tomorrow_has_no_negative_age(results):
    os.utime(results / "logs/finetune/done.log", (4e9, 4e9))
    assert (
        next(row["age"] for row in states(results) if row["name"] == "done")
        == "0 s ago"
    )
