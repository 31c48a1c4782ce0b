"""PyTorch's kinds of files: zip archives, the older sequence of pickles, and plain pickles.

Each is given as the described object in it, with every storage a one-dimensional tensor that
lies within the file: what a file claims of sizes is compared with what it has.
"""

import functools
import io
import mmap
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from .known import STORAGES
from .pickles import Global, read_pickle

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@dataclass(frozen=True)
class StorageId:
    """What a pickle says of a storage that lies outside of it."""

    key: str
    dtype: torch.dtype
    numel: int


class Described:
    """A pickle's object, and where its storages are: ``storage`` raises ValueError."""

    def __init__(self, content: object, storage: Callable[[StorageId], torch.Tensor]):
        self.content = content
        # Two tensors of one storage share its memory, also where it had to be copied.
        self.storage = functools.cache(storage)


def open_mapped(path: Path) -> mmap.mmap:
    """The file's bytes; writing to them changes the memory of this process alone."""
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def read_archive(path: Path, mapped: mmap.mmap) -> Described:
    """A zip file as ``torch.save`` and ``torch.jit.save`` write it; tensors stay on the disk."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
    roots = [name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise ValueError("a zip file without one data.pkl")
    (root,), data = roots, torch.frombuffer(mapped, dtype=torch.uint8)

    def member(name: str) -> slice:
        if root + name not in members:
            raise ValueError(f"it lacks {name[:100]!a}")
        return _place(members[root + name], mapped)

    def storage(found: StorageId) -> torch.Tensor:
        return _typed(data[member(f"data/{found.key}")], found)

    if f"{root}byteorder" in members and mapped[member("byteorder")] != b"little":
        raise ValueError("its numbers are not little-endian")
    pickle = io.BytesIO(mapped[member("data.pkl")])
    return Described(read_pickle(pickle, _storage_id), storage)


def _place(info: zipfile.ZipInfo, mapped: mmap.mmap) -> slice:
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ValueError(f"{info.filename[:100]!a} in it is compressed or encrypted")
    name, extra = struct.unpack_from("<HH", mapped, info.header_offset + 26)
    start = info.header_offset + 30 + name + extra
    if not 0 <= start <= start + info.file_size <= len(mapped):
        raise ValueError(f"{info.filename[:100]!a} in it is longer than the file")
    return slice(start, start + info.file_size)


def read_pickles(stream, data: torch.Tensor) -> Described:
    """A plain pickle, or the older format of ``torch.save``, which begins with a number.

    stream: at the file's start. data: the same bytes, uint8 [size].
    """
    first = read_pickle(stream)
    if first != MAGIC:
        if stream.tell() != len(data):
            raise ValueError("it goes on after its pickle")
        return Described(first, _no_storage)
    if read_pickle(stream) != PROTOCOL:
        raise ValueError("an unknown version of PyTorch's older format")
    system = read_pickle(stream)
    if not (type(system) is dict and system.get("little_endian") is True):
        raise ValueError("its numbers are not little-endian")
    ids: dict[str, StorageId] = {}

    def persistent(identity: object) -> object:
        # Classes of modules come with their source code, which is of no interest.
        if type(identity) is tuple and len(identity) == 4 and identity[0] == "module":
            return identity[1]
        found = _storage_id(identity)
        if ids.setdefault(found.key, found) != found:
            raise ValueError("two of its storages have one name")
        return found

    content, keys = read_pickle(stream, persistent), read_pickle(stream)
    strings = type(keys) is list and all(type(key) is str for key in keys)
    if not strings or sorted(keys) != sorted(ids):
        raise ValueError("its list of storages is not that of its tensors")
    places, at = {}, stream.tell()
    for key in keys:
        found = ids[key]
        end = at + 8 + found.numel * found.dtype.itemsize
        if end > len(data):
            raise ValueError("it ends within its tensors")
        if int.from_bytes(bytes(data[at : at + 8].tolist()), "little") != found.numel:
            raise ValueError("a storage is of another size than its tensors say")
        places[key], at = slice(at + 8, end), end
    return Described(content, lambda found: _typed(data[places[found.key]], found))


def read_bytes(content: bytes) -> torch.Tensor:
    """The storage in bytes that a plain pickle holds: a file of the older format within it."""
    if not content:
        raise ValueError("a storage in it is empty")
    data = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    described = read_pickles(io.BytesIO(content), data)
    if type(described.content) is not StorageId:
        raise ValueError("a storage in it is something else")
    return described.storage(described.content)


def _no_storage(found: StorageId) -> torch.Tensor:
    raise ValueError("a plain pickle has no storages outside of itself")


def _storage_id(identity: object) -> StorageId:
    match identity:
        case ("storage", Global(path), str(key), str(), int(numel), *views) if path in STORAGES:
            if numel >= 0 and views in ([], [None]):
                return StorageId(key, getattr(torch, STORAGES[path]), numel)
    raise ValueError("its pickle refers to something that is no storage")


def _typed(data: torch.Tensor, found: StorageId) -> torch.Tensor:
    if len(data) != found.numel * found.dtype.itemsize:
        raise ValueError(
            f"storage {found.key[:100]!a} has {len(data)} bytes for {found.numel} {found.dtype}"
        )
    if data.storage_offset() % found.dtype.itemsize:
        data = data.clone()
    return data.view(found.dtype)
