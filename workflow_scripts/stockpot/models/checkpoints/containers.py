"""PyTorch's kinds of files: zip archives, the older sequence of pickles, and plain pickles.

Each is given as the described object in it, with every storage a span that lies within the file:
the sizes that a file claims are compared with what it has. No tensor is made here.
"""

import io
import mmap
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from .layout import Span, Storage
from .pickle_allowlist import ITEM_BYTES, STORAGE_DTYPES
from .pickles import Global, Stream, read_pickle

# The first two pickles of a file in the older format of ``torch.save``.
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

# A zip file has 30 bytes before the name of a member. The lengths of the name and of an extra
# field, two bytes each, begin at the 26th.
LOCAL_HEADER_BYTES = 30
NAME_LENGTHS_OFFSET = 26

ENCRYPTED_FLAG = 1
COUNT_BYTES = (
    8  # bytes before a storage in the older format, which say how many numbers it has
)


@dataclass(frozen=True)
class StorageId:
    """What a pickle says of a storage that lies outside of it.

    Attributes:
        key: The storage's name in the file.
        dtype: The type of its numbers.
        numel: How many numbers it has.
    """

    key: str
    dtype: str
    numel: int

    @property
    def size(self) -> int:
        """Size in bytes.

        Returns:
            The bytes of all numbers.
        """
        return self.numel * ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class DescribedFile:
    """A file's described object, and where its storages are.

    Attributes:
        content: The described object.
        storage: Finds the storage of an id; raises ValueError where there is none.
        mapped: The whole file.
    """

    content: object
    storage: Callable[[StorageId], Storage]
    mapped: mmap.mmap | bytes


def read_archive(file: BinaryIO, mapped: mmap.mmap) -> DescribedFile:
    """Read a zip file as ``torch.save`` and ``torch.jit.save`` write it.

    Args:
        file: The open file.
        mapped: Its bytes.

    Returns:
        What is in it.

    Raises:
        ValueError: The file is no such archive, or its parts do not fit.
    """
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
    # All members lie in one folder, whose name differs from file to file.
    pickle_names = [name for name in members if name.endswith("/data.pkl")]
    if len(pickle_names) != 1:
        raise ValueError("a zip file without one data.pkl")
    root = pickle_names[0].removesuffix("data.pkl")
    in_root = {}
    for name, member in members.items():
        if name.startswith(root):
            in_root[name.removeprefix(root)] = member
    if "byteorder" in in_root:
        byte_order = _content(_member_span(in_root, "byteorder", mapped), mapped)
        if byte_order != b"little":
            raise ValueError("its numbers are not little-endian")
    pickle_span = _member_span(in_root, "data.pkl", mapped)
    stream = io.BytesIO(_content(pickle_span, mapped))
    content = read_pickle(stream, _storage_id, pickle_span.start, len(mapped))
    return DescribedFile(content, partial(_archive_storage, in_root, mapped), mapped)


def _archive_storage(
    members: dict[str, zipfile.ZipInfo],
    mapped: mmap.mmap,
    identity: StorageId,
) -> Storage:
    """The storage of an id; each is a member of its own."""
    return _typed(_member_span(members, f"data/{identity.key}", mapped), identity)


def _content(span: Span, mapped: mmap.mmap | bytes) -> bytes:
    return mapped[span.start : span.stop]


def _member_span(
    members: dict[str, zipfile.ZipInfo],
    name: str,
    mapped: mmap.mmap,
) -> Span:
    """Where the bytes of a member of a zip file are."""
    if name not in members:
        raise ValueError(f"it lacks {name[:100]!a}")
    member = members[name]
    shown_name = ascii(member.filename[:100])
    is_encrypted = member.flag_bits & ENCRYPTED_FLAG
    if member.compress_type != zipfile.ZIP_STORED or is_encrypted:
        raise ValueError(f"{shown_name} in it is compressed or encrypted")
    # The local header of the member, whose lengths may differ from those in the directory.
    header_start = member.header_offset
    # The offsets of 64 bits in the file can be any number.
    if not 0 <= header_start <= len(mapped) - LOCAL_HEADER_BYTES:
        raise ValueError(f"{shown_name} in it begins outside of the file")
    name_length, extra_length = struct.unpack_from(
        "<HH",
        mapped,
        header_start + NAME_LENGTHS_OFFSET,
    )
    start = header_start + LOCAL_HEADER_BYTES + name_length + extra_length
    stop = start + member.file_size
    if not 0 <= start <= stop <= len(mapped):
        raise ValueError(f"{shown_name} in it is longer than the file")
    return Span(start, stop)


def read_pickles(
    stream: Stream,
    size: int,
    mapped: mmap.mmap | bytes,
    base: int = 0,
) -> DescribedFile:
    """Read a plain pickle, or the older format of ``torch.save``, which begins with a number.

    Args:
        stream: At its start; an open file or bytes in memory.
        size: How many bytes the stream has.
        mapped: The whole file.
        base: Where in the file the stream begins.

    Returns:
        What is in it.

    Raises:
        ValueError: The file is neither, or its parts do not fit.
    """
    first = read_pickle(stream, base=base, file_size=len(mapped))
    if first == MAGIC_NUMBER:
        return _read_older_format(stream, size, mapped, base)
    if stream.tell() != size:
        raise ValueError("it goes on after its pickle")
    return DescribedFile(first, _no_storage, mapped)


def _read_older_format(
    stream: Stream,
    size: int,
    mapped: mmap.mmap | bytes,
    base: int,
) -> DescribedFile:
    """What follows the magic number: version, system, object, keys, and all storages."""
    if read_pickle(stream, base=base) != PROTOCOL_VERSION:
        raise ValueError("an unknown version of PyTorch's older format")
    system = read_pickle(stream, base=base)
    if type(system) is not dict or system.get("little_endian") is not True:
        raise ValueError("its numbers are not little-endian")
    storage_ids: dict[str, StorageId] = {}

    # The object comes first, then the keys of its storages, then the storages in that order.
    content = read_pickle(
        stream,
        partial(_note_storage, storage_ids),
        base,
        len(mapped),
    )
    keys = read_pickle(stream, base=base)
    if not _is_list_of_texts(keys) or sorted(keys) != sorted(storage_ids):
        raise ValueError("its list of storages is not that of its tensors")
    in_file_order = [storage_ids[key] for key in keys]
    spans = _storage_spans(stream, size, in_file_order, base)

    return DescribedFile(content, partial(_span_storage, spans), mapped)


def _note_storage(storage_ids: dict[str, StorageId], identity: object) -> object:
    """What a persistent id stands for; storages are added to ``storage_ids``."""
    # Classes of modules come with their source code, which is of no interest.
    is_tuple_of_four = type(identity) is tuple and len(identity) == 4
    if is_tuple_of_four and identity[0] == "module":
        return identity[1]
    storage_id = _storage_id(identity)
    if storage_ids.setdefault(storage_id.key, storage_id) != storage_id:
        raise ValueError("two of its storages have one name")
    return storage_id


def _span_storage(spans: dict[str, Span], identity: StorageId) -> Storage:
    """The storage of an id, from the list of all storages."""
    return _typed(spans[identity.key], identity)


def _is_list_of_texts(value: object) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _storage_spans(
    stream: Stream,
    size: int,
    storage_ids: list[StorageId],
    base: int,
) -> dict[str, Span]:
    """Where the storages are that follow the stream's position; each has its length before it."""
    spans = {}
    position = stream.tell()
    for storage_id in storage_ids:
        start = position + COUNT_BYTES
        stop = start + storage_id.size
        if stop > size:
            raise ValueError("it ends within its tensors")
        stream.seek(position)
        numel = int.from_bytes(stream.read(COUNT_BYTES), "little")
        if numel != storage_id.numel:
            raise ValueError("a storage is of another size than its tensors say")
        spans[storage_id.key] = Span(base + start, base + stop)
        position = stop
    return spans


def read_span(span: Span, mapped: mmap.mmap | bytes) -> Storage:
    """Read the storage that a plain pickle holds as bytes: a file of the older format in it.

    Args:
        span: Where the bytes are in the file.
        mapped: The whole file.

    Returns:
        The storage, a span of the whole file.

    Raises:
        ValueError: The bytes are no storage.
    """
    return _inner_storage(_content(span, mapped), mapped, span.start)


def read_encoded(content: bytes) -> Storage:
    """Read a storage whose bytes the file has as text, so that they lie nowhere in it.

    Args:
        content: The bytes of a file in the older format.

    Returns:
        The storage with its bytes.

    Raises:
        ValueError: The bytes are no storage.
    """
    storage = _inner_storage(content, content, 0)
    span = storage.source
    return Storage(content[span.start : span.stop], storage.dtype)


def _inner_storage(
    content: bytes,
    mapped: mmap.mmap | bytes,
    base: int,
) -> Storage:
    if not content:
        raise ValueError("a storage in it is empty")
    described = read_pickles(
        io.BytesIO(content),
        len(content),
        mapped,
        base,
    )
    if type(described.content) is not StorageId:
        raise ValueError("a storage in it is something else")
    return described.storage(described.content)


def _no_storage(identity: StorageId) -> Storage:
    raise ValueError("a plain pickle has no storages outside of itself")


def _storage_id(identity: object) -> StorageId:
    """The storage that a persistent id of ``torch.save`` names."""
    match identity:
        # The fourth is the device, which does not matter; None as fifth: no view of a storage.
        case ("storage", Global(path), str(key), str(), int(numel), *view):
            is_whole_storage = numel >= 0 and view in ([], [None])
            if path in STORAGE_DTYPES and is_whole_storage:
                return StorageId(key, STORAGE_DTYPES[path], numel)
    raise ValueError("its pickle refers to something that is no storage")


def _typed(span: Span, identity: StorageId) -> Storage:
    """The storage in a span, if the span is as long as the id says."""
    # A view of a longer storage would reach into other data.
    if len(span) != identity.size:
        raise ValueError(
            f"storage {identity.key[:100]!a} has {len(span)} bytes for {identity.numel} "
            f"{identity.dtype}"
        )
    return Storage(span, identity.dtype)
