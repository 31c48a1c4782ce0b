"""Weights of a whole CLIP model or of a tower in one safetensors file, with our digests."""

import shlex
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from ..runtime.array_digest import tree_digest
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, place_of, sealed, unsealed

METADATA_KEY = "stockpot"  # only one: the library writes several in random order


def save_weights(path: str | Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write tensors with the digest of each.

    Args:
        path: The file.
        tensors: Contiguous, and none shares memory with another.

    Raises:
        StockpotError: The file cannot be written.
    """
    digests = {name: tree_digest(tensor) for name, tensor in sorted(tensors.items())}
    note = sealed({"digests": digests}, place_of(path), indent=None)
    with atomic(path) as temporary:
        save_file(tensors, temporary, {METADATA_KEY: note})


def load_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Read tensors, and compare them with their digests where the file is one of ours.

    Args:
        path: The file.

    Returns:
        The tensors by name.

    Raises:
        StockpotError: The file is damaged or cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        command = f"rm -f {shlex.quote(str(path))} and the same command make it anew"
        raise StockpotError(
            f"{path}: not weights that can be read ({error})",
            advice=f"if they lie in results/, {command}",
        ) from error
    note = metadata.get(METADATA_KEY)
    # A file of another program has no digests.
    if note is None:
        return tensors
    try:
        digests = unsealed(note, path)["digests"]
    except (ValueError, KeyError) as error:
        raise damaged(path, str(error)) from error
    for name, tensor in tensors.items():
        if tree_digest(tensor) != digests.get(name):
            raise damaged(path, f"its {name} is not what was written")
    return tensors
