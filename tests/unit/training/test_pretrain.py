"""Pretraining: stopped and resumed, it ends with the same bits."""

import pytest
import torch

from stockpot.training import pretrain as module
from stockpot.training.pretrain import pretrain
from tests.support.paths import ARCHITECTURE
from tests.support.small_training import MachineDown
from tests.support.tensors import tensor_digest

pytestmark = pytest.mark.slow


SPEC = {
    "steps": 4,
    "batch_size": 8,
    "lr": 1.0e-3,
    "weight_decay": 0.1,
    "warmup": 2,
    "seed": 0,
}


@pytest.fixture(scope="module")
def whole_pretraining(tmp_path_factory) -> str:
    """Digest of the weights of a pretraining that was never stopped."""
    return tensor_digest(pretrain(ARCHITECTURE, SPEC, tmp_path_factory.mktemp("whole")))


@pytest.fixture
def web_batches_until(monkeypatch):
    """A function that lets pretraining begin steps before ``end`` alone, and lists them."""
    web_batch = module.web_batch

    def until(end: int) -> list[int]:
        begun = []

        def batch(n, seed, step):
            if step == end:
                raise MachineDown
            begun.append(step)
            return web_batch(n, seed, step)

        monkeypatch.setattr(module, "web_batch", batch)
        return begun

    return until


@pytest.mark.parametrize(
    ("save_every", "stop", "resumed"), [(1, 1, 1), (1, 3, 3), (2, 3, 2), (9, 3, 0)]
)
def test_pretraining_that_was_stopped_ends_with_the_same_bits(
    whole_pretraining,
    web_batches_until,
    tmp_path,
    monkeypatch,
    save_every,
    stop,
    resumed,
):
    monkeypatch.setattr(module, "SAVE_EVERY", save_every)
    web_batches_until(stop)
    with pytest.raises(MachineDown):
        pretrain(ARCHITECTURE, SPEC, tmp_path)
    torch.manual_seed(99)
    begun = web_batches_until(SPEC["steps"])
    assert tensor_digest(pretrain(ARCHITECTURE, SPEC, tmp_path)) == whole_pretraining
    assert begun == list(range(resumed, SPEC["steps"]))


def test_pretraining_changes_the_weights_at_every_step(whole_pretraining, tmp_path):
    fewer = pretrain(ARCHITECTURE, {**SPEC, "steps": 3}, tmp_path / "fewer")
    other = pretrain(ARCHITECTURE, {**SPEC, "seed": 1}, tmp_path / "other")
    assert len({whole_pretraining, tensor_digest(fewer), tensor_digest(other)}) == 3
