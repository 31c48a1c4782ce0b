"""Where to compute."""

import torch


def pick_device() -> str:
    """The first GPU where there is one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def pick_precision(wanted: str, device: str) -> str:
    """``auto``: bf16 where the device is fast at it, else fp32. Else what is wanted."""
    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "fp32"
