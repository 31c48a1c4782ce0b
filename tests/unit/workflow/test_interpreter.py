"""A checkout may lie anywhere: its interpreter is quoted where Snakemake gives it to a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SNAKEFILE = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow_scripts")!r})
from stockpot.workflow.interpreter import quote_interpreter
quote_interpreter()

rule all:
    output: "done.txt"
    script: "write.py"
"""


def nasty_checkout(folder: Path) -> Path:
    """A folder with a Snakefile, and an interpreter that is that of the tests by another path."""
    folder.mkdir(parents=True)
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "write.py").write_text(
        "import sys\nopen(snakemake.output[0], 'w').write(sys.executable)"
    )
    python = folder / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(os.path.realpath(sys.executable))
    (folder / "venv/pyvenv.cfg").write_text(
        f"home = {Path(os.path.realpath(sys.executable)).parent}"
    )
    return python


@pytest.mark.process
@pytest.mark.slow
def test_scripts_run_below_a_folder_of_any_name(tmp_path):
    name = 'it\'s "a" (b) & $c [d] `é` #;*'
    python = nasty_checkout(tmp_path / name)
    packages = os.pathsep.join(
        path for path in sys.path if path.endswith("site-packages")
    )
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST"))
    }
    done = subprocess.run(
        [str(python), "-m", "snakemake", "--cores", "1", "--quiet"],
        cwd=tmp_path / name,
        env={**kept, "PYTHONPATH": packages},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / name / "done.txt").read_text() == str(python)
