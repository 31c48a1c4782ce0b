"""A study gives on a cluster what it gives without one, and jobs do not share a GPU."""

import shutil
from itertools import combinations

import pytest

from .slurm import FAKE_GPUS, GPU_NODE, NODES

# What of the finished study is made again: all, or with the slower executor from evaluation on.
AGAIN = {
    "cluster-generic": [".snakemake", "results"],
    "slurm": ["results/evaluations", "results/logs", "results/store", "results/studies"],
}


def at_once(one: dict, other: dict) -> bool:
    return one["start"] < other["end"] and other["start"] < one["end"]


@pytest.mark.parametrize("profile", AGAIN)
def test_the_tables_are_the_same_and_no_gpu_is_shared(profile, local, on_cluster, slurm):
    study = on_cluster(local, profile)
    for name in AGAIN[profile]:
        shutil.rmtree(study.folder / name)
    told = study.snakemake().stderr
    assert study.tables() == local.tables()
    assert told.count("Group job analyses") == 1, "both in one submission"
    jobs = study.jobs()
    assert {job["state"] for job in jobs.values()} == {"COMPLETED"}
    used = {job["node"] for job in jobs.values()}
    assert used == set(NODES) if profile == "cluster-generic" else used <= set(NODES)
    devices = {}
    for number, job in jobs.items():
        (seen,) = slurm.devices(number)
        assert (seen[1] != "-") == (job["node"] == GPU_NODE)
        if job["node"] == GPU_NODE:
            devices[number] = seen[1]
    assert sorted(set(devices.values())) == [str(number) for number in range(len(FAKE_GPUS))]
    pairs = [pair for pair in combinations(devices, 2) if at_once(*(jobs[job] for job in pair))]
    assert pairs, "no two jobs ran at once"
    assert [(a, b) for a, b in pairs if devices[a] == devices[b]] == []
