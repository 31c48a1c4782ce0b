"""Let the path of the Python interpreter contain any characters.

Snakemake hands this path to a shell without quoting it. With the wrappers below around two of its
own functions, a checkout or a virtual environment may lie in a folder whose name has blanks,
quotes, brackets or ampersands.
"""

import shlex
import sys
from collections.abc import Callable
from typing import Any

from snakemake.executors import local
from snakemake.script import PythonScript
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

QUOTED = shlex.quote(sys.executable)


def quote_interpreter() -> None:
    """Quote the path of this interpreter wherever Snakemake writes it into a command."""
    # A path without special characters needs no quotes.
    if QUOTED == sys.executable:
        return
    # Scripts of rules run by the first command, Snakemake itself within a job by the second.
    execute = PythonScript._execute_cmd
    PythonScript._execute_cmd = _quoting_scripts(execute)
    for executor in (local.Executor, RemoteExecutor):
        get_path = executor.get_python_executable
        executor.get_python_executable = _quoting_jobs(get_path)


def _quoting_scripts(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the method that formats the command of a script and runs it."""

    def quoted(
        self: PythonScript,
        command: str,
        **values: Any,
    ) -> Any:
        if values.get("py_exec") == sys.executable:
            values["py_exec"] = QUOTED
        return execute(self, command, **values)

    return quoted


def _quoting_jobs(get_path: Callable[[Any], str]) -> Callable[[Any], str]:
    """Wrap the method that returns the interpreter of a job."""

    def quoted(self: Any) -> str:
        path = get_path(self)
        return QUOTED if path == sys.executable else path

    return quoted
