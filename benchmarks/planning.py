"""Planning a large search: 72 runs, 21 alphas each, 8 data sets."""

import sys
import tempfile
from pathlib import Path

import yaml

from timing import run

ROOT = Path(__file__).parents[1]


def measure() -> list[tuple[str, str, str]]:
    shifts = ["v2", "renditions", "sketch", "objectnet", "wide", "typeset"]
    entry = {"source": "world", "task": "objects", "images": 4000}
    config = {
        "study": "large",
        "data": {"shifts": shifts},
        "datasets": {name: {**entry, "distribution": name} for name in shifts},
        "finetune": {"search": {"runs": 71}},
        "sweep": {
            "alphas": [round(0.05 * i, 2) for i in range(21)],
            "of": ["base", *(f"search-{i:02d}" for i in range(71)), "greedy", "uniform"],
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.yaml"
        path.write_text(yaml.safe_dump(config))
        snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        profile = ["--workflow-profile", str(ROOT / "profiles" / "default")]
        planned = run(
            [*snakemake, "-n", "--quiet", "rules", *profile, "--configfile", str(path)], folder
        )
    return [("planning 72 runs x 21 alphas x 8 sets", f"{planned.seconds:.1f} s", "under 5 s")]
