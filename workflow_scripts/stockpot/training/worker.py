"""One of the processes of a run on several GPUs, as torchrun starts it."""

import json
import os
import sys
from pathlib import Path

from ..runtime.errors import StockpotError
from ..runtime.gpus import VISIBLE_DEVICES, visible_gpus
from ..runtime.job import configure_logging, exit_on_error

# The arguments of ``run.run`` that are paths, and texts in the job file.
PATHS = ("train", "held_out", "start", "folder", "second_dataset")


def main(job_file: Path) -> None:
    """Train the run together with the other processes.

    Args:
        job_file: JSON file with the arguments of ``run.run``.
    """
    configure_logging(verbose=int(os.environ["RANK"]) == 0)
    with exit_on_error():
        # The GPU is chosen before torch is imported, which counts the GPUs that it may see.
        _choose_gpu(int(os.environ["LOCAL_RANK"]))
        arguments = json.loads(job_file.read_text("utf-8"))
        for name in PATHS:
            if arguments.get(name):
                arguments[name] = Path(arguments[name])

        from torch import cuda, distributed

        from .distributed import TIMEOUT
        from .run import run

        backend = "nccl" if cuda.is_available() else "gloo"
        distributed.init_process_group(backend, timeout=TIMEOUT)
        run(**arguments)
        distributed.destroy_process_group()


def _choose_gpu(rank: int) -> None:
    """Make only one GPU visible; ``rank`` is the number of this process on its node."""
    devices = visible_gpus()
    if not devices:
        return
    if rank >= len(devices):
        raise StockpotError(
            f"{rank + 1} processes here, but only the GPUs {','.join(devices)}"
        )
    os.environ[VISIBLE_DEVICES] = devices[rank]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
