"""Whatever is killed: the documented command goes on, and no job runs twice at once."""

import signal
import subprocess
import time
from itertools import combinations
from pathlib import Path

import pytest

from ..workflow.conftest import Workflow
from ..workflow.processes import start, wait_for
from .conftest import OnCluster
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


def begun(study: OnCluster) -> str:
    """The job that trains, after its first epoch."""
    wait_for(lambda: list(study.results.glob("classifiers/base-*/.state/*/state.pt")))
    (number,) = (n for n, job in study.jobs().items() if job["state"] == "RUNNING")
    return number


@pytest.fixture
def running(longer, on_cluster):
    """A function that starts the training: the study, Snakemake, and the job."""
    drivers = []

    def run(profile: str = "cluster-generic") -> tuple[OnCluster, subprocess.Popen, str]:
        study = on_cluster(longer, profile)
        drivers.append(start(study, *TRAIN))
        return study, drivers[0], begun(study)

    yield run
    for driver in drivers:
        driver.kill()
        driver.wait()


def one_at_a_time(study: OnCluster) -> bool:
    return not any(at_once(a, b) for a, b in combinations(study.jobs().values(), 2))


def test_a_job_that_is_cancelled_is_submitted_again(running, slurm, whole):
    study, driver, job = running()
    slurm.ask("scancel", job)
    assert driver.wait(study.limit) == 0
    assert trained(study) == whole
    assert [job["state"] for job in study.jobs().values()] == ["CANCELLED", "COMPLETED"]


def test_slurm_starts_a_preempted_job_again(running, slurm, whole):
    study, driver, job = running()
    slurm.ask("scontrol", "requeue", job)
    assert driver.wait(study.limit) == 0
    assert trained(study) == whole
    assert {n: job["restarts"] for n, job in study.jobs().items()} == {job: 1}


@pytest.mark.parametrize("name, left", [("SIGINT", "CANCELLED"), ("SIGTERM", "COMPLETED")])
def test_the_same_command_goes_on_after(name, left, running, whole):
    """Ctrl-C takes the jobs along; SIGTERM waits for them."""
    study, driver, job = running()
    driver.send_signal(getattr(signal, name))
    assert driver.wait(study.limit) != 0
    wait_for(lambda: study.jobs()[job]["state"] == left, 10)
    study.snakemake(*TRAIN)
    assert trained(study) == whole
    assert one_at_a_time(study)


@pytest.mark.parametrize("profile", ["slurm", "cluster-generic"])
def test_after_sigkill_its_jobs_are_cancelled_first(profile, running, whole):
    study, driver, job = running(profile)
    driver.kill()
    driver.wait()
    assert study.jobs()[job]["state"] == "RUNNING", "its jobs live on"
    study.snakemake("--unlock")
    subprocess.run(["profiles/cancel"], cwd=study.folder, env=study.environment(), check=True)
    study.snakemake(*TRAIN)
    assert trained(study) == whole
    assert [job["state"] for job in study.jobs().values()] == ["CANCELLED", "COMPLETED"]
    assert one_at_a_time(study)


def test_a_job_waits_for_the_one_that_nobody_cancelled(running, whole):
    """Both hold the file beside their log in turn, on whatever nodes they are."""
    study, driver, job = running()
    driver.kill()
    driver.wait()
    study.snakemake("--unlock")
    again = start(study, *TRAIN)
    (log,) = study.results.glob("logs/finetune/base-*.log")
    try:
        wait_for(lambda: "waiting" in log.read_text())
        assert study.jobs()[job]["state"] == "RUNNING"
        assert again.wait(study.limit) == 0
    finally:
        again.kill()
    assert trained(study) == whole


def test_a_job_goes_on_when_its_node_is_back(running, slurm, whole):
    study, driver, job = running()
    slurm.kill_node(GPU_NODE)
    slurm.start_node(GPU_NODE)
    assert driver.wait(study.limit) == 0
    assert trained(study) == whole
    assert one_at_a_time(study)


def test_jobs_outlive_the_controller(running, slurm, whole):
    study, driver, job = running()
    slurm.kill("slurmctld")
    time.sleep(2)
    slurm.start_controller()
    assert driver.wait(study.limit) == 0
    assert trained(study) == whole
