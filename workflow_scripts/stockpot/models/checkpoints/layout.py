"""Where a checkpoint has its tensors: plain data, which a reader in a child process hands over."""

import math
from dataclasses import dataclass, field

from .known import ITEM_BYTES


@dataclass(frozen=True)
class Span:
    """Bytes of the file: from ``start`` to before ``stop``."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Storage:
    """Numbers of one type in a row.

    source: where in the file they are; bytes where the file has them encoded.
    """

    source: Span | bytes
    dtype: str

    def __len__(self) -> int:
        """Size in bytes."""
        return len(self.source)


@dataclass(frozen=True)
class Tensor:
    """A view of a storage: ``offset`` and ``stride`` count numbers of type ``dtype``."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass
class Layout:
    """What is in a file: tensors by flat name, and its lists of classes by their keys."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    class_lists: dict[str, list[str]] = field(default_factory=dict)
