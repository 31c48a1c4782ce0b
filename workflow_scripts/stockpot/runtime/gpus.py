"""A GPU of its own for every process, also where several jobs share a machine."""

import fcntl
import logging
import os
import re
import socket
import stat
import tempfile
import time
from pathlib import Path

from .atomic_files import open_own
from .errors import StockpotError

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
# Of a scheduler's job, in which devices may be numbered from 0.
JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
_HELD: dict[
    str, int
] = {}  # device -> descriptor of its lock, which the kernel drops at the end


def has_gpu() -> bool:
    """Is a GPU's driver loaded here (NVIDIA's, AMD's, that of Windows), and may it be used?"""
    drivers = map(Path, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))
    return os.environ.get(VISIBLE) not in ("", "-1") and any(
        path.exists() for path in drivers
    )


def visible() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them; without CUDA."""
    given = os.environ.get(VISIBLE)
    if given is None:
        return [str(i) for i, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]
    return [name.strip() for name in given.split(",") if name.strip() not in ("", "-1")]


def claim(count: int) -> list[str]:
    """Take ``count`` of the visible GPUs for this process alone, and make the others invisible.

    Waits until so many are free. The locks are files of this machine that the kernel frees when
    the process ends, in any way. Within a scheduler's job they are that job's own, as it numbers
    its devices from 0. To be called before CUDA is; a process of torchrun has been given its own.
    Raises StockpotError where fewer are visible; no GPU at all is not an error.
    """
    devices = visible()
    if not devices or "LOCAL_RANK" in os.environ or len(_HELD) >= count:
        return list(_HELD) or devices
    if len(devices) < count:
        raise StockpotError(
            f"gpus: {count} wanted, but {len(devices)} visible here ({','.join(devices)})"
        )
    told, folder = False, _own_folder()
    if folder is None:
        log.warning(
            "no folder of ours for locks on GPUs; other jobs may use the same ones"
        )
        os.environ[VISIBLE] = ",".join(devices[:count])
        return devices[:count]
    while len(taken := _take(devices, count, folder)) < count:
        for descriptor in taken.values():
            os.close(descriptor)
        if not told:
            log.info("waiting for %d of the GPUs %s", count, ",".join(devices))
        told = True
        time.sleep(0.5)
    _HELD.update(taken)
    os.environ[VISIBLE] = ",".join(taken)
    return list(taken)


def _own_folder() -> Path | None:
    """A folder of this machine that is ours and that nobody else may write to; None without one.

    The first of a few, the same for all of our processes. In one that others could make or enter
    they could hold the locks.
    """
    name, user = "stockpot-gpus", os.getuid()
    folders = [Path(tempfile.gettempdir()) / f"{name}-{user}"]
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        folders.append(Path(runtime) / name)
    # A home may be shared by machines, whose devices have the same numbers.
    folders.append(
        Path(os.path.expanduser("~")) / ".cache" / f"{name}-{socket.gethostname()}"
    )
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            log.info("%s: not used for locks on GPUs (%s)", folder, error.strerror)
            continue
        private = found.st_uid == user and not stat.S_IMODE(found.st_mode) & 0o022
        if stat.S_ISDIR(found.st_mode) and private:
            return folder
        log.info("%s: not used for locks on GPUs, as it is not ours alone", folder)
    return None


def _take(devices: list[str], count: int, folder: Path) -> dict[str, int]:
    """Locks on free devices, ``count`` at the most."""
    job = next((os.environ[name] for name in JOBS if name in os.environ), "")
    taken = {}
    for device in devices:
        name = re.sub(r"\W", "_", f"{job}-{device}")
        descriptor = _lock_file(folder / name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken[device] = descriptor
            os.set_inheritable(descriptor, True)  # by the processes of torchrun
        except BlockingIOError:
            os.close(descriptor)
        if len(taken) == count:
            break
    return taken


def _lock_file(path: Path) -> int:
    """A descriptor of a lock file in our own folder; what somebody else put there is removed."""
    try:
        if path.lstat().st_uid != os.getuid():
            path.unlink()
    except FileNotFoundError:
        pass
    return open_own(path, os.O_RDWR | os.O_CREAT, 0o600)
