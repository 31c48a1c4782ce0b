"""The formulas of docs/guide/scale.md against a small study: what it computes, writes and submits.

python benchmarks/scale.py prints the table of docs/guide/scale.md.
"""

import json
import re
import subprocess
import sys
import tempfile
from math import ceil
from pathlib import Path

import numpy as np
import yaml
from safetensors import safe_open

from planning import large
from simulated import copy

N, A, TESTS, IMAGES, TRAINED, EPOCHS, SOUPS, CLASSES = 6, 5, 3, 600, 640, 2, 2, 16
LOCAL = (
    "all",
    "overlap",
    "main_table",
    "compare",
    "summary",
    "figure",
    "samples",
    "page",
    "overview",
    "explore",
)


def study(*, logits: bool) -> dict:
    """Make the config of the small study.

    Args:
        logits: Whether to store logits.

    Returns:
        A config that extends that of the project.
    """
    config = large(N, TESTS, A)
    images = {name: {"images": IMAGES} for name in ("reference", "held-out")}
    for entry in config["datasets"].values():
        entry["images"] = IMAGES
    config["datasets"] |= images | {"train": {"images": TRAINED}}
    config["finetune"]["search"]["space"] = {"epochs": None}
    config["finetune"]["defaults"] = {"epochs": EPOCHS}
    return config | {
        "baselines": {"models": None},
        "evaluation": {"store_logits": logits},
        "figures": None,
        "pages": [],
    }


def formulas(parameters: int, side: int, *, logits: bool) -> dict[str, float]:
    """Compute what is to be expected.

    Args:
        parameters: Of the model.
        side: Height and width of an image in pixels.
        logits: Whether the store has logits.

    Returns:
        What -> its value.
    """
    # That models are evaluated on, the held-out set too.
    sets = TESTS + 1
    cells = sets * (1 + N + SOUPS + N * (A - 2))
    return {
        "cells, without those of the greedy search": cells,
        "images through a model": cells * IMAGES,
        "images trained on": N * EPOCHS * TRAINED,
        "weights, MB": 4 * parameters * (N + 1) / 1e6,
        "data sets, MB": (sets * IMAGES + TRAINED) * (3 * side**2 + 16) / 1e6,
        "store, bytes per cell": IMAGES * (13 + 4 * CLASSES * logits),
        "submissions": sets + 1 + 1 + 1 + N + ceil(N / 4) + N + 2 * SOUPS,
    }


def measured(folder: Path, output: str) -> dict[str, float]:
    """Count what a finished study has computed, written and submitted.

    Args:
        folder: Of the study.
        output: What Snakemake printed.

    Returns:
        What -> its value, as ``formulas``.
    """
    results = folder / "results"
    families = [
        json.loads(p.read_text()) for p in (results / "evaluations").glob("*.json")
    ]
    wanted = {cell["key"]: cell["n"] for family in families for cell in family["cells"]}
    stored = {path.stem: path for path in (results / "store").rglob("*.safetensors")}
    sizes = [stored[key].stat().st_size for key in wanted]
    logs = [p.read_text() for p in (results / "logs").rglob("*.log")]
    computed = sum(
        int(n) for log in logs for n in re.findall(r"(\d+) cells computed", log)
    )
    cards = [
        json.loads(p.read_text()) for p in results.glob("classifiers/*/classifier.json")
    ]
    train = json.loads(next(results.glob("datasets/train-*/dataset.json")).read_text())[
        "n"
    ]
    weights = [
        p.stat().st_size for p in results.glob("classifiers/*/classifier.safetensors")
    ]
    arrays = [p.stat().st_size for p in results.glob("datasets/*/*.npy")]
    jobs = re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output)
    assert computed == len(stored), "a cell was computed twice"
    print(f"greedy search: {len(stored) - len(wanted)} more cells, at most {N - 1}")
    return {
        "cells, without those of the greedy search": len(wanted),
        "images through a model": sum(wanted.values()),
        "images trained on": sum(len(card["history"]) for card in cards) * train,
        "weights, MB": sum(weights) / 1e6,
        "data sets, MB": sum(arrays) / 1e6,
        "store, bytes per cell": float(np.mean(sizes)),
        "submissions": sum(job not in LOCAL for job in jobs),
    }


def parameters(folder: Path) -> int:
    """Count the parameters of a study's model.

    Args:
        folder: Of the study.

    Returns:
        How many numbers the zero-shot model has.
    """
    path = next(folder.glob("results/classifiers/zero-shot-*/classifier.safetensors"))
    with safe_open(path, framework="np") as file:
        names = list(file.keys())
        return sum(int(np.prod(file.get_slice(name).get_shape())) for name in names)


def side(folder: Path) -> int:
    """Read the size of a study's images.

    Args:
        folder: Of the study.

    Returns:
        Height and width in pixels.
    """
    return np.load(next(folder.glob("results/datasets/train-*/images.npy")), "r").shape[
        1
    ]


def main() -> None:
    """Print the table, without and with stored logits.

    Raises:
        SystemExit: If Snakemake fails, with the end of its output.
    """
    for logits in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            copy(folder, N, stub=False)
            (folder / "large.yaml").write_text(yaml.safe_dump(study(logits=logits)))
            command = [sys.executable, "-m", "snakemake", "--configfile", "large.yaml"]
            done = subprocess.run(
                [*command, "--cores", "2"], cwd=folder, capture_output=True, text=True
            )
            output = done.stdout + done.stderr
            if done.returncode:
                raise SystemExit(output[-3000:])
            expected = formulas(parameters(folder), side(folder), logits=logits)
            found = measured(folder, output)
        print(
            f"\nlogits stored: {logits}\n| what | formula | measured |\n| :-- | --: | --: |"
        )
        for what, value in expected.items():
            print(f"| {what} | {value:,.5g} | {found[what]:,.5g} |", flush=True)


if __name__ == "__main__":
    main()
