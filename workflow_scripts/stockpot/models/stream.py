"""A safetensors file written tensor by tensor, and the digest of tensors that come one by one."""

import hashlib
import json
import math
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}


class TensorDigest:
    """SHA-256 over names, types, shapes and bytes of tensors, added in the order of their names."""

    def __init__(self):
        self._sha256 = hashlib.sha256()

    def add(self, name: str, tensor: torch.Tensor) -> None:
        self.begin(name, tensor.dtype, list(tensor.shape))
        self.go_on(tensor)

    def begin(self, name: str, dtype: torch.dtype, shape: list[int]) -> None:
        """Add a tensor whose numbers ``go_on`` then gets, in any number of parts."""
        self._sha256.update(f"{name}:{dtype}:{shape}\0".encode())

    def go_on(self, part: torch.Tensor) -> None:
        self._sha256.update(_bytes(part))

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


class TensorFile:
    """A new safetensors file whose tensors are written in any order, each once.

    A tensor that is short of bytes counts as missing. The header comes first in the file, but
    metadata may follow from the tensors (a digest): it can be replaced at the end by a text of
    the same length.
    """

    def __init__(
        self,
        path: Path,
        shapes: Mapping[str, tuple[list[int], str]],
        metadata: dict[str, str],
    ):
        """shapes: shape and type ("F32") of every tensor, as ``Weights.shapes`` gives them."""
        self._entries, end = {}, 0
        # Wide types first: a tensor has to start at a multiple of its numbers' size.
        for name in sorted(shapes, key=lambda name: (-BYTES[shapes[name][1]], name)):
            shape, dtype = shapes[name]
            start, end = end, end + BYTES[dtype] * math.prod(shape)
            self._entries[name] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [start, end],
            }
        self._missing = set(shapes)
        self._header = self._head(metadata)
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - __exit__ closes it
        self._write(0, self._header)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, name: str, part: torch.Tensor, before: int = 0) -> None:
        """Write a tensor, or the part of it that follows on ``before`` bytes.

        Raises ValueError for one that does not fit the place that the header gives it.
        """
        start, end = self._entries[name]["data_offsets"]
        left = end - start - before - part.nbytes
        if left < 0:
            raise ValueError(
                f"{name}: {before + part.nbytes} bytes for a place of {end - start}"
            )
        self._write(len(self._header) + start + before, _bytes(part))
        if left == 0:
            self._missing.discard(name)

    def finish(self, metadata: dict[str, str]) -> None:
        """Replace the metadata. Raises ValueError if a tensor is missing or the length differs."""
        header = self._head(metadata)
        if self._missing or len(header) != len(self._header):
            raise ValueError(
                f"missing: {sorted(self._missing)}, or metadata of another length"
            )
        self._write(0, header)

    def _write(self, offset: int, data) -> None:
        left = memoryview(data)
        while len(left):
            done = os.pwrite(self._file.fileno(), left, offset)
            left, offset = left[done:], offset + done

    def _head(self, metadata: dict[str, str]) -> bytes:
        header = {"__metadata__": metadata, **self._entries}
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text


TYPES = {
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


class Stored:
    """One tensor of a safetensors file, flat, of which slices are read when they are asked for.

    Unlike a tensor that is mapped into memory, what has been read of it does not stay there.
    """

    def __init__(self, file: BinaryIO, begin: int, shape: list[int], dtype: str):
        """begin: of the tensor's bytes in the file. dtype: as "F32"."""
        self.shape, self.dtype = torch.Size(shape), TYPES[dtype]
        self._file, self._begin = file, begin

    def __len__(self) -> int:
        return self.shape.numel()

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def reader(self, step: int) -> Callable[[int, int], torch.Tensor]:
        """A function of start and stop, at most ``step`` numbers apart, that reads them.

        It reads into one and the same memory; every thread needs a reader of its own.
        """
        size, file = self.dtype.itemsize, self._file.fileno()
        room = torch.empty(min(step, len(self)), dtype=self.dtype)
        places = memoryview(_bytes(room))

        def read(start: int, stop: int) -> torch.Tensor:
            left, offset = places[: (stop - start) * size], self._begin + start * size
            while len(left):
                done = os.preadv(file, [left], offset)
                if done == 0:
                    raise OSError("the file ends within a tensor")
                left, offset = left[done:], offset + done
            return room[: stop - start]

        return read

    def read(self) -> torch.Tensor:
        """The whole tensor, in memory of its own."""
        return self.reader(len(self))(0, len(self)).view(self.shape)


class Places:
    """Where a safetensors file has its tensors; the file stays open as long as this."""

    def __init__(self, path: Path):
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with this object
        (size,) = struct.unpack("<Q", self._file.read(8))
        self._header, self._data = json.loads(self._file.read(size)), 8 + size

    def __getitem__(self, name: str) -> Stored:
        entry = self._header[name]
        begin = self._data + entry["data_offsets"][0]
        return Stored(self._file, begin, entry["shape"], entry["dtype"])


def _bytes(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
