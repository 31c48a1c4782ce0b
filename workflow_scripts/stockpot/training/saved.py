"""The file of a training state, with a digest: a damaged one is as good as none."""

import errno
import logging
from pathlib import Path

import torch

from ..runtime.array_digest import tree_digest
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from ..runtime.sealed import check_place, place_of, unreadable

log = logging.getLogger(__name__)

FOLDER = ".state"
NO_MEMORY = (
    "can't allocate memory"  # torch says it of the CPU's in a plain RuntimeError
)


def write_state(path: str | Path, content: dict) -> None:
    """Write nested dicts and lists of tensors and plain data; whole or not at all.

    Raises StockpotError naming the file and the reason where it cannot be written.
    """
    content = {**content, "place": _place(Path(path))}
    with atomic(path) as temporary:
        torch.save({**content, "digest": tree_digest(content)}, temporary)


def read_state(path: str | Path, device: torch.device | str = "cpu") -> dict | None:
    """What was written, its tensors on a device.

    Args:
        path: The file of a state.
        device: Where its tensors are put.

    Returns:
        None, and a line in the log, where the file is damaged or is that of another run.

    Raises:
        StockpotError: The file cannot be read, or there is no memory left for it; it may be whole.
    """
    try:
        content = torch.load(path, weights_only=True, map_location=device)
        digest = content.pop("digest")
        if tree_digest(content) != digest:
            raise ValueError("its content is not what was saved")
        check_place(content.pop("place"), path)
        return content
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _no_memory(path) from error
    except (
        Exception
    ) as error:  # whatever torch raises for a file that is cut or changed
        # Of a file that is cut, torch seeks what lies before its beginning: an invalid argument.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise unreadable(path, error) from error
        if NO_MEMORY in str(error):
            raise _no_memory(path) from error
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        log.warning("%s: damaged (%.150s); this begins anew", path, reason)
        return None


def _no_memory(path: str | Path) -> StockpotError:
    return StockpotError(
        f"{path}: no memory left to read this state; give the job more"
    )


def _place(path: Path) -> str:
    """From the folder of all runs on, as runs have states of equal names."""
    parts = path.absolute().parts
    inside = len(parts) - parts.index(FOLDER) if FOLDER in parts else -1
    return place_of(path, inside + 2)
