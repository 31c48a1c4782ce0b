"""The same inputs give the same bytes: again, on one core, and through any interruption."""

import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

from tests.support.processes import jobs, start, wait_for
from tests.support.workflow import copy_project, write_images

ALONE = "SIGKILL of Snakemake alone"  # its jobs live on for a while


def smaller(config: dict) -> None:
    """The micro study's main line, to be run from nothing."""
    config["data"].update(shifts=["v2", "own"])
    config.update(
        sweep={"targets": ["base"], "alphas": [0.0, 0.5, 1.0]},
        soups=dict.fromkeys(("uniform", "ensemble", "chosen")),
        baselines={"models": None},
        evaluation={"models_per_job": 8},
        figures=dict.fromkeys(("effective-robustness", "methods", "shifts", "soups")),
    )


def test_killed_five_times_on_one_core_the_tables_are_the_same(study, tmp_path):
    """The finished study was made with an interpreter that starts quickly, this one is not."""
    finished, study = study, copy_project(tmp_path / "killed")
    write_images(study.folder / "own")
    for one in (finished, study):
        one.edit(smaller)
    shutil.rmtree(finished.results / "studies")
    assert finished.run()[1] == 0, "an uninterrupted run has computed all of this"
    rng = random.Random(0)
    kinds = ("SIGINT", "SIGKILL", ALONE, "SIGTERM", "SIGINT")
    for kind in kinds:
        process = start(study, "--cores", "1")
        time.sleep(rng.uniform(2, 8))
        if kind == ALONE:
            process.kill()
        elif kind == "SIGKILL":
            subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
        else:
            number = getattr(signal, kind).value
            subprocess.run(["kill", f"-{number}", "--", f"-{process.pid}"], check=False)
        process.wait()
        if "SIGKILL" in kind:
            study.snakemake("--unlock")
    study.snakemake("--cores", "1")
    assert study.tables() == finished.tables()
    assert study.stored() <= finished.stored()


TRAIN = ("--cores", "1", "--until", "finetune")


@pytest.fixture
def longer(finished, tmp_path_factory):
    """A function that copies the finished study and asks for a longer base run."""

    def copy(name: str):
        study = finished.copy(tmp_path_factory.mktemp(name))
        study.edit(lambda c: c["finetune"]["runs"]["base"].update(epochs=10))
        return study

    return copy


@pytest.fixture
def orphaned(longer):
    """A study whose Snakemake was killed alone, and its training, held after an epoch."""
    study = longer("orphaned")
    process = start(study, *TRAIN)
    state = wait_for(
        lambda: list(study.results.glob("classifiers/base-*/.state/*/state.pt"))
    )
    (orphan,) = jobs(process)
    orphan.suspend()
    process.kill()
    process.wait()
    study.snakemake("--unlock")
    yield study, state[0].parents[2], orphan
    with suppress(psutil.NoSuchProcess):
        orphan.kill()


def test_a_job_waits_for_the_one_that_a_killed_snakemake_left(orphaned, longer, warm):
    """Else both train this run at once, and the older one, maybe of older code, ends last."""
    study, folder, orphan = orphaned
    log = study.results / "logs" / "finetune" / f"{folder.name}.log"
    again = start(study, *TRAIN)
    wait_for(
        lambda: (
            again.poll() is not None or (log.exists() and "waiting" in log.read_text())
        )
    )
    assert again.poll() is None, "it did not wait"
    orphan.resume()
    assert again.wait() == 0
    orphan.wait(300)
    said = log.read_text()
    assert "that process has done this job" in said, "trained once"
    assert "epoch" not in said, "trained once"
    whole = warm(longer("whole"))
    whole.snakemake(*TRAIN)
    assert contents(folder) == contents(whole.results / "classifiers" / folder.name)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
