"""PyTorch's kinds of files: zip archives, the older sequence of pickles, and plain pickles.

Each is given as the described object in it, with every storage a span that lies within the file:
what a file claims of sizes is compared with what it has. No tensor is made here.
"""

import io
import mmap
import struct
import zipfile
from collections.abc import Callable

from .known import ITEM_BYTES, STORAGES
from .layout import Span, Storage
from .pickles import Global, read_pickle

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
LOCAL_HEADER = 30  # bytes of a zip file before the name of a member


class StorageId:
    """What a pickle says of a storage that lies outside of it."""

    def __init__(self, key: str, dtype: str, numel: int):
        self.key = key
        self.dtype = dtype
        self.numel = numel

    @property
    def size(self) -> int:
        """In bytes."""
        return self.numel * ITEM_BYTES[self.dtype]

    def same_as(self, other: "StorageId") -> bool:
        return (self.dtype, self.numel) == (other.dtype, other.numel)


class Described:
    """A pickle's object, and where its storages are: ``storage`` raises ValueError."""

    def __init__(
        self,
        content: object,
        storage: Callable[[StorageId], Storage],
        mapped: mmap.mmap | bytes,
    ):
        self.content = content
        self.storage = storage
        self.mapped = mapped


def read_archive(file, mapped: mmap.mmap) -> Described:
    """A zip file as ``torch.save`` and ``torch.jit.save`` write it."""
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
    roots = [
        name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")
    ]
    if len(roots) != 1:
        raise ValueError("a zip file without one data.pkl")
    root = roots[0]

    def member(name: str) -> Span:
        if root + name not in members:
            raise ValueError(f"it lacks {name[:100]!a}")
        return _place(members[root + name], mapped)

    def storage(identity: StorageId) -> Storage:
        return _typed(member(f"data/{identity.key}"), identity)

    if (
        f"{root}byteorder" in members
        and _content(member("byteorder"), mapped) != b"little"
    ):
        raise ValueError("its numbers are not little-endian")
    place = member("data.pkl")
    pickle = io.BytesIO(_content(place, mapped))
    content = read_pickle(pickle, _storage_id, place.start, len(mapped))
    return Described(content, storage, mapped)


def _content(span: Span, mapped: mmap.mmap | bytes) -> bytes:
    return mapped[span.start : span.stop]


def _place(info: zipfile.ZipInfo, mapped: mmap.mmap) -> Span:
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ValueError(f"{info.filename[:100]!a} in it is compressed or encrypted")
    at = info.header_offset
    # A number of 64 bits in the file can be any.
    if not 0 <= at <= len(mapped) - LOCAL_HEADER:
        raise ValueError(f"{info.filename[:100]!a} in it begins outside of the file")
    name, extra = struct.unpack_from("<HH", mapped, at + 26)
    start = at + LOCAL_HEADER + name + extra
    if not 0 <= start <= start + info.file_size <= len(mapped):
        raise ValueError(f"{info.filename[:100]!a} in it is longer than the file")
    return Span(start, start + info.file_size)


def read_pickles(
    stream, size: int, mapped: mmap.mmap | bytes, base: int = 0
) -> Described:
    """A plain pickle, or the older format of ``torch.save``, which begins with a number.

    Args:
        stream: At its start; an open file or bytes in memory.
        size: How many bytes it has.
        mapped: The whole file.
        base: Where in the file the stream begins.
    """
    first = read_pickle(stream, base=base, file_size=len(mapped))
    if first != MAGIC:
        if stream.tell() != size:
            raise ValueError("it goes on after its pickle")
        return Described(first, _no_storage, mapped)
    if read_pickle(stream, base=base) != PROTOCOL:
        raise ValueError("an unknown version of PyTorch's older format")
    system = read_pickle(stream, base=base)
    if not (type(system) is dict and system.get("little_endian") is True):
        raise ValueError("its numbers are not little-endian")
    ids: dict[str, StorageId] = {}

    def persistent(identity: object) -> object:
        # Classes of modules come with their source code, which is of no interest.
        if type(identity) is tuple and len(identity) == 4 and identity[0] == "module":
            return identity[1]
        storage = _storage_id(identity)
        if not ids.setdefault(storage.key, storage).same_as(storage):
            raise ValueError("two of its storages have one name")
        return storage

    content = read_pickle(stream, persistent, base, len(mapped))
    keys = read_pickle(stream, base=base)
    strings = type(keys) is list and all(type(key) is str for key in keys)
    if not strings or sorted(keys) != sorted(ids):
        raise ValueError("its list of storages is not that of its tensors")
    at = stream.tell()
    places = {}
    for key in keys:
        end = at + 8 + ids[key].size
        if end > size:
            raise ValueError("it ends within its tensors")
        stream.seek(at)
        if int.from_bytes(stream.read(8), "little") != ids[key].numel:
            raise ValueError("a storage is of another size than its tensors say")
        places[key] = Span(base + at + 8, base + end)
        at = end
    return Described(content, lambda found: _typed(places[found.key], found), mapped)


def read_span(span: Span, mapped: mmap.mmap | bytes) -> Storage:
    """The storage in bytes that a plain pickle holds: a file of the older format within it."""
    return _inner(_content(span, mapped), mapped, span.start)


def read_encoded(content: bytes) -> Storage:
    """The same of bytes that the file has as text, so that they lie nowhere in it."""
    storage = _inner(content, content, 0)
    span = storage.source
    return Storage(content[span.start : span.stop], storage.dtype)


def _inner(content: bytes, mapped: mmap.mmap | bytes, base: int) -> Storage:
    if not content:
        raise ValueError("a storage in it is empty")
    described = read_pickles(io.BytesIO(content), len(content), mapped, base)
    if type(described.content) is not StorageId:
        raise ValueError("a storage in it is something else")
    return described.storage(described.content)


def _no_storage(identity: StorageId) -> Storage:
    raise ValueError("a plain pickle has no storages outside of itself")


def _storage_id(identity: object) -> StorageId:
    match identity:
        case ("storage", Global(path), str(key), str(), int(numel), *views) if (
            path in STORAGES
        ):
            if numel >= 0 and views in ([], [None]):
                return StorageId(key, STORAGES[path], numel)
    raise ValueError("its pickle refers to something that is no storage")


def _typed(span: Span, identity: StorageId) -> Storage:
    if len(span) != identity.size:
        raise ValueError(
            f"storage {identity.key[:100]!a} has {len(span)} bytes for {identity.numel} "
            f"{identity.dtype}"
        )
    return Storage(span, identity.dtype)
