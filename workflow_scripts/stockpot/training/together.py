"""One run on several GPUs or nodes: torchrun starts a worker on each GPU."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..runtime.errors import StockpotError, Stopped
from ..runtime.gpus import claim
from ..runtime.stop import SIGNALS
from . import worker

SCRIPTS = Path(__file__).parents[2]
log = logging.getLogger(__name__)

LEAVE = 600  # seconds for the first process to write its state before all are killed


def together(arguments: dict, processes: int, nodes: int = 1, threads: int = 1) -> None:
    """Call ``run.run(**arguments)`` in ``processes`` processes on each of ``nodes`` nodes.

    arguments: with paths and what JSON can hold; threads: of each node. Each process has one of
    the GPUs, where there are any, whose locks outlive this process with them. Signals are passed
    on. Raises Stopped where the run was asked to stop and saved its state, StockpotError for a
    run that ended badly; its own line is in the log above.
    """
    claim(processes)
    where = f" on each of {nodes} nodes" if nodes > 1 else ""
    log.info("training in %d processes%s", processes, where)
    with tempfile.TemporaryDirectory() as folder:
        job = (
            Path(folder) / "run.json"
            if nodes == 1
            else arguments["folder"] / ".run.json"
        )
        job.parent.mkdir(parents=True, exist_ok=True)
        job.write_text(json.dumps(arguments, default=str))
        command = [
            *_torchrun(processes, nodes, threads),
            "-m",
            worker.__name__,
            str(job),
        ]
        own = {"OMP_NUM_THREADS": str(max(1, threads // processes))}
        own["PYTHONPATH"] = os.pathsep.join(
            [str(SCRIPTS), os.environ.get("PYTHONPATH", "")]
        )
        asked, environment = [], {**os.environ, **own}
        with subprocess.Popen(command, env=environment, close_fds=False) as child:

            def pass_on(number, frame):
                asked.append(time.time())
                child.send_signal(signal.SIGTERM)

            before = {n: signal.signal(n, pass_on) for n in SIGNALS}
            code = child.wait()
            for number, handler in before.items():
                signal.signal(number, handler)
        job.unlink()
    states = [
        path.stat().st_mtime for path in arguments["folder"].glob(".state/*/state.pt")
    ]
    if code and asked and max(states, default=0) >= asked[0] - 1:
        raise Stopped("with all of its processes")
    if code:
        raise StockpotError(
            f"the {processes * nodes} processes of this run ended with {code}"
        )


def _torchrun(processes: int, nodes: int, threads: int) -> list[str]:
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        f"--nproc-per-node={processes}",
        f"--shutdown-timeout={LEAVE}",
    ]
    if nodes == 1:
        return [*torchrun, "--standalone"]
    job = os.environ.get("SLURM_JOB_ID")
    if not job:
        raise StockpotError(
            f"set-resources, nodes: {nodes} wanted, but this is no job of SLURM"
        )
    srun = [
        "srun",
        "--overlap",
        f"--nodes={nodes}",
        f"--ntasks={nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={threads}",
        "--kill-on-bad-exit=1",
    ]
    port = 20_000 + int(job) % 20_000
    return [
        *srun,
        *torchrun,
        f"--nnodes={nodes}",
        "--rdzv-backend=c10d",
        f"--rdzv-id={job}",
        f"--rdzv-endpoint={socket.gethostname()}:{port}",
    ]
