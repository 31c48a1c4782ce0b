"""What the unit tests share: a small rendered world, one start, a few short runs.

Everything here is made once for all workers and must not be changed by a test; torch and what
builds on it are imported where they are needed, so that light tests stay light.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import fcntl
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow_scripts"
ARCHITECTURE = ROOT / "resources/mini_clip"
PROMPTS = ["a photo of a {}", "a sketch of a {}", "my picture of a {}"]

hypothesis.settings.register_profile(
    "unit", deadline=None, max_examples=100, derandomize=True, database=None
)
hypothesis.settings.load_profile("unit")

HYPERPARAMETERS = {
    "variant": "end-to-end",
    "epochs": 1,
    "batch_size": 32,
    "lr": 3.0e-4,
    "weight_decay": 0.1,
    "warmup": 0.1,
    "label_smoothing": 0.0,
    "grad_clip_norm": 1.0,
    "min_crop_area": 0.9,
    "seed": 1,
}
RUNS = {
    "a": {},
    "b": {"seed": 2, "lr": 5.0e-4},
    "linear": {"variant": "linear-classifier", "epochs": 2, "lr": 3.0e-2},
    "scratch": {
        "variant": "from-scratch",
        "images": 64,
        "architecture": {
            "library": "timm",
            "name": "resnet18",
            "options": {
                "layers": [1, 1, 1, 1],
                "channels": [8, 16, 16, 16],
                "stem_type": "deep",
                "stem_width": 8,
            },
        },
    },
}


def run_spec(name: str) -> dict:
    from stockpot.config.training_runs import with_options

    return with_options({"name": name, **HYPERPARAMETERS, **RUNS[name]})


def python(code: str, hash_seed: int = 0, path: Path = SCRIPTS):
    """What a fresh interpreter prints as JSON in its last line."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": str(path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def tensor_digest(tensors) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    from stockpot.models.stream import TensorDigest

    digest = TensorDigest()
    for name, tensor in sorted(tensors.items()):
        digest.add(name, tensor)
    return digest.hexdigest()


def mixed(coefficients, ingredients, names):
    """(name, tensor) of a mix, in the shapes of the ingredients."""
    import torch

    from stockpot.merging.linear import iterate_mix

    names, first = list(names), ingredients[min(coefficients)]
    for name in dict.fromkeys(names):
        parts = [part for _, part in iterate_mix(coefficients, ingredients, [name])]
        owner = next(
            m for m in (first, *ingredients.values()) if name in list(m.keys())
        )
        yield name, torch.cat(parts).view(owner[name].shape)


@pytest.fixture(scope="session")
def schema() -> dict:
    return yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())


@pytest.fixture
def config() -> dict:
    """The embedded study's config, fresh for every test (no two entries share an object)."""
    return json.loads(json.dumps(yaml.safe_load((ROOT / "config.yaml").read_text())))


@pytest.fixture(scope="session")
def package_copy(tmp_path_factory):
    """A function that copies the library's source to a new folder and edits one file."""

    def copy(file: str | None = None, edit=None) -> Path:
        folder = tmp_path_factory.mktemp("copy") / "stockpot"
        shutil.copytree(
            SCRIPTS / "stockpot", folder, ignore=shutil.ignore_patterns("__pycache__")
        )
        if file is not None:
            path = folder.parent / file
            before = path.read_text()
            after = edit(before)
            assert after != before, f"the edit does not change {file}"
            path.write_text(after)
        return folder

    return copy


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function that makes a folder once for all workers of the test run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def once(name: str, make) -> Path:
        """``make(folder)`` by whoever comes first; the others wait for it."""
        folder, done = shared / name, shared / f"{name}.done"
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def once_value(once):
    """A function that makes a value once for all workers of the test run."""

    def once_value(name: str, make):
        """What ``make(folder)`` returned; each worker has a copy of its own."""

        def keep(folder: Path) -> None:
            (folder / "value.pickle").write_bytes(pickle.dumps(make(folder)))

        return pickle.loads((once(name, keep) / "value.pickle").read_bytes())

    return once_value


WORLD = (
    ("train", 96, "reference"),
    ("held-out", 64, "reference"),
    ("test", 64, "reference"),
    ("sketch", 48, "sketch"),
)


@pytest.fixture(scope="session")
def world(once) -> dict[str, Path]:
    """Dataset folders: train (96 images), held-out (64), test (64), sketch (48)."""

    def make(folder: Path) -> None:
        from stockpot.datasets.dataset import write_dataset
        from stockpot.datasets.sources import load

        for name, images, distribution in WORLD:
            spec = {
                "name": name,
                "seed": 0,
                "task": "objects",
                "distribution": distribution,
                "images": images,
                "image_size": 32,
            }
            found = load("world")(spec)
            write_dataset(
                folder / name, name, found.images, found.labels, found.class_names, spec
            )

    folder = once("unit-world", make)
    return {name: folder / name for name, *_ in WORLD}


@pytest.fixture(scope="session")
def clip():
    """The embedded CLIP model and its tokenizer."""
    from stockpot.models.clip import tokenizer
    from stockpot.models.files import WEIGHTS
    from stockpot.models.zero_shot import load_clip

    return load_clip(ARCHITECTURE, ARCHITECTURE / WEIGHTS), tokenizer(ARCHITECTURE)


@pytest.fixture(scope="session")
def zero_shot(once, world) -> Path:
    """Folder of the zero-shot Classifier of the world's objects."""

    def make(folder: Path) -> None:
        from stockpot.datasets.dataset import read_card
        from stockpot.models.files import WEIGHTS
        from stockpot.models.zero_shot import write_zero_shot

        classes = read_card(world["train"])["class_names"]
        spec = {
            "name": "zero-shot",
            "prompts": PROMPTS,
            "classes": classes,
            "texts": dict(zip(classes, classes)),
        }
        write_zero_shot(
            folder / "zero-shot", ARCHITECTURE, ARCHITECTURE / WEIGHTS, spec
        )

    return once("unit-classifiers", make) / "zero-shot"


@pytest.fixture(scope="session")
def runs(once, world, zero_shot) -> dict[str, Path]:
    """Folders of short runs: two end to end, one linear classifier, one from scratch."""

    def make(folder: Path) -> None:
        from stockpot.training.run import run

        for name in RUNS:
            start = None if name == "scratch" else zero_shot
            train, held_out = world["train"], world["held-out"]
            run(run_spec(name), train, held_out, start, folder / name, "code")

    folder = once("unit-runs", make)
    return {name: folder / name for name in RUNS}


def encoded_spec(source: str, side: int = 16, **options) -> dict:
    """What a source of encoded images gets from the plan."""
    from stockpot.datasets.sources import with_defaults

    made = with_defaults({"name": "own", "source": source, **options})
    return made | {
        "image_size": side,
        "resize_mode": "shortest",
        "interpolation": "bicubic",
    }
