"""One run on two nodes: srun starts torchrun on each, and they train one model."""

import json
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

from .conftest import LIMIT

SCRIPT = """
import json, sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
from stockpot.training.launch import launch_distributed
arguments = json.loads(Path({job!r}).read_text())
launch_distributed(arguments | {{"folder": Path(arguments["folder"])}}, processes=1, nodes=2)
"""


def test_two_nodes_train_what_one_process_does(finished, slurm, tmp_path):
    (base,) = finished.results.glob("classifiers/base-*/classifier.json")
    (start,) = finished.results.glob("classifiers/zero-shot-*")
    train, held_out = (
        next(finished.results.glob(f"datasets/{name}-*"))
        for name in ("train", "held-out")
    )
    one = json.loads(base.read_text())
    arguments = {
        "spec": one["spec"],
        "train": train,
        "held_out": held_out,
        "start": start,
        "folder": tmp_path / "two",
        "code": "code",
    }
    (tmp_path / "job.json").write_text(json.dumps(arguments, default=str))
    scripts = str(ROOT / "workflow_scripts")
    (tmp_path / "job.py").write_text(
        SCRIPT.format(scripts=scripts, job=str(tmp_path / "job.json"))
    )
    done = subprocess.run(
        [
            "sbatch",
            "--wait",
            "--nodes=2",
            "--ntasks-per-node=1",
            f"--output={tmp_path}/log",
            "--wrap",
            f"{sys.executable} {tmp_path}/job.py",
        ],
        env=slurm.environment(),
        cwd=tmp_path,
        timeout=LIMIT,
    )
    log = (tmp_path / "log").read_text()
    assert done.returncode == 0, log
    two = json.loads((tmp_path / "two" / "classifier.json").read_text())
    (a,), (b,) = one["history"], two["history"]
    assert a["held_out_k"] == b["held_out_k"]
    assert a["loss"] == pytest.approx(b["loss"])
    assert log.count("epoch 1/1") == 1
    nodes = {
        job["node"] for job in slurm.jobs().values() if job["folder"] == str(tmp_path)
    }
    assert nodes == {"n[1-2]"}
