"""A GPU of its own for every process, also where several jobs share a machine."""

import fcntl
import logging
import os
import re
import tempfile
import time
from pathlib import Path

from .errors import StockpotError

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
# Of a scheduler's job, in which devices may be numbered from 0.
JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
_HELD: dict[str, int] = {}  # device -> descriptor of its lock, which the kernel drops at the end


def has_gpu() -> bool:
    """Is a GPU's driver loaded here (NVIDIA's, AMD's, that of Windows), and may it be used?"""
    drivers = map(Path, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))
    return os.environ.get(VISIBLE) not in ("", "-1") and any(path.exists() for path in drivers)


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
    told = False
    while len(taken := _take(devices, count)) < count:
        for descriptor in taken.values():
            os.close(descriptor)
        if not told:
            log.info("waiting for %d of the GPUs %s", count, ",".join(devices))
        told = True
        time.sleep(0.5)
    _HELD.update(taken)
    os.environ[VISIBLE] = ",".join(taken)
    return list(taken)


def _take(devices: list[str], count: int) -> dict[str, int]:
    """Locks on free devices, ``count`` at the most."""
    job = next((os.environ[name] for name in JOBS if name in os.environ), "")
    folder = Path(tempfile.gettempdir()) / f"stockpot-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    taken = {}
    for device in devices:
        name = re.sub(r"\W", "_", f"{job}-{device}")
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken[device] = descriptor
            os.set_inheritable(descriptor, True)  # by the processes of torchrun
        except BlockingIOError:
            os.close(descriptor)
        if len(taken) == count:
            break
    return taken
