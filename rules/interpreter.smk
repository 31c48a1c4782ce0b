# Snakemake hands the path of its interpreter to a shell without quoting it. With these lines a checkout,
# or a virtual environment, may lie below a folder whose name has blanks, quotes, brackets or ampersands.
import shlex
import sys

from snakemake.executors import local
from snakemake.script import PythonScript
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

QUOTED = shlex.quote(sys.executable)


def _interpreter_of_scripts(run):
    def quoted(self, command, **values):
        if values.get("py_exec") == sys.executable:
            values["py_exec"] = QUOTED
        return run(self, command, **values)

    return quoted


def _interpreter_of_jobs(get):
    def quoted(self):
        path = get(self)
        return QUOTED if path == sys.executable else path

    return quoted


# A path without such signs is its own quotation, and nothing changes.
if QUOTED != sys.executable:
    PythonScript._execute_cmd = _interpreter_of_scripts(PythonScript._execute_cmd)
    for executor in (local.Executor, RemoteExecutor):
        executor.get_python_executable = _interpreter_of_jobs(executor.get_python_executable)
