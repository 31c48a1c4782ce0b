"""Safetensors files that are read and written in slices, and digests of tensors.

A merge of large models must not hold whole models in memory. So it reads slices of tensors
(``LazyTensor``), and writes and digests them piece by piece (``SafetensorsWriter``,
``TensorDigest``).

The format: 8 bytes with the length of the header, the header as JSON, and the tensors' bytes. The
header says the type, shape and first and last byte of each tensor.
https://github.com/huggingface/safetensors#format
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import torch

# The names of number types in safetensors files.
DTYPES = {
    "F64": torch.float64,
    "I64": torch.int64,
    "U64": torch.uint64,
    "F32": torch.float32,
    "I32": torch.int32,
    "U32": torch.uint32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I16": torch.int16,
    "U16": torch.uint16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}

# The length of the header, as the first bytes of the file say it: 64 bits, little-endian.
LENGTH_FORMAT = "<Q"
LENGTH_BYTES = 8


class TensorDigest:
    """SHA-256 over names, types, shapes and bytes of tensors, added in the order of their names."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """Add a whole tensor.

        Args:
            name: The name of the tensor.
            tensor: On the CPU.
        """
        self.start_tensor(name, tensor.dtype, list(tensor.shape))
        self.update(tensor)

    def start_tensor(
        self,
        name: str,
        dtype: torch.dtype,
        shape: list[int],
    ) -> None:
        """Add the description of a tensor, whose numbers ``update`` then gets.

        Args:
            name: The name of the tensor.
            dtype: Its type.
            shape: Its shape.
        """
        # The zero byte ends the description: a name cannot run into the numbers.
        description = f"{name}:{dtype}:{shape}\0"
        self._sha256.update(description.encode())

    def update(self, chunk: torch.Tensor) -> None:
        """Add the next numbers of the tensor.

        Args:
            chunk: On the CPU, of any length.
        """
        self._sha256.update(_bytes(chunk))

    def hexdigest(self) -> str:
        """Return the digest of all that was added.

        Returns:
            64 hexadecimal digits.
        """
        return self._sha256.hexdigest()


class SafetensorsWriter:
    """Writes a new safetensors file whose tensors come in any order, each once.

    A tensor that lacks bytes counts as missing. The header comes first in the file, but the
    metadata may depend on the tensors (a digest): ``finish`` can replace it at the end by a text
    of the same length.
    """

    def __init__(
        self,
        path: Path,
        shapes: Mapping[str, tuple[list[int], str]],
        metadata: dict[str, str],
    ):
        """Create the file and write its header.

        Args:
            path: The file.
            shapes: Shape and type ("F32") of every tensor, as ``Weights.shapes`` gives them.
            metadata: Metadata of the header.
        """
        self._entries: dict[str, dict[str, Any]] = {}

        # A tensor has to begin at a multiple of its numbers' size, so wide types come first.
        start = 0
        for name in _wide_types_first(shapes):
            shape, dtype = shapes[name]
            stop = start + DTYPES[dtype].itemsize * math.prod(shape)
            self._entries[name] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [start, stop],
            }
            start = stop
        # Tensors whose last byte is not yet written.
        self._missing = set(shapes)
        self._header = self._encoded_header(metadata)
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - __exit__ closes it
        self._write_at(0, self._header)

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def write(
        self,
        name: str,
        chunk: torch.Tensor,
        offset: int = 0,
    ) -> None:
        """Write a tensor, or a chunk of it.

        Args:
            name: The name of the tensor.
            chunk: Numbers of the tensor, on the CPU.
            offset: Bytes of the tensor that come before the chunk. The chunk that ends the
                tensor has to come last.

        Raises:
            ValueError: The tensor is larger than its header says.
        """
        # Offsets in the header count from its own end.
        start, stop = self._entries[name]["data_offsets"]
        chunk_end = offset + chunk.nbytes
        bytes_left = stop - start - chunk_end
        if bytes_left < 0:
            raise ValueError(f"{name}: {chunk_end} bytes for a place of {stop - start}")
        self._write_at(len(self._header) + start + offset, _bytes(chunk))
        if bytes_left == 0:
            self._missing.discard(name)

    def finish(self, metadata: dict[str, str]) -> None:
        """Replace the metadata.

        Args:
            metadata: The new metadata; its JSON has to be as long as that of the old.

        Raises:
            ValueError: A tensor is missing, or the length differs.
        """
        header = self._encoded_header(metadata)
        if self._missing or len(header) != len(self._header):
            raise ValueError(
                f"missing: {sorted(self._missing)}, or metadata of another length"
            )
        self._write_at(0, header)

    def _write_at(self, offset: int, data: bytes | np.ndarray) -> None:
        bytes_left = memoryview(data)
        # One call of the system may write less than it is asked to.
        while len(bytes_left):
            written = os.pwrite(self._file.fileno(), bytes_left, offset)
            bytes_left = bytes_left[written:]
            offset += written

    def _encoded_header(self, metadata: dict[str, str]) -> bytes:
        """The first bytes of the file, up to the tensors."""
        header = {"__metadata__": metadata, **self._entries}
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        # Spaces at the end, so that the tensors begin at a multiple of 8 bytes.
        text += b" " * (-len(text) % 8)
        return struct.pack(LENGTH_FORMAT, len(text)) + text


class LazyTensor:
    """One tensor of a safetensors file, of which slices are read when they are asked for.

    Unlike a tensor that is mapped into memory, what has been read of it does not stay there.

    Attributes:
        shape: Its shape.
        dtype: Its type.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int,
        shape: list[int],
        dtype: str,
    ):
        """Describe the tensor, without reading it.

        Args:
            file: The open file.
            start: The first byte of the tensor in the file.
            shape: Its shape.
            dtype: Its type as safetensors names it ("F32").
        """
        self.shape = torch.Size(shape)
        self.dtype = DTYPES[dtype]
        self._file = file
        self._start = start

    def __len__(self) -> int:
        """Count the numbers of the tensor, over all axes."""
        return self.shape.numel()

    def is_floating_point(self) -> bool:
        """Tell whether the tensor has floating-point numbers.

        Returns:
            True for those, and False for integers and truth values.
        """
        return self.dtype.is_floating_point

    def reader(self, max_length: int) -> Callable[[int, int], torch.Tensor]:
        """Make a function that reads slices of the flat tensor.

        Args:
            max_length: The most numbers that one slice has.

        Returns:
            A function of start and stop. It reads into one and the same memory: a slice is valid
            until the next call, and every thread needs its own reader.
        """
        buffer = torch.empty(min(max_length, len(self)), dtype=self.dtype)
        return partial(self._read_slice, buffer, memoryview(_bytes(buffer)))

    def _read_slice(
        self,
        buffer: torch.Tensor,
        buffer_bytes: memoryview,
        start: int,
        stop: int,
    ) -> torch.Tensor:
        """Read the numbers from start to before stop into a buffer, given also as its bytes."""
        item_bytes = self.dtype.itemsize
        unread = buffer_bytes[: (stop - start) * item_bytes]
        offset = self._start + start * item_bytes
        # One call of the system may read less than it is asked to.
        while len(unread):
            read_count = os.preadv(self._file.fileno(), [unread], offset)
            if read_count == 0:
                raise OSError("the file ends within a tensor")
            unread = unread[read_count:]
            offset += read_count
        return buffer[: stop - start]

    def read(self) -> torch.Tensor:
        """Read the whole tensor.

        Returns:
            The tensor in its shape; it shares no memory.
        """
        read_slice = self.reader(len(self))
        flat = read_slice(0, len(self))
        return flat.view(self.shape)


class SafetensorsIndex:
    """Where a safetensors file has its tensors; the file stays open as long as this object."""

    def __init__(self, path: Path):
        """Read the header.

        Args:
            path: The file.
        """
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with this object
        length_bytes = self._file.read(LENGTH_BYTES)
        (header_length,) = struct.unpack(LENGTH_FORMAT, length_bytes)
        self._header = json.loads(self._file.read(header_length))
        # Offsets in the header count from its end.
        self._data_start = LENGTH_BYTES + header_length

    def __getitem__(self, name: str) -> LazyTensor:
        """Return the tensor of a name, without reading it."""
        entry = self._header[name]
        start, _ = entry["data_offsets"]
        return LazyTensor(
            self._file,
            self._data_start + start,
            entry["shape"],
            entry["dtype"],
        )


def _wide_types_first(shapes: Mapping[str, tuple[list[int], str]]) -> list[str]:
    """Names of tensors: those with the widest numbers first, then in alphabetical order."""
    widths = {name: DTYPES[dtype].itemsize for name, (_, dtype) in shapes.items()}
    return sorted(shapes, key=lambda name: (-widths[name], name))


def _bytes(tensor: torch.Tensor) -> np.ndarray:
    """The bytes of a tensor's numbers, uint8 [bytes]; they share its memory where possible."""
    # numpy knows no bfloat16, but every type can be seen as bytes.
    flat = tensor.contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy()
