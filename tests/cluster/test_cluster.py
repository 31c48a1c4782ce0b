"""A study gives on a cluster what it gives without one, and jobs do not share a GPU."""

import shutil
from itertools import combinations

from tests.support.slurm import FAKE_GPUS, GPU_NODE, NODES, Slurm

from .conftest import OnCluster


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


def test_the_tables_are_the_same_and_no_gpu_is_shared(local, on_cluster, slurm):
    study = on_cluster(local, "cluster-generic")
    for name in (".snakemake", "results"):
        shutil.rmtree(study.folder / name)
    told = study.snakemake().stderr
    assert study.tables() == local.tables()
    assert study.stored() >= study.cells()
    assert told.count("Group job analyses") == 1, "both in one submission"
    jobs = study.jobs()
    assert {job["state"] for job in jobs.values()} == {"COMPLETED"}
    assert {job["node"] for job in jobs.values()} == set(NODES)
    devices = assert_no_gpu_is_shared(study, slurm)
    assert sorted(set(devices.values())) == [
        str(number) for number in range(len(FAKE_GPUS))
    ]
    assert side_by_side(study, devices), "no two jobs ran at once"
