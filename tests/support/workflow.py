"""A copy of the project, and a way to run a study in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

from tests.support.paths import PROJECT, ROOT


class Workflow:
    """A copy of the project in a folder of its own, with ``study.yaml`` on top of config.yaml."""

    python = sys.executable  # of Snakemake and its jobs
    limit: float | None = None  # seconds that a command may take

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def config(self) -> dict:
        return yaml.safe_load((self.folder / "study.yaml").read_text())

    def edit(self, change) -> None:
        """Apply ``change(config)`` to the study's config in place."""
        config = self.config()
        change(config)
        (self.folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def environment(self) -> dict:
        return environment()

    def command(self, *arguments: str) -> list[str]:
        snakemake = [self.python, "-m", "snakemake", "--configfile", "study.yaml"]
        return [*snakemake, *(arguments or ("--cores", "2"))]

    def snakemake(
        self, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=self.limit,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(done.args)}\n{done.stdout}\n{done.stderr}")
        return done

    def run(self, *arguments: str) -> tuple[Counter, int]:
        """Run the study: how many jobs of each rule ran, how many cells were computed."""
        before = self.stamps()
        done = self.snakemake("--cores", "2", *arguments)
        jobs = re.findall(
            r"Finished jobid: \d+ \(Rule: (\w+)\)", done.stdout + done.stderr
        )
        jobs = Counter(rule for rule in jobs if rule != "all")
        return jobs, len(self.stamps() - before)

    def stored(self) -> set[str]:
        return {path.stem for path in (self.results / "store").rglob("*.safetensors")}

    def stamps(self) -> set[tuple[str, int]]:
        """Entries of the store with their times: one that is computed again is a new one."""
        files = (self.results / "store").rglob("*.safetensors")
        return {(path.stem, path.stat().st_mtime_ns) for path in files}

    def stored_at(self, key: str) -> Path:
        return self.results / "store" / key[:2] / f"{key}.safetensors"

    def rows(self) -> list[dict]:
        """The cells of all evaluations: model, alpha, data set, key and what was found."""
        files = (self.results / "evaluations").glob("*.json")
        return [
            cell for path in files for cell in json.loads(path.read_text())["cells"]
        ]

    def cells(self) -> set[str]:
        return {cell["key"] for cell in self.rows()}

    def zero_shot_tower(self) -> str:
        """Digest of the image tower that everything starts from."""
        (card,) = self.results.glob("classifiers/zero-shot-*/classifier.json")
        return json.loads(card.read_text())["tower_sha256"]

    def tables(self) -> dict[str, bytes]:
        """Content of everything that people read: tables and figures."""
        studies = self.results / "studies"
        return {
            str(p.relative_to(studies)): p.read_bytes()
            for p in studies.rglob("*")
            if p.is_file()
        }

    def copy(self, folder: Path) -> "Workflow":
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, symlinks=True)
        return Workflow(folder)


def environment() -> dict:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST"))
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def copy_project(folder: Path, study: str = "micro") -> Workflow:
    folder.mkdir(parents=True, exist_ok=True)
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    shutil.copy2(ROOT / "tests" / "configs" / f"{study}.yaml", folder / "study.yaml")
    shutil.copy2(ROOT / "tests" / "configs" / "names.csv", folder / "names.csv")
    return Workflow(folder)


def write_images(folder: Path, per_class: int = 2, seed: int = 7) -> None:
    """A folder source: small pictures in one sub-folder per class of the objects task."""
    import numpy as np
    from PIL import Image

    from stockpot.datasets.sources.world import prepare

    spec = {
        "name": "own",
        "seed": seed,
        "task": "objects",
        "distribution": "v2",
        "images": 16 * per_class,
        "image_size": 32,
    }
    made = prepare(spec)
    for i, (image, label) in enumerate(zip(made.images, np.asarray(made.labels))):
        path = folder / made.class_names[label] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((40, 48)).save(path)
