"""One run in several processes: that of one process, up to the order of sums."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.errors import StockpotError
from stockpot.training import variants
from stockpot.training.launch import launch_distributed
from stockpot.training.run import run
from tests.support.short_runs import run_spec

pytestmark = [pytest.mark.process, pytest.mark.slow]


MANY = {
    "epochs": 2,
    "batch_size": 32,
    "mixup": 0.4,
    "flip_probability": 0.5,
    "sam_rho": 0.05,
    "l2_sp": 1e-3,
}


def run_arguments(world, zero_shot, folder, **changes):
    spec = {**run_spec("a"), **changes}
    return {
        "spec": spec,
        "train": world["train"],
        "held_out": world["held-out"],
        "start": zero_shot,
        "folder": folder,
        "code": "code",
        "second_dataset": None,
        "averages": "ema_decays" in changes,
    }


def test_processes_train_the_model_of_one(world, zero_shot, tmp_path):
    """With three, the batches of 32 and the last one are not cut evenly."""
    changes = {**MANY, "ema_decays": [0.9]}
    run(**run_arguments(world, zero_shot, tmp_path / "one", **changes))
    launch_distributed(run_arguments(world, zero_shot, tmp_path / "more", **changes), 3)
    one, more = read_card(tmp_path / "one"), read_card(tmp_path / "more")
    assert [r["held_out_k"] for r in one.history] == [
        r["held_out_k"] for r in more.history
    ]
    assert [r["loss"] for r in one.history] == pytest.approx(
        [r["loss"] for r in more.history]
    )
    a, b = Weights(tmp_path / "one"), Weights(tmp_path / "more")
    start = Weights(zero_shot)
    moved, apart = (
        sum(float((a[n] - other[n]).double().square().sum()) for n in a.names) ** 0.5
        for other in (start, b)
    )
    # Adam makes whole steps of gradients that are 0 but for rounding, so this is no 1e-7.
    assert apart < 5e-3 * moved, (apart, moved)
    assert (tmp_path / "more" / "averages.safetensors").exists()
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == sorted(
        p.name for p in (tmp_path / "more").iterdir()
    )


def test_an_error_in_the_processes_is_one_of_the_run(world, zero_shot, tmp_path, capfd):
    asked = run_arguments(world, zero_shot, tmp_path / "x", shots=1000, shots_seed=0)
    with pytest.raises(StockpotError, match="the 2 processes of this run ended with 1"):
        launch_distributed(asked, 2)
    assert (
        "error: finetune.runs.a.shots: 1000 wanted of every class"
        in capfd.readouterr().err
    )
    assert not (tmp_path / "x" / "classifier.json").exists()


STOPPED = """
import json, sys
from pathlib import Path
from stockpot.runtime.job import configure_logging, exit_on_error
from stockpot.training.launch import launch_distributed
arguments = json.loads(Path(sys.argv[1]).read_text())
configure_logging()
with exit_on_error():
    launch_distributed(arguments | {"folder": Path(arguments["folder"])}, 2)
"""


def test_stopped_together_they_go_on_together(world, zero_shot, tmp_path):
    more = {"precision": "bf16", "distillation_weight": 0.1}
    whole = run_arguments(world, zero_shot, tmp_path / "whole", epochs=3, **more)
    launch_distributed(whole, 2)
    asked = {**whole, "folder": tmp_path / "parts"}
    (tmp_path / "job.json").write_text(json.dumps(asked, default=str))
    command = [sys.executable, "-c", STOPPED, str(tmp_path / "job.json")]
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, env=own, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if "epoch 1/3" in line:
                break
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        assert process.wait() == 143, said
    assert "stopped after epoch" in said
    assert list((tmp_path / "parts").rglob("state.pt"))
    launch_distributed(asked, 2)
    a, b = Weights(tmp_path / "whole"), Weights(tmp_path / "parts")
    assert all(torch.equal(a[name], b[name]) for name in a.names)


def test_which_variants_can():
    assert [n for n in variants.names() if variants.shared(n)] == ["end-to-end"]
