"""A study gives on a cluster what it gives without one, and jobs do not share a GPU."""

import shutil

from tests.support.slurm import FAKE_GPUS, NODES

from .conftest import assert_no_gpu_is_shared, side_by_side


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
