"""Lets the path of the interpreter have any signs.

Snakemake hands this path to a shell without quoting it. With these functions in the place of two of
its own, a checkout or a virtual environment may lie below a folder whose name has blanks, quotes,
brackets or ampersands.
"""

import shlex
import sys
from collections.abc import Callable

from snakemake.executors import local
from snakemake.script import PythonScript
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

QUOTED = shlex.quote(sys.executable)


def quote_interpreter() -> None:
    """Quote the path of this interpreter wherever Snakemake writes it into a command."""
    if QUOTED == sys.executable:
        return  # a path without such signs is its own quotation
    PythonScript._execute_cmd = _quoting_scripts(PythonScript._execute_cmd)
    for executor in (local.Executor, RemoteExecutor):
        executor.get_python_executable = _quoting_jobs(executor.get_python_executable)


def _quoting_scripts(execute: Callable) -> Callable:
    def quoted(self, command, **values):
        if values.get("py_exec") == sys.executable:
            values["py_exec"] = QUOTED
        return execute(self, command, **values)

    return quoted


def _quoting_jobs(get: Callable) -> Callable:
    def quoted(self):
        path = get(self)
        return QUOTED if path == sys.executable else path

    return quoted
