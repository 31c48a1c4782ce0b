"""A Python that has imported what is heavy: every start of it is a fork of one process.

Two thirds of a small study's time are the imports of its jobs. Tests of what runs and what comes
out give Snakemake this interpreter, which gives it to its jobs. Its forks have one seed of strings'
hashes, and killing it kills no fork: how jobs start, are killed, share a machine and end with the
same bytes is tested with the real one. Of our own modules only that which imports open_clip has
run before the fork.
"""

import atexit
import importlib
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

import numpy

HEAVY = (
    "snakemake.cli",
    "snakemake.script",
    "jsonschema",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
    "mpl_toolkits.mplot3d",
    "pandas",
    "PIL.Image",
    "safetensors.torch",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.datasets",
    "statsmodels.stats.multitest",
    "torch",
    "torch.utils.data",
    "tqdm",
    "yaml",
)
_SERVERS: list[subprocess.Popen] = []  # their standard input ends with this process
SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
# What is started as the interpreter: it hands over where it is and what it was given.
INTERPRETER = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [b"%8d" % len(asked)], [0, 1, 2])
    server.sendall(asked)
    sys.exit(int(server.recv(8) or 1))
"""


@cache
def warm_interpreter() -> str:
    """Start the process to fork, once, which ends with this one; the path of its interpreter."""
    folder = Path(
        tempfile.mkdtemp(prefix="warm-")
    )  # the path of a socket may not be long
    python = folder / "python"
    python.write_text(
        INTERPRETER.format(python=sys.executable, path=str(folder / "socket"))
    )
    python.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdout.readline() == b"ready\n"
    _SERVERS.append(server)
    return str(python)


def serve(folder: Path) -> None:
    """Fork for whoever connects, until standard input ends, then end all forks."""
    for name in HEAVY:
        importlib.import_module(name)
    import_open_clip()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                answer(connection, str(folder / "python"))
            connection.close()
    shutil.rmtree(folder)
    os.killpg(0, signal.SIGKILL)


def import_open_clip() -> None:
    """Import open_clip and timm as the library does, but leave nothing of the library itself.

    Tests change its code.
    """
    sys.path.insert(0, str(SCRIPTS))
    importlib.import_module("stockpot.models.third_party")
    sys.path.remove(str(SCRIPTS))
    for name in list(sys.modules):
        if name.split(".")[0] == "stockpot":
            del sys.modules[name]


def answer(connection: socket.socket, python: str) -> None:
    """Do what an interpreter would with these arguments, and tell its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, *_ = socket.recv_fds(connection, 8, 3)
    asked = b""
    while (
        size
        and len(asked) < int(size)
        and (part := connection.recv(int(size) - len(asked)))
    ):
        asked += part
    if not size or len(asked) < int(size):
        os._exit(1)  # whoever asked is gone
    arguments, folder, environment = json.loads(asked)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    random.seed()
    numpy.random.seed()
    status = run(arguments, python)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    connection.sendall(str(status).encode())
    os._exit(status)


def run(arguments: list[str], python: str) -> int:
    import torch

    # Read when torch is loaded, which was before.
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    try:
        if arguments[0] == "-m":
            sys.path[0], sys.executable, sys.argv = os.getcwd(), python, arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.path[0], sys.argv = str(Path(arguments[0]).parent), arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
