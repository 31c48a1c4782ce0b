"""How much is it, and is there room for it?"""

import shutil
from pathlib import Path

from tqdm import tqdm

from ..errors import StockpotError


def readable(n: float) -> str:
    """Bytes for a reader: 1.23GB is 1.23e9 bytes."""
    return tqdm.format_sizeof(n, "B")


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raises StockpotError naming ``what`` if the disk of a folder has no room for its bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StockpotError(
            f"{what}: needs {readable(needed)} on the disk of {folder}, which has "
            f"{readable(free)} free"
        )
