"""What a cluster run costs in addition to its jobs: a large search whose jobs do nothing.

python benchmarks/simulated.py [runs …], with the package snakemake-executor-plugin-cluster-generic

A copy of the project runs under a fake scheduler. With "instant", Snakemake's main process works
as on a cluster, and the benchmark measures its processor time. With "run", each job starts its own
Snakemake as on a cluster, and the benchmark measures the processor time of the jobs.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import yaml

from planning import ROOT, large
from timing import PROJECT

STUB = '''"""Writes what the job declares."""
from pathlib import Path

for path in map(Path, snakemake.output):
    path.write_text("{}\\n")
'''
# Jobs of a rule -> how many of them one submission takes.
GROUPS = {"finetune": 5, "evaluate": 10, "sweep": 20}


def copy(folder: Path, runs: int, *, stub: bool = True) -> None:
    """Copy the project and give it a large study.

    Args:
        folder: Where to.
        runs: Number of runs of the study.
        stub: Whether its scripts only write what they declare.
    """
    for name in PROJECT:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(
            ROOT / name, folder / name
        )
    (folder / "large.yaml").write_text(yaml.safe_dump(large(runs, 12)))
    if not stub:
        return
    for script in (folder / "workflow_scripts").glob("*.py"):
        script.write_text(STUB)
    for rules in (folder / "rules").glob(
        "*.smk"
    ):  # a jobscript does not name its benchmark
        rules.write_text(re.sub("    benchmark:\n.*\n", "", rules.read_text()))


def command(how: str, groups: dict[str, int]) -> list[str]:
    """Make Snakemake's command for the fake scheduler.

    Args:
        how: "instant" or "run".
        groups: Rule -> how many of its jobs one submission takes.

    Returns:
        The arguments.
    """
    fake = f"{sys.executable} {Path(__file__).with_name('fake_scheduler.py')} {how}"
    sizes = [f"{name}={size}" for name, size in groups.items()]
    grouped = [
        "--groups",
        *(f"{name}={name}" for name in groups),
        "--group-components",
        *sizes,
    ]
    return [
        sys.executable,
        "-m",
        "snakemake",
        "--configfile",
        "large.yaml",
        "--quiet",
        "all",
        "--executor",
        "cluster-generic",
        "--jobs",
        "500" if how == "instant" else "2",
        "--cluster-generic-submit-cmd",
        f"{fake} submit",
        "--cluster-generic-status-cmd",
        f"{fake} status",
        "--resources",
        "gpu=10000",
        "--max-status-checks-per-second",
        "1000",
        "--max-jobs-per-timespan",
        "100000/1s",
        "--seconds-between-status-checks",
        "1",
        *(grouped if groups else []),
    ]


def simulate(runs: int, how: str, groups: dict[str, int]) -> dict:
    """Run a large study under the fake scheduler.

    Args:
        runs: Number of runs of the study.
        how: "instant" or "run".
        groups: Rule -> how many of its jobs one submission takes.

    Returns:
        submissions: their number; main: seconds of processor of the main process; wall: seconds;
        cpu: seconds of processor of each submitted job, where it ran.

    Raises:
        SystemExit: If Snakemake fails, with the end of its output.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder), runs)
        jobs = Path(folder) / "jobs"
        jobs.mkdir()
        log = open(Path(folder) / "log", "w")  # noqa: SIM115  closed with the process
        started = time.monotonic()
        process = psutil.Popen(
            command(how, groups),
            cwd=folder,
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "FAKE_SCHEDULER": str(jobs),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        main = 0.0
        while process.poll() is None:
            try:
                times = process.cpu_times()
                main = times.user + times.system
            except psutil.Error:
                pass
            time.sleep(0.2)
        wall = time.monotonic() - started
        if process.returncode:
            raise SystemExit((Path(folder) / "log").read_text()[-3000:])
        ended = [path.read_text().split() for path in jobs.glob("?" * 32)]
        assert Counter(status for status, *_ in ended)["success"] == len(ended)
        return {
            "submissions": len(ended),
            "main": main,
            "wall": wall,
            "cpu": [float(seconds[0]) for _, *seconds in ended if seconds],
        }


def main(sizes: list[int]) -> None:
    """Print the costs of searches.

    Args:
        sizes: Their numbers of runs.
    """
    print(
        "| runs | jobs | submissions | main process, CPU s | per submission, ms | wall, s |"
    )
    print("| --: | :-- | --: | --: | --: | --: |")
    for runs in sizes:
        for name, groups in (("single", {}), ("grouped", GROUPS)):
            found = simulate(runs, "instant", groups)
            each = 1000 * found["main"] / found["submissions"]
            row = [
                runs,
                name,
                found["submissions"],
                f"{found['main']:.0f}",
                f"{each:.0f}",
            ]
            print(
                "|",
                " | ".join(map(str, [*row, f"{found['wall']:.0f}"])),
                "|",
                flush=True,
            )
    found = simulate(4, "run", {})
    each = sum(found["cpu"]) / len(found["cpu"])
    print(
        f"\nA job's own start, 4 runs: {each:.1f} CPU s over {len(found['cpu'])} jobs"
    )


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [50, 100, 200])
