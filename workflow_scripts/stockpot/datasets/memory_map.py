"""Map an array file into memory, also one that is larger than the memory of the machine."""

import mmap
import sys
from pathlib import Path

import numpy as np

# The flag MAP_NORESERVE of Linux; Python names it from 3.13 on.
NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


def map_array(path: Path) -> np.ndarray:
    """Map the array of a ``.npy`` file, which stays on the disk until it is read.

    The array may be written to, as torch asks of an array, but nothing of that reaches the file.

    Args:
        path: The file.

    Returns:
        The array, of the file's type and shape.

    Raises:
        OSError: The file cannot be opened or mapped.
        ValueError: It holds no such array.
    """
    # NumPy checks the header and the length of the file.
    shared = np.load(path, mmap_mode="r", allow_pickle=False)
    if not (isinstance(shared, np.memmap) and shared.flags.c_contiguous):
        raise ValueError("it holds no array in C order")
    # When pages that may be written are mapped, the kernel counts them against the memory of the
    # machine, and refuses an array larger than that. NO_RESERVE turns that off; nobody writes.
    with open(path, "rb") as file:
        memory = mmap.mmap(
            file.fileno(),
            0,
            flags=mmap.MAP_PRIVATE | NO_RESERVE,
            prot=mmap.PROT_READ | mmap.PROT_WRITE,
        )
    return np.ndarray(shared.shape, shared.dtype, memory, shared.offset)
