"""A SLURM of our own, and the study that runs on it."""

import shutil
import tempfile
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.slurm import GPU_NODE, Slurm, missing
from tests.support.workflow import Workflow
from tests.workflow.conftest import finished, once, warm  # noqa: F401

ANALYSES = yaml.safe_load((ROOT / "config.yaml").read_text())["analyses"]
PLUGINS = ("slurm", "cluster_generic")
# Seconds: an executor that waits in vain says nothing. A busy machine takes minutes for what takes
# seconds, as every job starts two interpreters.
LIMIT = 1200
OFTEN = {
    "slurm": ("--slurm-init-seconds-before-status-checks", "1"),
    "cluster-generic": ("--seconds-between-status-checks", "1"),
}


class OnCluster(Workflow):
    """A study whose jobs run on a cluster."""

    limit = LIMIT

    def __init__(self, folder: Path, slurm: Slurm, profile: str):
        super().__init__(folder)
        self.slurm, self.profile = slurm, profile

    def environment(self) -> dict:
        return self.slurm.environment()

    def command(self, *arguments: str) -> list[str]:
        """The documented command, asking more often, and with no more threads than nodes have."""
        nodes = ("--max-threads", "2", "--latency-wait", "5", *OFTEN[self.profile])
        return super().command("--workflow-profile", self.profile, *nodes, *arguments)

    def jobs(self) -> dict[str, dict]:
        jobs = self.slurm.jobs()
        return {
            number: job
            for number, job in jobs.items()
            if job["folder"] == str(self.folder)
        }


def reduced(config: dict) -> None:
    """Of the micro study one way through all stages."""
    config["data"].update(shifts=["v2"])
    config.update(
        sweep={"targets": ["base"], "alphas": [0.0, 0.5, 1.0]},
        soups=dict.fromkeys(("ensemble", "chosen", "greedy")),
        baselines={"models": None},
        evaluation={"models_per_job": 8},
        figures=dict.fromkeys(("effective-robustness", "methods", "shifts", "soups")),
        analyses=dict.fromkeys(ANALYSES) | {"calibration": {}, "overrides": {}},
    )
    config["finetune"]["runs"]["linear"] = None


@pytest.fixture(scope="session")
def slurm():
    plugins = [f"snakemake_executor_plugin_{name}" for name in PLUGINS]
    absent = missing() + [name for name in plugins if not find_spec(name)]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    folder = Path(
        tempfile.mkdtemp(prefix="slurm-")
    )  # the path of a socket may not be long
    slurm = Slurm(folder)
    try:
        slurm.up()
        yield slurm
    finally:
        slurm.down()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def local(finished, once, warm) -> Workflow:  # noqa: F811
    """The reduced study as it ends without a cluster."""

    def make(folder: Path) -> None:
        study = warm(finished.copy(folder))
        study.edit(reduced)
        shutil.rmtree(study.results / "studies")
        study.run()

    return once("reduced", make)


@pytest.fixture
def on_cluster(slurm, tmp_path):
    """A function that puts a copy of a study on the cluster."""

    def copy(study: Workflow, profile: str) -> OnCluster:
        return OnCluster(study.copy(tmp_path / profile).folder, slurm, profile)

    yield copy
    slurm.ask("scancel", "--me")


def at_once(one: dict, other: dict) -> bool:
    return one["start"] < other["end"] and other["start"] < one["end"]


def assert_no_gpu_is_shared(study: OnCluster, slurm: Slurm) -> dict[str, str]:
    """Every job on the node with GPUs saw one, others none, and each served one job at a time.

    The jobs ran once, on one node. A job that was cancelled may have ended before it began, and
    then saw nothing.

    Returns:
        The GPU of each job that had one.
    """
    jobs, devices = study.jobs(), {}
    for number, job in jobs.items():
        seen = slurm.devices(number)
        if not seen and job["state"] == "CANCELLED":
            continue
        ((_, device),) = seen
        assert (device != "-") == (job["node"] == GPU_NODE)
        if device != "-":
            devices[number] = device
    for one, other in side_by_side(study, devices):
        assert devices[one] != devices[other]
    return devices


def side_by_side(study: OnCluster, numbers) -> list[tuple[str, str]]:
    """The pairs of these jobs that ran at the same time."""
    jobs = study.jobs()
    return [(a, b) for a, b in combinations(numbers, 2) if at_once(jobs[a], jobs[b])]
