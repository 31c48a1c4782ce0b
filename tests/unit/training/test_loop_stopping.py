"""A run that is stopped within an epoch, and lines that say how it is doing."""

import os
import re
import signal

import pytest
import torch

from stockpot.runtime import progress_log
from stockpot.runtime.errors import StoppedError
from stockpot.training import checkpointer
from stockpot.training.loop import fit
from tests.support.small_training import (
    FIT_SPEC,
    fit_small_model,
    learnable_batches,
    small_model,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("interrupt_is_heard")]


def batches_with_signal_at(step, number=signal.SIGTERM):
    """Training data on which a signal arrives while this batch is prepared."""
    data, plain, calls = learnable_batches(), learnable_batches().prepare, []

    def prepare(x, generator):
        calls.append(1)
        if len(calls) == step:
            os.kill(os.getpid(), number)
        return plain(x, generator)

    data.prepare = prepare
    return data


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [1, 2, 5, 6])
def test_stopped_after_any_step_it_ends_with_the_same_bytes(tmp_path, step, number):
    """80 examples in batches of 32: steps 3 and 6 are the last of their epochs."""
    changes = {"batch_size": 32, "ema_decays": [0.9]}
    expected, history, _ = fit_small_model(tmp_path / "whole", **changes)
    with pytest.raises(
        StoppedError,
        match=rf"^after epoch {(step - 1) // 3}, step {(step - 1) % 3 + 1}$",
    ):
        fit(
            small_model(),
            batches_with_signal_at(step, number),
            learnable_batches(40, 1),
            {**FIT_SPEC, **changes},
            tmp_path / "parts",
        )
    torch.manual_seed(99)
    assert fit_small_model(tmp_path / "parts", **changes)[:2] == (expected, history)


def test_the_state_is_saved_by_time_too(tmp_path, monkeypatch):
    """Then a crash, without a signal that could be heard, costs no more than that time."""
    _, history, _ = fit_small_model(tmp_path / "whole", batch_size=32)
    monkeypatch.setattr(checkpointer, "SAVE_EVERY", 0)
    data, plain, calls = learnable_batches(), learnable_batches().prepare, []

    def prepare(x, generator):
        calls.append(1)
        if len(calls) == 6:
            raise MemoryError
        return plain(x, generator)

    data.prepare = prepare
    with pytest.raises(MemoryError):
        fit(
            small_model(),
            data,
            learnable_batches(40, 1),
            {**FIT_SPEC, "batch_size": 32},
            tmp_path / "parts",
        )
    data.prepare, calls[:] = prepare, [0] * 6
    spec = {**FIT_SPEC, "batch_size": 32}
    model = small_model()
    assert (
        fit(model, data, learnable_batches(40, 1), spec, tmp_path / "parts") == history
    )
    assert len(calls) - 6 == 3 * FIT_SPEC["epochs"] - 5, "five steps were kept"


def test_a_long_epoch_says_how_it_is_doing(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(progress_log, "LINE_INTERVAL_S", 0)
    caplog.set_level("INFO")
    fit_small_model(tmp_path, batch_size=32, epochs=2)
    beat = r"epoch \d/2  step \d/6  loss \d\.\d{4}  \d+ images/s  \d+ s left"
    end = r"epoch \d/2  loss \d\.\d{4}  held-out \d+\.\d\d %  \d+ images/s  \d+ s left"
    lines = [line for line in caplog.messages if line.startswith("epoch")]
    kinds = [
        "beat" if re.fullmatch(beat, line) else bool(re.fullmatch(end, line))
        for line in lines
    ]
    assert kinds == 2 * ["beat", "beat", "beat", True]


def test_stopped_within_the_evaluation_of_an_epoch(tmp_path):
    """Its steps are not taken again, and no more than a batch is evaluated."""
    expected, history, _ = fit_small_model(
        tmp_path / "whole", held_out=learnable_batches(400, 1)
    )
    held_out, calls = learnable_batches(400, 1), []

    def prepare(x, generator):
        calls.append(1)
        os.kill(os.getpid(), signal.SIGTERM)
        return x

    held_out.prepare = prepare
    with pytest.raises(StoppedError, match=r"^after epoch 0, step \d$"):
        fit_small_model(tmp_path / "parts", held_out=held_out)
    assert len(calls) == 1
    assert fit_small_model(tmp_path / "parts", held_out=learnable_batches(400, 1))[
        :2
    ] == (
        expected,
        history,
    )


@pytest.mark.parametrize("step", [2, 3, 4])
def test_a_model_with_noise_of_its_own_goes_on_with_it(tmp_path, step):
    def noisy():
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(6, 16), torch.nn.Dropout(0.5), torch.nn.Linear(16, 3)
        )

    spec = {**FIT_SPEC, "batch_size": 32}
    whole, parts = noisy(), noisy()
    fit(whole, learnable_batches(), learnable_batches(40, 1), spec, tmp_path / "whole")
    with pytest.raises(StoppedError):
        fit(
            parts,
            batches_with_signal_at(step),
            learnable_batches(40, 1),
            spec,
            tmp_path / "parts",
        )
    parts = noisy()
    torch.manual_seed(99)
    fit(parts, learnable_batches(), learnable_batches(40, 1), spec, tmp_path / "parts")
    for one, other in zip(whole.parameters(), parts.parameters()):
        assert torch.equal(one, other)
