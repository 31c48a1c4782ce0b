"""Call a function that reads a file from elsewhere, within limits of memory and time.

The function runs in a forked child process, which the kernel stops at the limits. One limit holds
for every file format, so no reader needs a guard against each way in which a small file can ask
for a lot of memory.
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
from typing import Any, NoReturn, TypeVar

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line

Result = TypeVar("Result")

# Reading a file of s bytes may take MEMORY_FACTOR x s + MEMORY_BASE_BYTES bytes of memory, on top
# of what the process has mapped already.
MEMORY_FACTOR = 50
MEMORY_BASE_BYTES = 200 << 20
# Limits of processor time. Unlike wall time, it does not depend on how busy the machine is.
CPU_BASE_S = 20
CPU_S_PER_MB = 2
# Limits of wall time: a child that neither computes nor ends waits for something that never comes.
WALL_FACTOR = 60
MAX_WALL_S = 20 * 60

# Signals for which the parent may have handlers that save its state or end its jobs.
HANDLED_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
)

# How a call in the child ended; the child sends one of these with a value.
_UNKNOWN = 0
_RETURNED = 1
_REFUSED = 2
_FAILED = 3
_NO_MEMORY = 4

_READ_BYTES = 1 << 20
# Stands for the mapped memory where the system does not report it.
_ASSUMED_MAPPED_BYTES = 64 << 30


def memory_limit(size: int) -> int:
    """Return how much memory reading a file may take.

    Args:
        size: Size of the file in bytes.

    Returns:
        Memory in bytes.
    """
    return MEMORY_FACTOR * size + MEMORY_BASE_BYTES


def cpu_limit(size: int) -> int:
    """Return how much processor time reading a file may take.

    Args:
        size: Size of the file in bytes.

    Returns:
        Processor time in seconds.
    """
    megabytes = size >> 20
    return CPU_BASE_S + CPU_S_PER_MB * megabytes


def silence_limit(size: int) -> float:
    """Return for how long the reader of a file may send nothing.

    Args:
        size: Size of the file in bytes.

    Returns:
        Wall time in seconds.
    """
    return min(cpu_limit(size) * WALL_FACTOR, MAX_WALL_S)


def bounded(
    function: Callable[..., Result],
    path: str | Path,
    *arguments: Any,
    what: str = "",
) -> Result:
    """Call ``function(path, *arguments)`` in a child process with limits.

    Args:
        function: Reads the file. Its result must be picklable. Changes that it makes to memory
            are lost with the child; its log messages appear.
        path: The file. Its size sets the limits.
        *arguments: Further arguments of the function.
        what: Key of the config that names the file. Errors about the limits begin with it.

    Returns:
        The result of the function.

    Raises:
        StockpotError: The function raised it, or the file needs more than the limits.
        Exception: The function raised any other exception.
    """
    size = _file_size(path)
    # Text that waits in a buffer would be written twice, by the parent and by the child.
    sys.stdout.flush()
    sys.stderr.flush()
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiver)
        _run_child(sender, size, function, path, arguments)
    os.close(sender)
    answer, status = _wait(child, receiver, silence_limit(size))
    return _result(answer, status, path, size, what)


def _file_size(path: str | Path) -> int:
    """Size of a file in bytes; 0 where there is none, which the reading function reports."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _run_child(
    sender: int,
    size: int,
    function: Callable[..., Any],
    path: str | Path,
    arguments: tuple[Any, ...],
) -> NoReturn:
    """Run the body of the child; never return, so that no code of the parent runs twice."""
    status = 1
    try:
        for number in HANDLED_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        faulthandler.disable()  # the parent reports in one line how its child ended
        _set_limits(size)
        answer = _call(function, path, arguments)
        with os.fdopen(sender, "wb") as file:
            file.write(answer)
        status = 0
    finally:
        os._exit(status)


def _set_limits(size: int) -> None:
    """Limit the memory, core dumps and processor time of this process."""
    address_space = _mapped_bytes() + memory_limit(size)
    _lower_limit(resource.RLIMIT_AS, address_space)
    _lower_limit(resource.RLIMIT_CORE, 0)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + cpu_limit(size)
    # The kernel sends SIGXCPU at the first limit and SIGKILL at the second. SIGKILL is also what
    # it sends when memory runs out, so the two limits must differ.
    _lower_limit(resource.RLIMIT_CPU, seconds, seconds + 1)


def _lower_limit(
    limit: int,
    soft: int,
    hard: int | None = None,
) -> None:
    """Set a limit, unless a lower one is in force; ``hard`` is ``soft`` where it is None."""
    if hard is None:
        hard = soft
    _, current_hard = resource.getrlimit(limit)
    if current_hard != resource.RLIM_INFINITY:
        soft = min(soft, current_hard)
        hard = min(hard, current_hard)
    resource.setrlimit(limit, (soft, hard))


def _mapped_bytes() -> int:
    """Return the address space of this process in bytes."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            page_count = int(file.read().split()[0])
    except OSError:  # only Linux has this file
        return _ASSUMED_MAPPED_BYTES
    return page_count * resource.getpagesize()


def _call(
    function: Callable[..., Any],
    path: str | Path,
    arguments: tuple[Any, ...],
) -> bytes:
    """Call the function; return a pickle of how it ended and of its result or error."""
    try:
        return pickle.dumps((_RETURNED, function(path, *arguments)))
    except MemoryError:
        pass
    except StockpotError as error:
        return pickle.dumps((_REFUSED, str(error)))
    except Exception as error:
        return _pickled_error(error)
    # This stands outside of the handler, so that all that the function held is freed by now.
    return pickle.dumps((_NO_MEMORY, None))


def _pickled_error(error: Exception) -> bytes:
    """Pickle an error, or its text where the error itself cannot be pickled and read back."""
    try:
        pickle.loads(pickle.dumps(error))
        return pickle.dumps((_FAILED, error))
    except Exception:
        return pickle.dumps((_FAILED, RuntimeError(repr(error))))


def _wait(
    child: int,
    receiver: int,
    seconds: float,
) -> tuple[bytes | None, int]:
    """Return all that the child writes, see ``_receive``, and its exit status."""
    try:
        answer = _receive(receiver, seconds)
    except BaseException:
        # A signal or an error of the parent; its child must not go on without it.
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(receiver)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return answer, status


def _receive(receiver: int, seconds: float) -> bytes | None:
    """Return all that the child writes; None if it is silent for so many seconds."""
    chunks = []
    while True:
        ready, _, _ = select.select(
            [receiver],
            [],
            [],
            seconds,
        )
        if not ready:
            return None
        chunk = os.read(receiver, _READ_BYTES)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _result(
    answer: bytes | None,
    status: int,
    path: str | Path,
    size: int,
    what: str,
) -> Any:
    """Return the result of the child, or raise its error."""
    outcome = _UNKNOWN
    value = None
    if answer and os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        # The child is a fork of this very process, so its pickle can be trusted.
        outcome, value = pickle.loads(answer)
    if outcome == _RETURNED:
        return value
    if outcome == _REFUSED:
        raise StockpotError(value)
    if outcome == _FAILED:
        raise value
    is_out_of_memory = outcome == _NO_MEMORY or os.WIFEXITED(status)
    is_silent = answer is None
    reason = _reason(
        status, size, is_out_of_memory=is_out_of_memory, is_silent=is_silent
    )
    prefix = f"{what}: " if what else ""
    raise StockpotError(f"{prefix}{one_line(path, 200)}: {reason}")


def _reason(
    status: int,
    size: int,
    *,
    is_out_of_memory: bool,
    is_silent: bool,
) -> str:
    """Say why a child gave no result."""
    signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if is_out_of_memory:
        need = f"more than {memory_limit(size) >> 20} MB of memory"
    elif is_silent:
        need = f"more than {silence_limit(size):.0f} seconds"
    elif signal_number == signal.SIGXCPU:
        need = f"more than {cpu_limit(size)} seconds"
    elif signal_number == signal.SIGKILL:
        return (
            "the system killed the process that reads it, probably because the machine or the "
            "job has no memory left; give it more"
        )
    else:
        return f"its reader crashed (signal {signal_number})"
    return (
        f"reading it needs {need}, too much for a file of {size:,} bytes;"
        " it is damaged or made to do harm"
    )
