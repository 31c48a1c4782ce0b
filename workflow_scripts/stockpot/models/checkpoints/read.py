"""The tensors of a checkpoint file, whatever wrote it."""

import struct
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...errors import StockpotError
from .containers import open_mapped, read_archive, read_pickles
from .tensors import named_tensors

# Names that share memory are legitimate; thousands of views of one large tensor are not.
MOST_SHARED = 4


def read_tensors(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by flat name, of any shape and type, on the CPU.

    The file's content decides what it is: safetensors; a file of ``torch.save`` with a dict of
    tensors or a whole module; an archive of ``torch.jit.save``; a module written by ``pickle``.
    Whole modules give the names of their ``state_dict``. Nothing in the file is run. Tensors may
    share memory with each other and lie in the file, which must stay as it is while they are in
    use. Raises StockpotError naming the file.
    """
    path = Path(path)
    try:
        return _read(path)
    except OSError as error:
        raise StockpotError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RuntimeError, struct.error, zipfile.BadZipFile, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise StockpotError(
            f"{path}: not a checkpoint ({reason}); read are safetensors, files of torch.save and "
            "torch.jit.save, and pickled modules"
        ) from error


def _read(path: Path) -> dict[str, torch.Tensor]:
    size = path.stat().st_size
    if not size:
        raise ValueError("it is empty")
    with open(path, "rb") as file:
        start = file.read(9)
    if start[8:] == b"{":
        return load_file(path)
    mapped = open_mapped(path)
    if start.startswith(b"PK\3\4"):
        described = read_archive(path, mapped)
    elif start.startswith(b"\x80"):
        described = read_pickles(mapped, torch.frombuffer(mapped, dtype=torch.uint8))
    else:
        raise ValueError("its first bytes are those of no such file")
    tensors, storages, claimed, held = {}, set(), 0, 0
    for name, tensor in named_tensors(described):
        storage = tensor.untyped_storage()
        claimed += tensor.nbytes
        held += 0 if storage.data_ptr() in storages else storage.nbytes()
        storages.add(storage.data_ptr())
        if name in tensors or not name:
            raise ValueError(f"it has two tensors or a lone one under the name {name[:100]!a}")
        if max(claimed, held) > MOST_SHARED * size:
            raise ValueError("its tensors are much larger than the file")
        tensors[name] = tensor
    if not tensors:
        raise ValueError("there are no named tensors in it")
    return tensors
