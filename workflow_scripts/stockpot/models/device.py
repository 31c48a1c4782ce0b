"""Where and in which precision to compute."""

import logging
from functools import cache

import torch

from ..runtime.gpus import acquire_gpus

log = logging.getLogger(__name__)


@cache
def pick_device() -> str:
    """Take a GPU for this process only, if there is one.

    Returns:
        "cuda", or "cpu" where no GPU can be used.
    """
    # Before torch counts the GPUs, as the others become invisible.
    claimed = acquire_gpus(1)
    if torch.cuda.is_available():
        log.info("on GPU %s, %s", ",".join(claimed), torch.cuda.get_device_name())
        return "cuda"
    if claimed:
        log.info("on the CPU: torch cannot use GPU %s", ",".join(claimed))
    else:
        log.info("on the CPU, as no GPU is visible here")
    return "cpu"


def fast_at_bf16(device: str) -> bool:
    """Tell whether a device has instructions for bf16.

    Args:
        device: "cuda" or "cpu".

    Returns:
        True where it has; other devices compute the same, slowly.
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported()


def pick_precision(precision: str, device: str) -> str:
    """Choose the precision of the forward pass.

    Args:
        precision: "fp32", "bf16", or "auto".
        device: "cuda" or "cpu".

    Returns:
        "fp32" or "bf16". For "auto" it is bf16 where the device is fast at it.
    """
    if precision != "auto":
        return precision
    if fast_at_bf16(device):
        return "bf16"
    return "fp32"
