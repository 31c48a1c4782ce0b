"""Where to compute."""

import logging
from functools import cache

import torch

from ..runtime.gpus import claim

log = logging.getLogger(__name__)


@cache
def pick_device() -> str:
    """A GPU of this process's own where there is one, else the CPU."""
    claimed = claim(1)
    if torch.cuda.is_available():
        log.info("on GPU %s, %s", ",".join(claimed), torch.cuda.get_device_name())
        return "cuda"
    if claimed:
        log.info("on the CPU: torch cannot use GPU %s", ",".join(claimed))
    else:
        log.info("on the CPU, as no GPU is visible here")
    return "cpu"


def fast_at_bf16(device: str) -> bool:
    """Has the device instructions for bf16? One that has not computes the same, slowly."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported()


def pick_precision(wanted: str, device: str) -> str:
    """``auto``: bf16 where the device is fast at it, else fp32. Else what is wanted."""
    if wanted != "auto":
        return wanted
    return "bf16" if fast_at_bf16(device) else "fp32"
