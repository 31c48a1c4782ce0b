"""The tensors of a checkpoint file, whatever program wrote it.

A child process with limits of memory and time works out what a pickle describes. It hands over
where in the file each tensor is. Then the tensors are read from there.
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
from .containers import DescribedFile, read_archive, read_pickles
from .layout import Layout, Span, Storage, Tensor
from .tensors import Tensors

# The first bytes of the kinds of files.
ZIP_START = b"PK\3\4"
PICKLE_START = b"\x80"

# Names that share memory are legitimate; thousands of views of one large tensor are not.
MAX_SHARED = 4

# Numbers have to begin at a multiple of their size, which is 16 bytes at most (complex128).
ALIGNMENT = 16

READABLE = (
    "read are safetensors, files of torch.save and torch.jit.save, and pickled modules; "
    "torch.save(model.state_dict(), 'new.pt') writes one"
)

# What the standard library's readers and torch raise for bytes that nobody wrote.
READER_ERRORS = (
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
)


@dataclass
class Checkpoint:
    """What is read of a checkpoint.

    Attributes:
        tensors: The tensors by flat name.
        class_lists: Key in the file -> classes in the order of the head's rows.
    """

    tensors: dict[str, torch.Tensor]
    class_lists: dict[str, list[str]] = field(default_factory=dict)


def read_tensors(path: str | Path) -> dict[str, torch.Tensor]:
    """Read only the tensors of a checkpoint.

    Args:
        path: The file.

    Returns:
        The tensors by flat name, as ``read_checkpoint`` gives them.

    Raises:
        StockpotError: As ``read_checkpoint``.
    """
    return read_checkpoint(path).tensors


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint, without running anything in it.

    The file's content decides what it is: safetensors; a file of ``torch.save`` with a dict of
    tensors or a whole module; an archive of ``torch.jit.save``; a module written by ``pickle``.
    Whole modules give the names of their ``state_dict``. What lies beside the tensors is ignored.

    Args:
        path: The file.

    Returns:
        The tensors of any shape and type, on the CPU, and the lists of classes. Tensors may share
        memory with each other and lie in the file, which must stay as it is while they are in use.

    Raises:
        StockpotError: The file cannot be read or is no checkpoint; the text names it.
    """
    path = Path(path)
    shown_path = one_line(path, 150)
    try:
        return _read(path)
    except OSError as error:
        reason = error.strerror or error
        raise StockpotError(f"{shown_path}: cannot be read ({reason})") from error
    except READER_ERRORS as error:
        # One line of torch's many; safetensors and struct may give none.
        lines = str(error).splitlines() or [type(error).__name__]
        reason = one_line(lines[0], 150)
        raise StockpotError(
            f"{shown_path}: not a checkpoint ({reason}); {READABLE}"
        ) from error


def _read(path: Path) -> Checkpoint:
    with open_regular(path) as file:
        start = file.read(START_BYTES)
    if not start:
        raise ValueError("it is empty")
    # A stand-in: a file of Git LFS or a web page in the place of the real file.
    stand_in_kind = stand_in(start)
    if stand_in_kind:
        raise StockpotError(f"{one_line(path, 150)} is {stand_in_kind}")
    # A safetensors file has the length of its header in 8 bytes, then the header, JSON.
    if start[8:9] == b"{":
        return _read_safetensors(path)
    if start.startswith(b"{"):
        raise ValueError(
            "a file of JSON; of a model in several files, make one with all tensors"
        )
    if not start.startswith((ZIP_START, PICKLE_START)):
        raise ValueError("its first bytes are those of no such file")
    return _read_pytorch(path)


def _read_safetensors(path: Path) -> Checkpoint:
    with safe_open(path, framework="pt") as opened:
        class_lists = class_lists_in_metadata(opened.metadata())
    return Checkpoint(load_file(path), class_lists)


def _read_pytorch(path: Path) -> Checkpoint:
    # Pickles may ask for any amount of memory and time, so a child process follows them.
    layout = bounded(read_layout, path)
    file_bytes = torch.frombuffer(_open_mapped(path), dtype=torch.uint8)
    # Storages that were made so far, so that tensors that share memory still do.
    storages: dict[Storage, torch.Tensor] = {}
    tensors = {}
    for name, description in layout.tensors.items():
        storage = description.storage
        if storage not in storages:
            storages[storage] = _storage_bytes(storage.source, file_bytes)
        tensors[name] = _tensor(description, storages[storage])
    return Checkpoint(tensors, layout.class_lists)


def read_layout(path: Path) -> Layout:
    """Find where a file of PyTorch has its tensors; to be called in a child process with limits.

    Args:
        path: The file.

    Returns:
        Its tensors and lists of classes.

    Raises:
        ValueError: The file is none of PyTorch's, or its tensors are impossible. Also anything
            else that the standard library raises for such files.
    """
    with open_regular(path) as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if mapped[: len(ZIP_START)] == ZIP_START:
            described = read_archive(file, mapped)
        else:
            described = read_pickles(mapped, len(mapped), mapped)
    return Layout(
        tensors=_named_tensors(described, max_bytes=MAX_SHARED * len(mapped)),
        class_lists=class_lists_of(described.content),
    )


def _named_tensors(described: DescribedFile, max_bytes: int) -> dict[str, Tensor]:
    """The tensors by name; their views and their storages each take ``max_bytes`` at most."""
    tensors = {}
    seen_storages: set[int] = set()
    tensor_bytes = 0
    storage_bytes = 0
    for name, tensor in Tensors(described).named():
        if name in tensors or not name:
            raise ValueError(
                f"it has two tensors or a lone one under the name {name[:100]!a}"
            )
        tensor_bytes += tensor.size
        # By identity, as the storages of encoded bytes are slow to compare.
        if id(tensor.storage) not in seen_storages:
            seen_storages.add(id(tensor.storage))
            storage_bytes += len(tensor.storage)
        if max(tensor_bytes, storage_bytes) > max_bytes:
            raise ValueError("its tensors are much larger than the file")
        tensors[name] = tensor
    if not tensors:
        raise ValueError("there are no named tensors in it")
    return tensors


def _open_mapped(path: Path) -> mmap.mmap:
    """The file's bytes; writing to them changes only the memory of this process."""
    with open_regular(path) as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _storage_bytes(source: Span | bytes, file_bytes: torch.Tensor) -> torch.Tensor:
    """The bytes of a storage, uint8 [size]; they lie in the file where they can."""
    if isinstance(source, Span):
        in_file = file_bytes[source.start : source.stop]
        if source.start % ALIGNMENT == 0:
            return in_file
        return in_file.clone()
    if not source:  # torch makes no tensor of an empty buffer
        return file_bytes[:0]
    return torch.frombuffer(bytearray(source), dtype=torch.uint8)


def _tensor(description: Tensor, storage_bytes: torch.Tensor) -> torch.Tensor:
    """The view of a storage that a tensor is."""
    dtype = getattr(torch, description.dtype)
    # Only whole numbers can be seen as another type.
    whole_count = len(storage_bytes) // dtype.itemsize
    numbers = storage_bytes[: whole_count * dtype.itemsize].view(dtype)
    return numbers[description.offset :].as_strided(
        description.shape, description.stride
    )
