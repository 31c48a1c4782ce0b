"""One run on several GPUs or nodes: torchrun starts a worker process on each GPU."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ..runtime.errors import StockpotError, StoppedError
from ..runtime.gpus import acquire_gpus
from ..runtime.stop_requests import SIGNALS
from . import worker

SCRIPTS = Path(__file__).parents[2]
log = logging.getLogger(__name__)

# Seconds that the main process has to write its state before all are killed.
SHUTDOWN_TIMEOUT_S = 600

# Clocks of files and of processes may differ by this much, in seconds.
CLOCK_TOLERANCE_S = 1

# Jobs of SLURM on one node need different ports: one of these many, from the job's number.
FIRST_PORT = 20_000
PORT_COUNT = 20_000


def launch_distributed(
    arguments: dict[str, Any],
    processes: int,
    nodes: int = 1,
    threads: int = 1,
) -> None:
    """Call ``run.run(**arguments)`` in several processes on each of several nodes.

    Each process has one of the GPUs, if there are any. This process holds their locks, and its
    children inherit them. Signals are passed on to the processes.

    Args:
        arguments: The arguments of ``run.run``: paths, and what JSON can hold.
        processes: Processes on each node.
        nodes: Nodes; more than one needs a job of SLURM.
        threads: Threads on each node, which its processes share.

    Raises:
        StoppedError: The run was asked to stop and has saved its state.
        StockpotError: The run failed; its own error line is in the log above.
    """
    # The GPUs are locked here, as the workers cannot agree on who takes which.
    acquire_gpus(processes)
    place = f" on each of {nodes} nodes" if nodes > 1 else ""
    log.info("training in %d processes%s", processes, place)
    with tempfile.TemporaryDirectory() as temporary:
        job_file = Path(temporary) / "run.json"
        if nodes > 1:
            # Other nodes can read the folder of the run, and not this one's temporary files.
            job_file = arguments["folder"] / ".run.json"
        job_file.parent.mkdir(parents=True, exist_ok=True)
        job_file.write_text(json.dumps(arguments, default=str))
        torchrun = _torchrun_command(processes, nodes, threads)
        command = [*torchrun, "-m", worker.__name__, str(job_file)]
        exit_code, signal_times = _run_passing_signals_on(
            command,
            _environment(max(1, threads // processes)),
        )
        job_file.unlink()
    if not exit_code:
        return
    # A stop that saved nothing is a failure: the next attempt would begin anew.
    if signal_times and _saved_since(arguments["folder"], signal_times[0]):
        raise StoppedError("with all of its processes")
    raise StockpotError(
        f"the {processes * nodes} processes of this run ended with {exit_code}"
    )


def _environment(threads_per_process: int) -> dict[str, str]:
    """The environment of the processes, in which they find this package."""
    python_path = [str(SCRIPTS), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads_per_process),
        "PYTHONPATH": os.pathsep.join(python_path),
    }


def _run_passing_signals_on(
    command: list[str],
    environment: dict[str, str],
) -> tuple[int, list[float]]:
    """Run a command; returns its exit code, and the times at which a signal was passed on."""
    # The descriptors of the GPUs' locks stay open in the child, as close_fds is False.
    with (
        subprocess.Popen(command, env=environment, close_fds=False) as child,
        _signals_passed_on(child) as signal_times,
    ):
        exit_code = child.wait()
    return exit_code, signal_times


@contextmanager
def _signals_passed_on(child: subprocess.Popen) -> Iterator[list[float]]:
    """Send SIGTERM to the child for each signal that asks to stop, and list their times."""
    signal_times = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        """Relay a signal as SIGTERM, which torchrun sends on to all of its workers."""
        signal_times.append(time.time())
        child.send_signal(signal.SIGTERM)

    handlers_before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        yield signal_times
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)


def _saved_since(folder: Path, moment: float) -> bool:
    """Whether a state of the run was written at or after a time."""
    save_times = [path.stat().st_mtime for path in folder.glob(".state/*/state.pt")]
    return max(save_times, default=0) >= moment - CLOCK_TOLERANCE_S


def _torchrun_command(
    processes: int,
    nodes: int,
    threads: int,
) -> list[str]:
    """The command up to the module that torchrun starts."""
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        f"--nproc-per-node={processes}",
        f"--shutdown-timeout={SHUTDOWN_TIMEOUT_S}",
    ]
    if nodes == 1:
        return [*torchrun, "--standalone"]
    job_id = os.environ.get("SLURM_JOB_ID")
    if not job_id:
        raise StockpotError(
            f"set-resources, nodes: {nodes} wanted, but this is no job of SLURM"
        )
    # One torchrun per node, inside the resources of this job (--overlap).
    srun = [
        "srun",
        "--overlap",
        f"--nodes={nodes}",
        f"--ntasks={nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={threads}",
        "--kill-on-bad-exit=1",
    ]
    port = FIRST_PORT + int(job_id) % PORT_COUNT
    return [
        *srun,
        *torchrun,
        f"--nnodes={nodes}",
        "--rdzv-backend=c10d",
        f"--rdzv-id={job_id}",
        f"--rdzv-endpoint={socket.gethostname()}:{port}",
    ]
