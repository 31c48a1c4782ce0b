"""The file of a training state, with a digest: a damaged file counts as none."""

import errno
import logging
from pathlib import Path
from typing import Any

import torch

from ..runtime.array_digest import tree_digest
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from ..runtime.sealed import check_place, place_of, unreadable

log = logging.getLogger(__name__)

STATE_FOLDER = ".state"

# torch reports that the CPU's memory is full in a plain RuntimeError with this text.
NO_MEMORY = "can't allocate memory"


def write_state(path: str | Path, content: dict[str, Any]) -> None:
    """Write a state as a whole or not at all.

    Args:
        path: The file.
        content: Nested dicts and lists of tensors and plain data.

    Raises:
        StockpotError: The file cannot be written; the text names the file and the reason.
    """
    content = {**content, "place": _place_from_run(Path(path))}
    # The place is digested too: a state that was copied from another run is none of this one.
    digest = tree_digest(content)
    with atomic(path) as temporary:
        torch.save({**content, "digest": digest}, temporary)


def read_state(
    path: str | Path,
    device: torch.device | str = "cpu",
) -> dict[str, Any] | None:
    """Read a state.

    Args:
        path: The file of a state.
        device: Where its tensors are put.

    Returns:
        The content that was written. None, and a line in the log, where the file is damaged or
        is that of another run.

    Raises:
        StockpotError: The file cannot be read, or there is no memory left for it; it may be whole.
    """
    try:
        return _checked_content(path, device)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _no_memory(path) from error
    except Exception as error:  # whatever torch raises for a damaged file
        # In a file that is cut, torch seeks before the beginning, an invalid argument (EINVAL).
        # Any other OSError is a fault of the machine, and the file may be whole.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise unreadable(path, error) from error
        if NO_MEMORY in str(error):
            raise _no_memory(path) from error
        log.warning("%s: damaged (%.150s); this begins anew", path, _first_line(error))
        return None


def _checked_content(path: str | Path, device: torch.device | str) -> dict[str, Any]:
    """The content of a state; ValueError where it is not what was saved here."""
    content = torch.load(path, weights_only=True, map_location=device)
    digest = content.pop("digest")
    if tree_digest(content) != digest:
        raise ValueError("its content is not what was saved")
    check_place(content.pop("place"), path)
    return content


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    return lines[0]


def _no_memory(path: str | Path) -> StockpotError:
    return StockpotError(
        f"{path}: no memory left to read this state; give the job more"
    )


def _place_from_run(path: Path) -> str:
    """The file's path from the folder of all runs on, as runs have states of equal names."""
    folders = path.absolute().parts
    depth_in_run = -1
    if STATE_FOLDER in folders:
        depth_in_run = len(folders) - folders.index(STATE_FOLDER)
    # Two more folders: that of the run, and that of all runs.
    return place_of(path, depth_in_run + 2)
