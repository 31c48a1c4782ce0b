"""Whatever is killed: the documented command goes on, and no job runs twice at once."""

import re
import signal
import subprocess
from itertools import combinations
from pathlib import Path

import psutil
import pytest

from ..workflow.conftest import Workflow
from ..workflow.processes import start, wait_for
from .conftest import LIMIT, OnCluster
from .slurm import GPU_NODE
from .test_cluster import at_once

TRAIN = ("--until", "finetune")


@pytest.fixture(scope="session")
def longer(local, once) -> Workflow:
    """The study with a longer base run, which is not trained yet."""

    def make(folder: Path) -> None:
        local.copy(folder)
        Workflow(folder).edit(lambda c: c["finetune"]["runs"]["base"].update(epochs=20))

    return once("longer", make)


@pytest.fixture(scope="session")
def whole(longer, once) -> dict[str, bytes]:
    """The longer run as it ends when nothing is killed."""

    def make(folder: Path) -> None:
        longer.copy(folder)
        Workflow(folder).snakemake("--cores", "2", *TRAIN)

    return trained(once("whole", make))


def trained(study: Workflow) -> dict[str, bytes]:
    """The files of both base runs, the shorter and the longer one."""
    folders = study.results.glob("classifiers/base-*")
    return {str(p.relative_to(study.results)): p.read_bytes() for f in folders for p in f.iterdir()}


class Training:
    """Snakemake at work on a study's training, which is held after an epoch."""

    def __init__(self, study: OnCluster):
        self.study, self.driver = study, start(study, *TRAIN)
        self.process: psutil.Process | None = None

    def hold(self) -> None:
        """Stop the next process after it has saved a state of its own."""
        self.job, self.process = wait_for(self.at_work)
        self.process.suspend()
        (state,) = self.states_since(0)
        self.log = self.study.results / "logs" / "finetune" / f"{state.parents[2].name}.log"

    def at_work(self) -> tuple[str, psutil.Process] | None:
        for number, job in self.study.jobs().items():
            if job["state"] == "RUNNING":
                for process in filter(is_script, self.study.slurm.processes(SLURM_JOB_ID=number)):
                    if process != self.process and self.states_since(process.create_time()):
                        return number, process
        return None

    def states_since(self, seconds: float) -> list[Path]:
        found = self.study.results.glob("classifiers/base-*/.state/*/state.pt")
        return [path for path in found if path.stat().st_mtime > seconds]

    def goes_on(self) -> None:
        """Give the documented command again, and hold the training it goes on with."""
        self.driver = start(self.study, *TRAIN)
        self.hold()

    def states(self) -> list[str]:
        return [job["state"] for job in self.study.jobs().values()]

    def one_at_a_time(self) -> bool:
        return not any(at_once(a, b) for a, b in combinations(self.study.jobs().values(), 2))


def is_script(process: psutil.Process) -> bool:
    try:
        return any(".snakemake/scripts/" in word for word in process.cmdline())
    except psutil.Error:
        return False


def kill(driver: subprocess.Popen) -> None:
    driver.kill()
    driver.wait()


@pytest.fixture
def running(longer, on_cluster):
    """A function that starts the training with a profile."""
    started = []

    def run(profile: str = "cluster-generic") -> Training:
        started.append(Training(on_cluster(longer, profile)))
        started[0].hold()
        return started[0]

    yield run
    for training in started:
        kill(training.driver)


def test_one_command_sees_a_training_through_what_happens_to_its_jobs(running, slurm, whole):
    """Cancelled, preempted, and the node dies and comes back."""
    training = running()
    slurm.ask("scancel", training.job)
    training.hold()
    slurm.ask("scontrol", "requeue", training.job)
    training.hold()
    slurm.kill_node(GPU_NODE)
    slurm.start_node(GPU_NODE)
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole
    first, second = training.study.jobs().values()
    assert [first["state"], second["state"]] == ["CANCELLED", "COMPLETED"]
    assert [first["restarts"], second["restarts"]] == [0, 2]
    assert training.one_at_a_time()
    assert re.search(r"resumed after epoch [1-9]", training.log.read_text())


def test_jobs_outlive_the_controller(running, slurm, whole):
    training = running()
    slurm.kill("slurmctld")
    training.process.resume()
    slurm.start_controller()
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole


def test_the_same_command_goes_on_after_signals(running, whole):
    """Ctrl-C takes the jobs along; SIGTERM waits for them."""
    training = running()
    training.driver.send_signal(signal.SIGINT)
    assert training.driver.wait(LIMIT) != 0
    wait_for(lambda: training.states() == ["CANCELLED"], 10)
    training.goes_on()
    training.driver.send_signal(signal.SIGTERM)
    training.process.resume()
    assert training.driver.wait(LIMIT) != 0
    assert training.states() == ["CANCELLED", "COMPLETED"]
    training.study.snakemake(*TRAIN)
    assert trained(training.study) == whole
    assert training.one_at_a_time()


def test_after_sigkill_the_old_jobs_are_cancelled_first(running, whole):
    training = running("slurm")
    kill(training.driver)
    assert training.states() == ["RUNNING"], "it lives on"
    study = training.study
    study.snakemake("--unlock")
    subprocess.run(["profiles/cancel"], cwd=study.folder, env=study.environment(), check=True)
    assert training.states() == ["CANCELLED"]
    study.snakemake(*TRAIN)
    assert trained(study) == whole
    assert training.states() == ["CANCELLED", "COMPLETED"]
    assert training.one_at_a_time()


def test_a_job_waits_for_the_one_that_nobody_cancelled(running, slurm, whole):
    """Each holds the file beside the log while it works, on whatever node."""
    training = running()
    kill(training.driver)
    training.study.snakemake("--unlock")
    training.driver = start(training.study, *TRAIN)
    wait_for(lambda: training.log.exists() and "waiting" in training.log.read_text())
    assert training.states() == ["RUNNING", "RUNNING"]
    training.process.resume()
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole
