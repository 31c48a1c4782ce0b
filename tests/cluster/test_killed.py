"""Whatever is killed: the documented command ends the study as if nothing had been.

No job runs twice at once.
"""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.support.processes import start, wait_for
from tests.support.slurm import GPU_NODE
from tests.support.workflow import Workflow

from .conftest import LIMIT, OnCluster, assert_no_gpu_is_shared, at_once, reduced


def longer_run(config: dict) -> None:
    reduced(config)
    config["finetune"]["runs"]["base"].update(epochs=12)
    config["soups"] |= {"uniform": None}
    config["analyses"] |= {"calibration": None, "overrides": None}


@pytest.fixture(scope="session")
def longer(finished, once) -> Workflow:
    """A study with a longer base run, which is not trained yet."""

    def make(folder: Path) -> None:
        study = finished.copy(folder)
        study.edit(longer_run)
        shutil.rmtree(study.results / "studies")

    return once("longer", make)


@pytest.fixture(scope="session")
def whole(longer, once, warm) -> Workflow:
    """The study as it ends when nothing is killed."""
    return once("whole", lambda folder: warm(longer.copy(folder)).run())


def assert_same(study: Workflow, whole: Workflow) -> None:
    """What was trained, and the tables and figures of the whole study."""
    assert trained(study) == trained(whole)
    assert study.tables() == whole.tables() != {}


def trained(study: Workflow) -> dict[str, bytes]:
    """The files of both base runs, the shorter and the longer one."""
    paths = [
        path for path in study.results.glob("classifiers/base-*/*") if path.is_file()
    ]
    return {str(path.relative_to(study.results)): path.read_bytes() for path in paths}


class Training:
    """Snakemake at work on a study's training, which is held after an epoch."""

    def __init__(self, study: OnCluster):
        self.study, self.driver = study, start(study)
        self.process: psutil.Process | None = None

    def hold(self) -> None:
        """Stop the next process after it has saved a state of its own."""
        self.job, self.process = wait_for(self.at_work)
        self.process.suspend()
        (state,) = self.states_since(0)
        self.log = (
            self.study.results / "logs" / "finetune" / f"{state.parents[2].name}.log"
        )

    def at_work(self) -> tuple[str, psutil.Process] | None:
        for number, job in self.study.jobs().items():
            if job["state"] == "RUNNING":
                for process in filter(
                    is_script, self.study.slurm.processes(SLURM_JOB_ID=number)
                ):
                    if process != self.process and self.states_since(
                        process.create_time()
                    ):
                        return number, process
        return None

    def states_since(self, seconds: float) -> list[Path]:
        found = self.study.results.glob("classifiers/base-*/.state/*/state.pt")
        return [path for path in found if path.stat().st_mtime > seconds]

    def goes_on(self) -> None:
        """Give the documented command again, and hold the training it goes on with."""
        self.driver = start(self.study)
        self.hold()

    def jobs(self) -> list[dict]:
        return [job for job in self.study.jobs().values() if job["trains"]]

    def states(self) -> list[str]:
        return [job["state"] for job in self.jobs()]


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


def test_one_command_sees_a_study_through_what_happens_to_its_jobs(
    running, slurm, whole
):
    """Cancelled, preempted, the node dies and comes back, the controller is away at the end."""
    training = running()
    slurm.ask("scancel", training.job)
    training.hold()
    slurm.ask("scontrol", "requeue", training.job)
    training.hold()
    slurm.kill_node(GPU_NODE)
    slurm.start_node(GPU_NODE)
    training.hold()
    slurm.kill("slurmctld")
    training.process.resume()
    slurm.start_controller()
    assert training.driver.wait(LIMIT) == 0
    assert_same(training.study, whole)
    first, second = training.jobs()
    assert [first["state"], second["state"]] == ["CANCELLED", "COMPLETED"]
    assert [first["restarts"], second["restarts"]] == [0, 2]
    assert not at_once(first, second)
    assert re.search(r"resumed after epoch [1-9]", training.log.read_text())


def test_the_same_command_goes_on_after_signals(running, whole):
    """Ctrl-C takes the job along; after SIGKILL it lives on, and the next one waits for it.

    After SIGTERM Snakemake waits for both. Each job holds the file beside the log while it works,
    on any node.
    """
    training = running()
    training.driver.send_signal(signal.SIGINT)
    assert training.driver.wait(LIMIT) != 0
    wait_for(lambda: training.states() == ["CANCELLED"])
    training.goes_on()
    kill(training.driver)
    training.study.snakemake("--unlock")
    training.driver = start(training.study)
    wait_for(lambda: training.log.exists() and "waiting" in training.log.read_text())
    assert training.states() == ["CANCELLED", "RUNNING", "RUNNING"]
    training.driver.send_signal(signal.SIGTERM)
    training.process.resume()
    assert training.driver.wait(LIMIT) != 0
    wait_for(lambda: training.states() == ["CANCELLED", "COMPLETED", "COMPLETED"])
    said = training.log.read_text()
    assert "that process has done this job" in said, "trained once"
    assert "epoch" not in said, "trained once"
    training.study.snakemake()
    assert_same(training.study, whole)
    assert len(training.states()) == 3, "and not again"


def test_after_sigkill_the_old_jobs_are_cancelled_first(running, slurm, whole):
    training = running("slurm")
    kill(training.driver)
    assert training.states() == ["RUNNING"], "it lives on"
    study = training.study
    study.snakemake("--unlock")
    subprocess.run(
        ["profiles/cancel"], cwd=study.folder, env=study.environment(), check=True
    )
    assert training.states() == ["CANCELLED"]
    study.snakemake()
    assert_same(study, whole)
    assert study.stored() >= study.cells()
    assert training.states() == ["CANCELLED", "COMPLETED"]
    assert not at_once(*training.jobs())
    assert_no_gpu_is_shared(study, slurm)
