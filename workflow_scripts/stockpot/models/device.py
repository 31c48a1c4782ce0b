"""Where to compute."""

import torch


def pick_device() -> str:
    """The first GPU where there is one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


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
