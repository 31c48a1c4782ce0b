"""The precision that was wanted, or that of the device."""

import pytest
import torch

from stockpot.models.device import pick_device, pick_precision


def test_precision_is_that_wanted_or_that_of_the_device():
    device = pick_device()
    for wanted in ("bf16", "fp32"):
        assert pick_precision(wanted, device) == wanted
    assert pick_precision("auto", device) in ("bf16", "fp32")


@pytest.mark.parametrize(("fast", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_follows_the_device(monkeypatch, fast, expected):
    """A GPU that only emulates bf16 says that it is supported unless it is asked exactly."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation | fast,
    )
    assert [pick_precision("auto", device) for device in ("cpu", "cuda")] == [
        expected
    ] * 2
