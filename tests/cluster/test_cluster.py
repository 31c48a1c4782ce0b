"""A study gives on a cluster what it gives without one, and jobs do not share a GPU."""

import json
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from .slurm import FAKE_GPUS, GPU_NODE, NODES


def take_all_away(study) -> None:
    for name in (".snakemake", "results"):
        shutil.rmtree(study.folder / name)


def take_the_mixes_away(study) -> None:
    """The evaluations of the soup and of the sweep with their cells, and what follows."""
    files = set((study.results / "evaluations").glob("*.json"))
    mixes = {path for path in files if path.name.startswith(("uniform-", "base-sweep-"))}
    for key in cells(mixes) - cells(files - mixes):
        study.stored_at(key).unlink()
    for path in mixes:
        path.unlink()
    shutil.rmtree(study.results / "studies")


def cells(evaluations: set[Path]) -> set[str]:
    return {cell["key"] for path in evaluations for cell in json.loads(path.read_text())["cells"]}


# The executor for SLURM is slow, so it gets less to do.
TAKE_AWAY = {"cluster-generic": take_all_away, "slurm": take_the_mixes_away}


def at_once(one: dict, other: dict) -> bool:
    return one["start"] < other["end"] and other["start"] < one["end"]


@pytest.mark.parametrize("profile", TAKE_AWAY)
def test_the_tables_are_the_same_and_no_gpu_is_shared(profile, local, on_cluster, slurm):
    study = on_cluster(local, profile)
    TAKE_AWAY[profile](study)
    told = study.snakemake().stderr
    assert study.tables() == local.tables()
    assert study.stored() >= study.cells()
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
