"""A run that is stopped within an epoch, and lines that say how it is doing."""

import os
import re
import signal
import time

import pytest
import torch

from stockpot.runtime import progress_log, stop_requests
from stockpot.runtime.errors import StoppedError
from stockpot.runtime.stop_requests import catch_stop_signals
from stockpot.training import checkpointer
from stockpot.training.loop import fit
from tests.unit.test_training import SPEC, fitted, problem, small_model

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def heard():
    """Tests that run in the background may have been told to ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def asking_at(step, number=signal.SIGTERM):
    """Training data on which a signal arrives while this batch is prepared."""
    data, plain, calls = problem(), problem().prepare, []

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
    expected, history, _ = fitted(tmp_path / "whole", **changes)
    with pytest.raises(
        StoppedError,
        match=rf"^after epoch {(step - 1) // 3}, step {(step - 1) % 3 + 1}$",
    ):
        fit(
            small_model(),
            asking_at(step, number),
            problem(40, 1),
            {**SPEC, **changes},
            tmp_path / "parts",
        )
    torch.manual_seed(99)
    assert fitted(tmp_path / "parts", **changes)[:2] == (expected, history)


def test_the_state_is_saved_by_time_too(tmp_path, monkeypatch):
    """Then a crash, without a signal that could be heard, costs no more than that time."""
    _, history, _ = fitted(tmp_path / "whole", batch_size=32)
    monkeypatch.setattr(checkpointer, "SAVE_EVERY", 0)
    data, plain, calls = problem(), problem().prepare, []

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
            problem(40, 1),
            {**SPEC, "batch_size": 32},
            tmp_path / "parts",
        )
    data.prepare, calls[:] = prepare, [0] * 6
    spec = {**SPEC, "batch_size": 32}
    model = small_model()
    assert fit(model, data, problem(40, 1), spec, tmp_path / "parts") == history
    assert len(calls) - 6 == 3 * SPEC["epochs"] - 5, "five steps were kept"


def test_one_wish_may_arrive_twice_and_a_later_one_is_not_waited_for(monkeypatch):
    def wish_again_and_again():
        with catch_stop_signals() as wish:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
            assert wish.signal == signal.SIGINT
            monkeypatch.setattr(stop_requests, "REPEATED_SIGNAL_GRACE_S", 0)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        wish_again_and_again()


def test_what_is_ignored_stays_so():
    """As Ctrl-C is by what runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with catch_stop_signals() as wish:
        os.kill(os.getpid(), signal.SIGINT)
        assert not wish.signal
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_handlers_are_put_back():
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
    with catch_stop_signals():
        assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] != before
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_long_epoch_says_how_it_is_doing(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(progress_log, "LINE_INTERVAL_S", 0)
    caplog.set_level("INFO")
    fitted(tmp_path, batch_size=32, epochs=2)
    beat = r"epoch \d/2  step \d/6  loss \d\.\d{4}  \d+ images/s  \d+ s left"
    end = r"epoch \d/2  loss \d\.\d{4}  held-out \d+\.\d\d %  \d+ images/s  \d+ s left"
    lines = [line for line in caplog.messages if line.startswith("epoch")]
    kinds = [
        "beat" if re.fullmatch(beat, line) else bool(re.fullmatch(end, line))
        for line in lines
    ]
    assert kinds == 2 * ["beat", "beat", "beat", True]


@pytest.mark.parametrize(
    ("done", "steps", "seconds", "said"),
    [
        (10, 20, 10, "10 s left"),
        (10, 70, 60, "6 min left"),
        (1, 1001, 60, "16 h 40 min left"),
    ],
)
def test_the_time_left(monkeypatch, done, steps, seconds, said):
    beat = progress_log.ProgressLogger(steps, 0, 1)
    for _ in range(done):
        beat.step(32, 0, 0.5)
    monkeypatch.setattr(
        progress_log.time, "monotonic", lambda: beat.started_at + seconds
    )
    assert beat.pace() == f"{32 * done / seconds:.0f} images/s  {said}"


def test_stopped_within_the_evaluation_of_an_epoch(tmp_path):
    """Its steps are not taken again, and no more than a batch is evaluated."""
    expected, history, _ = fitted(tmp_path / "whole", held_out=problem(400, 1))
    held_out, calls = problem(400, 1), []

    def prepare(x, generator):
        calls.append(1)
        os.kill(os.getpid(), signal.SIGTERM)
        return x

    held_out.prepare = prepare
    with pytest.raises(StoppedError, match=r"^after epoch 0, step \d$"):
        fitted(tmp_path / "parts", held_out=held_out)
    assert len(calls) == 1
    assert fitted(tmp_path / "parts", held_out=problem(400, 1))[:2] == (
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

    spec = {**SPEC, "batch_size": 32}
    whole, parts = noisy(), noisy()
    fit(whole, problem(), problem(40, 1), spec, tmp_path / "whole")
    with pytest.raises(StoppedError):
        fit(parts, asking_at(step), problem(40, 1), spec, tmp_path / "parts")
    parts = noisy()
    torch.manual_seed(99)
    fit(parts, problem(), problem(40, 1), spec, tmp_path / "parts")
    for one, other in zip(whole.parameters(), parts.parameters()):
        assert torch.equal(one, other)
