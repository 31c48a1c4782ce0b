"""The tensors of a checkpoint file, whatever wrote it.

What a pickle describes is worked out in a child process with limits of memory and time, which hands
over where in the file each tensor is. Then the tensors are read from there.
"""

import mmap
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from ...datasets.bounded import bounded
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.file_kinds import START_BYTES, stand_in
from ...runtime.regular_files import open_regular
from .class_lists import class_lists_in_metadata, class_lists_of
from .containers import read_archive, read_pickles
from .layout import Layout, Span, Storage, Tensor
from .tensors import Tensors

# Names that share memory are legitimate; thousands of views of one large tensor are not.
MOST_SHARED = 4
READ = (
    "read are safetensors, files of torch.save and torch.jit.save, and pickled modules; "
    "torch.save(model.state_dict(), 'new.pt') writes one"
)


@dataclass
class Checkpoint:
    """tensors: by flat name. class_lists: key in the file -> classes in the order of the head's
    rows."""

    tensors: dict[str, torch.Tensor]
    class_lists: dict[str, list[str]] = field(default_factory=dict)


def read_tensors(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of ``read_checkpoint`` alone."""
    return read_checkpoint(path).tensors


def read_checkpoint(path: str | Path) -> Checkpoint:
    """The tensors of a file by flat name, of any shape and type, on the CPU.

    The file's content decides what it is: safetensors; a file of ``torch.save`` with a dict of
    tensors or a whole module; an archive of ``torch.jit.save``; a module written by ``pickle``.
    Whole modules give the names of their ``state_dict``. Nothing in the file is run, and what lies
    beside the tensors is left alone. Tensors may share memory with each other and lie in the file,
    which must stay as it is while they are in use. Raises StockpotError naming the file.
    """
    path = Path(path)
    shown = one_line(path, 150)
    try:
        return _read(path)
    except OSError as error:
        raise StockpotError(
            f"{shown}: cannot be read ({error.strerror or error})"
        ) from error
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
        RuntimeError,
        EOFError,
        struct.error,
        zipfile.BadZipFile,
        SafetensorError,
    ) as error:
        # Whatever the standard library's readers and torch raise for bytes that nobody wrote.
        lines = str(error).splitlines() or [type(error).__name__]
        reason = one_line(lines[0], 150)
        raise StockpotError(f"{shown}: not a checkpoint ({reason}); {READ}") from error


def _read(path: Path) -> Checkpoint:
    with open_regular(path) as file:
        start = file.read(START_BYTES)
    if not start:
        raise ValueError("it is empty")
    if kind := stand_in(start):
        raise StockpotError(f"{one_line(path, 150)} is {kind}")
    if start[8:9] == b"{":
        with safe_open(path, framework="pt") as opened:
            class_lists = class_lists_in_metadata(opened.metadata())
        return Checkpoint(load_file(path), class_lists)
    if start.startswith(b"{"):
        raise ValueError(
            "a file of JSON; of a model in several files, make one with all tensors"
        )
    if not start.startswith((b"PK\3\4", b"\x80")):
        raise ValueError("its first bytes are those of no such file")
    layout = bounded(read_layout, path)
    mapped = _open_mapped(path)
    whole = torch.frombuffer(mapped, dtype=torch.uint8)
    storages: dict[Storage, torch.Tensor] = {}
    tensors = {
        name: _tensor(place, whole, storages) for name, place in layout.tensors.items()
    }
    return Checkpoint(tensors, layout.class_lists)


def read_layout(path: Path) -> Layout:
    """Where a file of PyTorch has its tensors; to be called in a child process with limits.

    Raises ValueError and whatever the standard library raises for a file that is none.
    """
    with open_regular(path) as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if mapped[:4] == b"PK\3\4":
            described = read_archive(file, mapped)
        else:
            described = read_pickles(mapped, len(mapped), mapped)
    layout = Layout(class_lists=class_lists_of(described.content))
    most = MOST_SHARED * len(mapped)
    seen: set[int] = set()
    claimed = 0
    held = 0
    for name, tensor in Tensors(described).named():
        if name in layout.tensors or not name:
            raise ValueError(
                f"it has two tensors or a lone one under the name {name[:100]!a}"
            )
        claimed += tensor.size
        if id(tensor.storage) not in seen:
            seen.add(id(tensor.storage))
            held += len(tensor.storage)
        if max(claimed, held) > most:
            raise ValueError("its tensors are much larger than the file")
        layout.tensors[name] = tensor
    if not layout.tensors:
        raise ValueError("there are no named tensors in it")
    return layout


def _open_mapped(path: Path) -> mmap.mmap:
    """The file's bytes; writing to them changes the memory of this process alone."""
    with open_regular(path) as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _tensor(
    place: Tensor, whole: torch.Tensor, storages: dict[Storage, torch.Tensor]
) -> torch.Tensor:
    """whole: the file, uint8 [size]. storages: those made so far, so that memory stays shared."""
    if place.storage not in storages:
        storages[place.storage] = _flat(place.storage.source, whole)
    dtype = getattr(torch, place.dtype)
    data = storages[place.storage]
    data = data[: len(data) // dtype.itemsize * dtype.itemsize]
    return data.view(dtype)[place.offset :].as_strided(place.shape, place.stride)


def _flat(source: Span | bytes, whole: torch.Tensor) -> torch.Tensor:
    if isinstance(source, bytes):
        return (
            torch.frombuffer(bytearray(source), dtype=torch.uint8)
            if source
            else whole[:0]
        )
    data = whole[source.start : source.stop]
    # Numbers have to begin at a multiple of their size, of 16 bytes at most.
    return data.clone() if source.start % 16 else data
