"""Read a foreign file within limits of memory and time, whatever the file is.

The reading happens in a forked child process that the kernel stops at its limits. One bound holds
for every format, so no reader needs a guard for each way in which a small file can ask for much.
"""

import faulthandler
import os
import pickle
import resource
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line

Result = TypeVar("Result")

# A file of s bytes may take FACTOR x s + BASE_BYTES of memory, beyond what the process has already.
MEMORY_FACTOR = 50
MEMORY_BASE_BYTES = 200 << 20
# And this much time of a processor, which does not depend on what else the machine does.
CPU_BASE_S = 20
CPU_S_PER_MB = 2
# A child that neither computes nor ends waits for something that never comes.
WALL_FACTOR = 60
WALL_MOST_S = 20 * 60

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)

_UNKNOWN, _ANSWERED, _REFUSED, _FAILED, _NO_MEMORY = range(5)


def memory_limit(size: int) -> int:
    """Bytes of memory that reading a file of ``size`` bytes may take."""
    return MEMORY_FACTOR * size + MEMORY_BASE_BYTES


def cpu_limit(size: int) -> int:
    """Seconds of a processor that reading a file of ``size`` bytes may take."""
    return CPU_BASE_S + CPU_S_PER_MB * (size >> 20)


def silence_limit(size: int) -> float:
    """Seconds after which the reader of a file of ``size`` bytes has to have answered."""
    return min(cpu_limit(size) * WALL_FACTOR, WALL_MOST_S)


def bounded(
    function: Callable[..., Result], path: str | Path, *arguments: Any, what: str = ""
) -> Result:
    """Call ``function(path, *arguments)`` in a child process with limits.

    Args:
        function: Reads the file. What it returns must be picklable. What it writes to memory is
            gone with the child; what it logs appears.
        path: The file, whose size sets the limits.
        what: Key of the config that names the file; errors of the limits begin with it.

    Returns:
        What the function returned.

    Raises:
        StockpotError: Raised by the function, or because the file needs more than the limits.
        Exception: Any other exception of the function, as it was raised.
    """
    try:
        size = os.stat(path).st_size
    except OSError:
        size = 0  # the function says what is wrong with it, in its own words
    sys.stdout.flush()
    sys.stderr.flush()
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiver)
        _run_child(sender, size, function, path, arguments)
    os.close(sender)
    try:
        answer = _receive(receiver, silence_limit(size))
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(receiver)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return _result(answer, status, path, size, what)


def _run_child(
    sender: int, size: int, function: Callable, path: str | Path, arguments: tuple
):
    """Body of the child; never returns, so that nothing of the parent's runs twice."""
    status = 1
    try:
        # What a parent does at signals (save a state, end jobs) is not for its reader to do.
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)
        faulthandler.disable()  # the parent says in one line how its child ended
        _limit(size)
        answer = _answer(function, path, arguments)
        with os.fdopen(sender, "wb") as file:
            file.write(answer)
        status = 0
    finally:
        os._exit(status)


def _limit(size: int) -> None:
    address_space = _mapped_bytes() + memory_limit(size)
    _lower(resource.RLIMIT_AS, address_space)
    _lower(resource.RLIMIT_CORE, 0)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + cpu_limit(size)
    # At the first limit the kernel sends SIGXCPU, at the second SIGKILL, as for want of memory.
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)


def _lower(limit: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, unless a lower one is in force; ``hard`` is ``soft`` where it is not given."""
    hard = soft if hard is None else hard
    _, most = resource.getrlimit(limit)
    if most != resource.RLIM_INFINITY:
        soft = min(soft, most)
        hard = min(hard, most)
    resource.setrlimit(limit, (soft, hard))


def _mapped_bytes() -> int:
    """Address space of this process in bytes."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux
        return 64 << 30


def _answer(function: Callable, path: str | Path, arguments: tuple) -> bytes:
    try:
        return pickle.dumps((_ANSWERED, function(path, *arguments)))
    except MemoryError:
        pass
    except StockpotError as error:
        return pickle.dumps((_REFUSED, str(error)))
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
            return pickle.dumps((_FAILED, error))
        except Exception:
            return pickle.dumps((_FAILED, RuntimeError(repr(error))))
    # Outside of the handler, so that what the function held is freed.
    return pickle.dumps((_NO_MEMORY, None))


def _receive(receiver: int, seconds: float) -> bytes | None:
    """All that the child writes; None if it is silent for this long."""
    chunks = []
    while True:
        ready, _, _ = select.select([receiver], [], [], seconds)
        if not ready:
            return None
        chunk = os.read(receiver, 1 << 20)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _result(answer: bytes | None, status: int, path: str | Path, size: int, what: str):
    kind, value = _UNKNOWN, None
    if answer and os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        # The child is a fork of this very process, so its pickle is our own.
        kind, value = pickle.loads(answer)
    if kind == _ANSWERED:
        return value
    if kind == _REFUSED:
        raise StockpotError(value)
    if kind == _FAILED:
        raise value
    prefix = f"{what}: " if what else ""
    name = one_line(path, 200)
    signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if kind == _NO_MEMORY or (kind == _UNKNOWN and os.WIFEXITED(status)):
        need = f"more than {memory_limit(size) >> 20} MB of memory"
    elif answer is None:
        need = f"more than {silence_limit(size):.0f} seconds"
    elif signal_number == signal.SIGXCPU:
        need = f"more than {cpu_limit(size)} seconds"
    elif signal_number == signal.SIGKILL:
        raise StockpotError(
            f"{prefix}{name}: the system killed its reader, as it does where the machine or the "
            "job has no memory left; give it more"
        )
    else:
        raise StockpotError(
            f"{prefix}{name}: its reader crashed (signal {signal_number})"
        )
    raise StockpotError(
        f"{prefix}{name}: reading it needs {need}, too much for a file of {size:,} bytes;"
        " it is damaged or made to do harm"
    )
