"""A safetensors file written tensor by tensor, and the digest of tensors that come one by one."""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

BYTES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4,
    "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


class TensorDigest:
    """SHA-256 over names, types, shapes and bytes of tensors, added in the order of their names."""

    def __init__(self, before: str = ""):
        """before: text that is digested first."""
        self._sha256 = hashlib.sha256(before.encode())

    def add(self, name: str, tensor: torch.Tensor) -> None:
        self._sha256.update(f"{name}:{tensor.dtype}:{list(tensor.shape)}\0".encode())
        self._sha256.update(_bytes(tensor))

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


class TensorFile:
    """A new safetensors file whose tensors are written in any order, each once.

    The header comes first in the file, but metadata may follow from the tensors (a digest):
    it can be replaced at the end by a text of the same length.
    """

    def __init__(
        self, path: Path, shapes: Mapping[str, tuple[list[int], str]], metadata: dict[str, str]
    ):
        """shapes: shape and type ("F32") of every tensor, as ``Weights.shapes`` gives them."""
        self._entries, end = {}, 0
        # Wide types first: a tensor has to start at a multiple of its numbers' size.
        for name in sorted(shapes, key=lambda name: (-BYTES[shapes[name][1]], name)):
            shape, dtype = shapes[name]
            start, end = end, end + BYTES[dtype] * math.prod(shape)
            self._entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
        self._missing = set(shapes)
        self._header = self._head(metadata)
        self._file = open(path, "wb")  # noqa: SIM115 - __exit__ closes it
        self._file.write(self._header)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, name: str, tensor: torch.Tensor) -> None:
        """Raises ValueError for a tensor that does not fit the place that the header gives it."""
        start, end = self._entries[name]["data_offsets"]
        if tensor.nbytes != end - start:
            raise ValueError(f"{name}: {tensor.nbytes} bytes for a place of {end - start}")
        self._file.seek(len(self._header) + start)
        self._file.write(_bytes(tensor))
        self._missing.discard(name)

    def finish(self, metadata: dict[str, str]) -> None:
        """Replace the metadata. Raises ValueError if a tensor is missing or the length differs."""
        header = self._head(metadata)
        if self._missing or len(header) != len(self._header):
            raise ValueError(f"missing: {sorted(self._missing)}, or metadata of another length")
        self._file.seek(0)
        self._file.write(header)

    def _head(self, metadata: dict[str, str]) -> bytes:
        header = {"__metadata__": metadata, **self._entries}
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text


def _bytes(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
