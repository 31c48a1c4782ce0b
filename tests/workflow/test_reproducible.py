"""The same inputs give the same bytes: again, on one core, and through any interruption."""

import random
import signal
import subprocess
import time

from .conftest import copy_project, environment, write_images


def test_killed_five_times_on_one_core_the_tables_are_the_same(finished, tmp_path):
    study = copy_project(tmp_path / "killed")
    write_images(study.folder / "own")
    rng = random.Random(0)
    for kind in (signal.SIGINT, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            study.command("--cores", "1"),
            cwd=study.folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(rng.uniform(4, 16))
        if kind == signal.SIGKILL:
            subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
        else:
            subprocess.run(["kill", f"-{kind.value}", "--", f"-{process.pid}"], check=False)
        process.wait()
        if kind == signal.SIGKILL:
            study.snakemake("--unlock")
    study.snakemake("--cores", "1")
    assert study.tables() == finished.tables()
    assert study.stored() == finished.stored()
