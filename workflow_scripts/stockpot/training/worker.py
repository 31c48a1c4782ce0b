"""One of the processes of a run on several GPUs, as torchrun starts it."""

import json
import os
import sys
from pathlib import Path

from ..runtime.errors import StockpotError
from ..runtime.gpus import VISIBLE, visible
from ..runtime.job import ending, talk

PATHS = ("train", "held_out", "start", "folder", "joint")


def main(job: Path) -> None:
    talk(loud=int(os.environ["RANK"]) == 0)
    with ending():
        rank, devices = int(os.environ["LOCAL_RANK"]), visible()
        if devices and rank >= len(devices):
            raise StockpotError(
                f"{rank + 1} processes here, but GPUs {','.join(devices)} alone"
            )
        if devices:
            os.environ[VISIBLE] = devices[rank]
        arguments = json.loads(job.read_text("utf-8"))
        arguments |= {
            name: Path(arguments[name]) for name in PATHS if arguments.get(name)
        }

        from torch import cuda, distributed

        from .processes import WAIT
        from .run import run

        distributed.init_process_group(
            "nccl" if cuda.is_available() else "gloo", timeout=WAIT
        )
        run(**arguments)
        distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
