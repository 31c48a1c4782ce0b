"""One run on several GPUs or nodes: torchrun starts a worker on each GPU."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from ..errors import StockpotError, Stopped
from ..gpus import claim

SCRIPTS = Path(__file__).parents[2]


def together(arguments: dict, processes: int, nodes: int = 1, threads: int = 1) -> None:
    """Call ``run.run(**arguments)`` in ``processes`` processes on each of ``nodes`` nodes.

    arguments: with paths and what JSON can hold. Each process has one of the GPUs, where there are
    any. Signals are passed on. Raises Stopped where the run was asked to stop, StockpotError for
    a run that ended badly; its own line is in the log above.
    """
    claim(processes)
    with tempfile.TemporaryDirectory(dir=arguments["folder"].parent) as folder:
        job = Path(folder) / "run.json"
        job.write_text(json.dumps(arguments, default=str))
        command = [*_torchrun(processes, nodes), "-m", f"{__package__}.worker", str(job)]
        own = {"OMP_NUM_THREADS": str(max(1, threads // processes))}
        own["PYTHONPATH"] = os.pathsep.join([str(SCRIPTS), os.environ.get("PYTHONPATH", "")])
        with subprocess.Popen(command, env={**os.environ, **own}) as child:
            asked = []

            def pass_on(number, frame):
                asked.append(number)
                child.send_signal(number)

            before = {n: signal.signal(n, pass_on) for n in (signal.SIGTERM, signal.SIGINT)}
            code = child.wait()
            for number, handler in before.items():
                signal.signal(number, handler)
    if code and asked:
        raise Stopped("with its processes")
    if code:
        raise StockpotError(f"the {processes * nodes} processes of this run ended with {code}")


def _torchrun(processes: int, nodes: int) -> list[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    if nodes == 1:
        return [*torchrun, "--standalone"]
    job = os.environ.get("SLURM_JOB_ID")
    if not job:
        raise StockpotError(f"resources.nodes: {nodes} wanted, but this is no job of SLURM")
    srun = ["srun", "--overlap", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1"]
    port = 20_000 + int(job) % 20_000
    return [
        *srun, *torchrun, f"--nnodes={nodes}", "--rdzv-backend=c10d", f"--rdzv-id={job}",
        f"--rdzv-endpoint={socket.gethostname()}:{port}",
    ]  # fmt: skip
