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
import signal
from pathlib import Path

import hypothesis
import pytest
import yaml

from tests.support.paths import ARCHITECTURE, ROOT, SCRIPTS
from tests.support.short_runs import PROMPTS, RUNS, run_spec

hypothesis.settings.register_profile(
    "unit", deadline=None, max_examples=100, derandomize=True, database=None
)
hypothesis.settings.load_profile("unit")


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


@pytest.fixture
def embedded_plan(config):
    """The plan of the embedded study, fresh for every test."""
    from stockpot.planning import build_plan

    return build_plan.build(config, lambda path: ROOT / path)


@pytest.fixture
def interrupt_is_heard():
    """Tests that run in the background may have been told to ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
