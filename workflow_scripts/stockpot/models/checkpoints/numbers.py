"""Are a file's numbers weights that a model can compute with?"""

from collections.abc import Mapping
from pathlib import Path

import torch

from ...runtime.errors import StockpotError

# Numbers of these types stand for themselves; those of 8 bits are useless without their scales.
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
# Slightly less than that of float32; a model may be evaluated in either.
LARGEST = torch.finfo(torch.bfloat16).max


def as_float32(name: str, tensor: torch.Tensor, path: str | Path) -> torch.Tensor:
    """The tensor in float32, if it has floating-point numbers; else as it is.

    Args:
        name: Of the tensor, for the message.
        tensor: Of any type and shape.
        path: Of the file, for the message.

    Raises:
        StockpotError: A number is NaN or infinite, or becomes so in float32 or bfloat16.
    """
    if tensor.dtype not in FLOATS:
        return tensor
    if tensor.numel() == 0:
        return tensor.float()
    low, high = tensor.aminmax()
    largest = torch.maximum(low.abs(), high.abs()).double().item()
    # aminmax gives NaN where there is one, and NaN is not smaller than anything.
    if not largest < float("inf"):
        count = int((~torch.isfinite(tensor)).sum())
        raise StockpotError(
            f"{path}: {name[:100]!a} has numbers that are not finite (NaN or infinity), "
            f"{count:,} of them; "
            "the run diverged, or the file is damaged"
        )
    if largest > LARGEST:
        raise StockpotError(
            f"{path}: {name[:100]!a} has numbers up to {largest:.3g}, which float32 and bfloat16 "
            "cannot hold"
        )
    return tensor.float()


def check_types(
    tensors: Mapping[str, torch.Tensor],
    wanted: Mapping[str, torch.dtype],
    path: str | Path,
) -> None:
    """Refuse whole numbers, complex ones and those of 8 bits in the place of weights.

    Args:
        tensors: By name; those that ``wanted`` has not are not looked at.
        wanted: Type of each tensor of the model.
        path: Of the file, for the message.

    Raises:
        StockpotError: Naming the first tensor that is of another kind than the model's.
    """
    for name, dtype in wanted.items():
        if name not in tensors:
            continue
        found = tensors[name].dtype
        fits = found in FLOATS if dtype.is_floating_point else not found.is_complex
        if not fits:
            kind = str(found).removeprefix("torch.")
            raise StockpotError(
                f"{path}: {name[:100]!a} holds {kind}, where the model has floating-point numbers "
                "(a quantised file lacks its scales here); save it in float32, float16 or bfloat16"
            )


def check_state(
    tensors: Mapping[str, torch.Tensor], model: torch.nn.Module, path: str | Path
) -> dict[str, torch.Tensor]:
    """A state for ``model``, float32: its tensors are of the model's kinds, their numbers finite.

    Args:
        tensors: By the names of the model's ``state_dict``.
        model: For which they are.
        path: Of the file, for messages.

    Raises:
        StockpotError: As ``check_types`` and ``as_float32``.
    """
    check_types(
        tensors, {name: t.dtype for name, t in model.state_dict().items()}, path
    )
    return {
        # A mask of a text side has infinities by right.
        name: tensor if name.endswith("attn_mask") else as_float32(name, tensor, path)
        for name, tensor in tensors.items()
    }
