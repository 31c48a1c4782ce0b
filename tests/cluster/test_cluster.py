"""A study gives on a cluster what it gives without one, and jobs do not share a GPU."""

import shutil
from itertools import combinations

from .conftest import OnCluster
from .slurm import FAKE_GPUS, GPU_NODE, NODES, Slurm


def at_once(one: dict, other: dict) -> bool:
    return one["start"] < other["end"] and other["start"] < one["end"]


def assert_no_gpu_is_shared(study: OnCluster, slurm: Slurm) -> None:
    """Every job on the node with GPUs saw one, others none; all were used, each by one job at a
    time, and jobs ran side by side. Of jobs that ran once, on one node.

    A job that was cancelled may have ended before it began, and then saw nothing.
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
    assert sorted(set(devices.values())) == [str(number) for number in range(len(FAKE_GPUS))]
    pairs = [pair for pair in combinations(devices, 2) if at_once(*(jobs[job] for job in pair))]
    assert pairs, "no two jobs ran at once"
    assert [(a, b) for a, b in pairs if devices[a] == devices[b]] == []


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
    assert_no_gpu_is_shared(study, slurm)
