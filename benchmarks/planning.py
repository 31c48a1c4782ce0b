"""Planning large searches: 72 runs on 8 data sets, 1,000 runs on 12; 21 alphas each."""

import sys
import tempfile
from pathlib import Path

import yaml

from timing import run

ROOT = Path(__file__).parents[1]
KINDS = ("v2", "renditions", "sketch", "objectnet", "wide", "typeset")


def large(runs: int, tests: int, alphas: int = 21) -> dict:
    """Make the config of a large search.

    A uniform and a greedy soup are of all runs. A job has ten models or ten sweeps. There are no
    analyses.

    Args:
        runs: Number of end-to-end runs, each of which is swept.
        tests: Number of test sets: a reference and shifts.
        alphas: Of each sweep.

    Returns:
        A config that extends that of the project.
    """
    shifts = [f"shift-{i}" for i in range(tests - 1)]
    entry = {"source": "world", "task": "objects", "images": 4000}
    return {
        "extends": "config.yaml",
        "study": "large",
        "data": {"shifts": shifts, "corrupted": []},
        "datasets": {
            name: {**entry, "distribution": KINDS[i % len(KINDS)]}
            for i, name in enumerate(shifts)
        },
        "finetune": {"runs": {"base": None, "linear": None}, "search": {"runs": runs}},
        "soups": {"ensemble": None, "chosen": None},
        "sweep": {
            "alphas": [round(i / (alphas - 1), 4) for i in range(alphas)],
            "targets": [f"search-{i:02d}" for i in range(runs)],
        },
        "evaluation": {"models_per_job": 10, "sweeps_per_job": 10},
        "analyses": None,
    }


def planned(runs: int, tests: int):
    """Seconds and memory of ``snakemake -n``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.yaml"
        path.write_text(yaml.safe_dump(large(runs, tests)))
        snakemake = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(ROOT / "Snakefile"),
        ]
        profile = ["--workflow-profile", str(ROOT / "profiles" / "default")]
        return run(
            [*snakemake, "-n", "--quiet", "rules", *profile, "--configfile", str(path)],
            folder,
        )


def measure() -> list[tuple[str, str, str]]:
    """Plan two searches.

    Returns:
        Rows: what, measured, wanted.
    """
    small, big = planned(72, 7), planned(1000, 12)
    return [
        (
            "planning 72 runs, 21 alphas, 8 data sets",
            f"{small.seconds:.1f} s",
            "under 5 s",
        ),
        (
            "planning 1,000 runs, 21 alphas, 12 test sets, with ten models or sweeps per job",
            f"{big.seconds:.1f} s, {big.peak_gib:.1f} GiB",
            "10 s or less",
        ),
    ]
