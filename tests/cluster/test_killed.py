"""Whatever is killed: the documented command goes on, and no job runs twice at once."""

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
    """A study on a cluster whose training is held after its first epoch."""

    def __init__(self, study: OnCluster):
        self.study, self.driver = study, start(study, *TRAIN)
        wait_for(lambda: list(study.results.glob("classifiers/base-*/.state/*/state.pt")))
        (self.job,) = (n for n, job in study.jobs().items() if job["state"] == "RUNNING")
        (self.process,) = filter(is_script, study.slurm.processes(SLURM_JOB_ID=self.job))
        self.process.suspend()

    def states(self) -> list[str]:
        return [job["state"] for job in self.study.jobs().values()]

    def one_at_a_time(self) -> bool:
        return not any(at_once(a, b) for a, b in combinations(self.study.jobs().values(), 2))


def is_script(process: psutil.Process) -> bool:
    return any(".snakemake/scripts/" in word for word in process.cmdline())


@pytest.fixture
def running(longer, on_cluster):
    """A function that starts the training with a profile."""
    started = []

    def run(profile: str = "cluster-generic") -> Training:
        started.append(Training(on_cluster(longer, profile)))
        return started[0]

    yield run
    for training in started:
        training.driver.kill()
        training.driver.wait()


def test_a_job_that_is_cancelled_is_submitted_again(running, slurm, whole):
    training = running()
    slurm.ask("scancel", training.job)
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole
    assert training.states() == ["CANCELLED", "COMPLETED"]


def test_slurm_starts_a_preempted_job_again(running, slurm, whole):
    training = running()
    slurm.ask("scontrol", "requeue", training.job)
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole
    (job,) = training.study.jobs().values()
    assert job["restarts"] == 1


@pytest.mark.parametrize("name, left", [("SIGINT", "CANCELLED"), ("SIGTERM", "COMPLETED")])
def test_the_same_command_goes_on_after(name, left, running, whole):
    """Ctrl-C takes the jobs along; SIGTERM waits for them."""
    training = running()
    training.driver.send_signal(getattr(signal, name))
    if left == "COMPLETED":
        training.process.resume()
    assert training.driver.wait(LIMIT) != 0
    wait_for(lambda: training.states() == [left], 10)
    training.study.snakemake(*TRAIN)
    assert trained(training.study) == whole
    assert training.one_at_a_time()


@pytest.mark.parametrize("profile", ["slurm", "cluster-generic"])
def test_after_sigkill_the_old_jobs_are_cancelled_first(profile, running, whole):
    training = running(profile)
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


def kill(driver: subprocess.Popen) -> None:
    driver.kill()
    driver.wait()


def test_a_job_waits_for_the_one_that_nobody_cancelled(running, slurm, whole):
    """Each holds the file beside the log while it works, on whatever node."""
    training = running()
    kill(training.driver)
    training.study.snakemake("--unlock")
    again = start(training.study, *TRAIN)
    (log,) = training.study.results.glob("logs/finetune/base-*.log")
    try:
        wait_for(lambda: "waiting" in log.read_text())
        assert training.states() == ["RUNNING", "RUNNING"]
        assert {device for job in training.study.jobs() for device in slurm.devices(job)} == {
            (GPU_NODE, "0"),
            (GPU_NODE, "1"),
        }
        training.process.resume()
        assert again.wait(LIMIT) == 0
    finally:
        kill(again)
    assert trained(training.study) == whole


def test_a_job_goes_on_when_its_node_is_back(running, slurm, whole):
    training = running()
    slurm.kill_node(GPU_NODE)
    slurm.start_node(GPU_NODE)
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole
    assert training.one_at_a_time()


def test_jobs_outlive_the_controller(running, slurm, whole):
    training = running()
    slurm.kill("slurmctld")
    training.process.resume()
    slurm.start_controller()
    assert training.driver.wait(LIMIT) == 0
    assert trained(training.study) == whole
