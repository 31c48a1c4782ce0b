"""Give every process GPUs of its own, also where several jobs share a machine."""

import fcntl
import logging
import os
import re
import socket
import stat
import tempfile
import time
from pathlib import Path

from .atomic_files import open_without_links
from .errors import StockpotError

log = logging.getLogger(__name__)

VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
# Variables with the id of a scheduler's job. Within it, devices may be numbered from 0.
JOB_VARIABLES = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
# Files that the drivers of NVIDIA, of AMD and of Windows (WSL) make.
DRIVER_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
WAIT = 0.5  # seconds between two attempts to take GPUs
# Device -> descriptor of its lock. The kernel releases the lock when the process ends, in any way.
_HELD: dict[str, int] = {}


def has_gpu() -> bool:
    """Tell whether this process may use a GPU.

    Returns:
        True if a driver is loaded and CUDA_VISIBLE_DEVICES does not hide all GPUs.
    """
    if os.environ.get(VISIBLE_DEVICES) in ("", "-1"):
        return False
    return any(Path(file).exists() for file in DRIVER_FILES)


def visible_gpus() -> list[str]:
    """List the GPUs that this process may use, without loading CUDA.

    Returns:
        Names as in CUDA_VISIBLE_DEVICES; all devices of NVIDIA if that is not set.
    """
    variable = os.environ.get(VISIBLE_DEVICES)
    if variable is None:
        device_count = len(list(Path("/dev").glob("nvidia[0-9]*")))
        return [str(index) for index in range(device_count)]
    names = [name.strip() for name in variable.split(",")]
    return [name for name in names if name not in ("", "-1")]


def acquire_gpus(count: int) -> list[str]:
    """Take some of the visible GPUs for this process only, and hide the others from it.

    Waits until so many are free. The locks are files of this machine, which the kernel releases
    when the process ends, in any way. Jobs of a scheduler have separate locks, because each may
    number its devices from 0. This must be called before CUDA is first used. A process of torchrun
    has already been given its GPU.

    Args:
        count: Number of GPUs.

    Returns:
        Names as in CUDA_VISIBLE_DEVICES; empty if there is no GPU at all.

    Raises:
        StockpotError: If some GPUs are visible, but fewer than ``count``.
    """
    devices = visible_gpus()
    if not devices or "LOCAL_RANK" in os.environ or len(_HELD) >= count:
        return list(_HELD) or devices
    if len(devices) < count:
        raise StockpotError(
            f"gpus: {count} wanted, but {len(devices)} visible here ({','.join(devices)})"
        )
    folder = _lock_folder()
    if folder is None:
        log.warning(
            "there is no folder for locks on GPUs; other jobs may use the same GPUs"
        )
        chosen = devices[:count]
    else:
        locks = _wait_for_locks(devices, count, folder)
        _HELD.update(locks)
        chosen = list(locks)
    os.environ[VISIBLE_DEVICES] = ",".join(chosen)
    return chosen


def _lock_folder() -> Path | None:
    """Return a folder of this machine that only this user may write to; None without one.

    It is the first usable one of a few, the same for all processes of the user. In a folder that
    others may make or enter, they could hold the locks.
    """
    name = "stockpot-gpus"
    user = os.getuid()
    folders = [Path(tempfile.gettempdir()) / f"{name}-{user}"]
    session_folder = os.environ.get("XDG_RUNTIME_DIR")
    if session_folder:
        folders.append(Path(session_folder) / name)
    # Machines may share a home, and their devices have the same numbers.
    home = Path(os.path.expanduser("~"))
    folders.append(home / ".cache" / f"{name}-{socket.gethostname()}")
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.lstat()
        except OSError as error:
            log.info("%s: not used for locks on GPUs (%s)", folder, error.strerror)
            continue
        if _is_private_folder(status, user):
            return folder
        log.info("%s: not used for locks on GPUs, as it is not ours alone", folder)
    return None


def _is_private_folder(
    status: os.stat_result,
    user: int,
) -> bool:
    """Tell whether a folder belongs to a user, and neither group nor others may write to it."""
    writable_by_others = stat.S_IMODE(status.st_mode) & 0o022
    is_private = status.st_uid == user and not writable_by_others
    return stat.S_ISDIR(status.st_mode) and is_private


def _wait_for_locks(
    devices: list[str],
    count: int,
    folder: Path,
) -> dict[str, int]:
    """Lock some devices; wait until so many are free."""
    is_first_attempt = True
    while True:
        locks = _lock_free_devices(devices, count, folder)
        if len(locks) >= count:
            return locks
        # Two processes that each kept a part of what they need would wait for each other for ever.
        for descriptor in locks.values():
            os.close(descriptor)
        if is_first_attempt:
            log.info("waiting for %d of the GPUs %s", count, ",".join(devices))
        is_first_attempt = False
        time.sleep(WAIT)


def _lock_free_devices(
    devices: list[str],
    count: int,
    folder: Path,
) -> dict[str, int]:
    """Lock free devices, at most ``count``; return the descriptor of each lock."""
    job = _scheduler_job()
    locks = {}
    for device in devices:
        name = re.sub(r"\W", "_", f"{job}-{device}")
        descriptor = _open_lock_file(folder / name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locks[device] = descriptor
            # Processes of torchrun inherit the lock, so it lives as long as the last of them.
            inheritable = True
            os.set_inheritable(descriptor, inheritable)
        except BlockingIOError:
            os.close(descriptor)
        if len(locks) == count:
            break
    return locks


def _scheduler_job() -> str:
    """Return the id of the scheduler's job that this process is part of; empty without one."""
    for name in JOB_VARIABLES:
        if name in os.environ:
            return os.environ[name]
    return ""


def _open_lock_file(path: Path) -> int:
    """Open a lock file in our own folder; a file of another user in its place is removed."""
    try:
        if path.lstat().st_uid != os.getuid():
            path.unlink()
    except FileNotFoundError:
        pass
    return open_without_links(path, os.O_RDWR | os.O_CREAT, 0o600)
