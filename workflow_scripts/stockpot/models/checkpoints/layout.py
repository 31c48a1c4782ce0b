"""Where a checkpoint has its tensors: plain data, which a reader in a child process hands over."""

import math
from dataclasses import dataclass, field

from .pickle_allowlist import ITEM_BYTES


@dataclass(frozen=True)
class Span:
    """Some bytes of the file.

    Attributes:
        start: The first byte.
        stop: The byte after the last.
    """

    start: int
    stop: int

    def __len__(self) -> int:
        """Count the bytes."""
        return self.stop - self.start


@dataclass(frozen=True)
class Storage:
    """Numbers of one type in a row.

    Attributes:
        source: Where in the file they are; the bytes themselves where the file has them encoded.
        dtype: Their type.
    """

    source: Span | bytes
    dtype: str

    def __len__(self) -> int:
        """Count the bytes."""
        return len(self.source)


@dataclass(frozen=True)
class Tensor:
    """A view of a storage.

    Attributes:
        storage: The storage.
        dtype: The type of the tensor's numbers.
        offset: Numbers of this type before the first one.
        shape: Numbers along each axis.
        stride: Numbers of this type from one to the next along each axis.
    """

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def size(self) -> int:
        """Size in bytes.

        Returns:
            The bytes of all its numbers, also where some share memory.
        """
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass
class Layout:
    """What is in a file.

    Attributes:
        tensors: The tensors by flat name.
        class_lists: The lists of classes by their keys in the file.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    class_lists: dict[str, list[str]] = field(default_factory=dict)
