"""An array file in memory that the machine need not have room for."""

import mmap
import sys
from pathlib import Path

import numpy as np

# Python names this flag of Linux from 3.13 on.
NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


def map_array(path: Path) -> np.ndarray:
    """The array of a ``.npy`` file, which stays on the disk until it is read.

    It may be written to, as torch asks of an array, but nothing of that reaches the file. The
    kernel counts pages that may be written against the machine's memory when they are mapped, so
    that an array larger than that could not be opened; it is told not to, as nobody writes.

    Args:
        path: Of the file.

    Returns:
        The array, of the file's type and shape.

    Raises:
        OSError: The file cannot be opened or mapped.
        ValueError: It holds no such array.
    """
    shared = np.load(
        path, mmap_mode="r", allow_pickle=False
    )  # checks the header and the length
    if not (isinstance(shared, np.memmap) and shared.flags.c_contiguous):
        raise ValueError("it holds no array in C order")
    with open(path, "rb") as file:
        memory = mmap.mmap(
            file.fileno(),
            0,
            flags=mmap.MAP_PRIVATE | NO_RESERVE,
            prot=mmap.PROT_READ | mmap.PROT_WRITE,
        )
    return np.ndarray(shared.shape, shared.dtype, memory, shared.offset)
