"""Are a file's numbers weights that a model can compute with?"""

from collections.abc import Mapping
from pathlib import Path

import torch

from ...runtime.errors import StockpotError

# Numbers of these types stand for themselves; those of 8 bits are useless without their scales.
FLOATS = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
)
# Slightly less than that of float32; a model may be evaluated in either.
LARGEST_NUMBER = torch.finfo(torch.bfloat16).max


def as_float32(
    name: str,
    tensor: torch.Tensor,
    path: str | Path,
) -> torch.Tensor:
    """Convert a tensor of floating-point numbers to float32.

    Args:
        name: The tensor's name, for errors.
        tensor: Of any type and shape.
        path: The file, for errors.

    Returns:
        The tensor in float32; as it is where it has other numbers.

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
    is_finite = largest < float("inf")
    if not is_finite:
        count = int((~torch.isfinite(tensor)).sum())
        raise StockpotError(
            f"{path}: {name[:100]!a} has numbers that are not finite (NaN or infinity), "
            f"{count:,} of them; "
            "the run diverged, or the file is damaged"
        )
    if largest > LARGEST_NUMBER:
        raise StockpotError(
            f"{path}: {name[:100]!a} has numbers up to {largest:.3g}, which float32 and bfloat16 "
            "cannot hold"
        )
    return tensor.float()


def check_types(
    tensors: Mapping[str, torch.Tensor],
    model_dtypes: Mapping[str, torch.dtype],
    path: str | Path,
) -> None:
    """Refuse integers, complex numbers and those of 8 bits in the place of weights.

    Args:
        tensors: The file's tensors by name; those that the model has not are not looked at.
        model_dtypes: The type of each tensor of the model.
        path: The file, for errors.

    Raises:
        StockpotError: Names the first tensor that is of another kind than the model's.
    """
    for name, model_dtype in model_dtypes.items():
        if name not in tensors:
            continue
        dtype = tensors[name].dtype
        fits = dtype in FLOATS
        if not model_dtype.is_floating_point:
            # Counters and indices: any real number can be converted to one.
            fits = not dtype.is_complex
        if not fits:
            shown_dtype = str(dtype).removeprefix("torch.")
            raise StockpotError(
                f"{path}: {name[:100]!a} holds {shown_dtype}, where the model has floating-point "
                "numbers (a quantised file lacks its scales here); save it in float32, float16 or "
                "bfloat16"
            )


def check_state(
    tensors: Mapping[str, torch.Tensor],
    model: torch.nn.Module,
    path: str | Path,
) -> dict[str, torch.Tensor]:
    """Make a float32 state for a model of a file's tensors.

    Args:
        tensors: By the names of the model's ``state_dict``.
        model: The model that they are for.
        path: The file, for errors.

    Returns:
        The tensors; those of floating-point numbers are in float32.

    Raises:
        StockpotError: As ``check_types`` and ``as_float32``.
    """
    model_dtypes = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    check_types(tensors, model_dtypes, path)
    state = {}
    for name, tensor in tensors.items():
        # The mask of a text side has infinities by design.
        if not name.endswith("attn_mask"):
            tensor = as_float32(name, tensor, path)
        state[name] = tensor
    return state
