"""The script that exports models, recipes and points of sweeps."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stockpot.merging.recipe import uniform
from stockpot.models import formats
from stockpot.models.card import read_card
from stockpot.models.checkpoints.read import read_tensors
from stockpot.models.classifier import Weights
from stockpot.models.files import CONFIG, WEIGHTS
from stockpot.runtime.sealed import write_sealed
from tests.support.paths import ARCHITECTURE, SCRIPTS, files_in

pytestmark = [pytest.mark.process, pytest.mark.slow]


SCRIPT = """
import json, sys
from pathlib import Path
from types import SimpleNamespace

class Named(dict):
    __getattr__ = dict.__getitem__

class Files(Named):
    def __iter__(self):
        for files in self.values():
            yield from [files] if isinstance(files, str) else files

for job in json.loads(sys.argv[1]):
    snakemake = SimpleNamespace(**job, resources={})
    snakemake.input = Files(job["input"])
    snakemake.params = Named(spec=job["spec"])
    exec(compile(Path(job["script"]).read_text(), "export.py", "exec"), {"snakemake": snakemake})
"""


def export_job(tmp_path, name, folders, form, alpha=None, recipe=None) -> dict:
    """What Snakemake gives the script."""
    given = {
        "cards": [str(folder / "classifier.json") for folder in folders],
        "clip_config": str(ARCHITECTURE / CONFIG),
        "clip_weights": str(ARCHITECTURE / WEIGHTS),
    }
    if recipe:
        write_sealed(tmp_path / f"{name}.json", recipe)
        given["recipe"] = [str(tmp_path / f"{name}.json")]
    return {
        "input": given,
        "output": [str(tmp_path / name / file) for file in formats.files(form)],
        "log": [str(tmp_path / f"{name}.log")],
        "spec": {"name": name, "format": form, "alpha": alpha},
        "script": str(SCRIPTS / "export.py"),
    }


def run_jobs(jobs):
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, "-c", SCRIPT, json.dumps(jobs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return SimpleNamespace(
        code=done.returncode, log=Path(jobs[-1]["log"][0]).read_text()
    )


def test_the_script_writes_models_recipes_and_points_of_sweeps(model_folders, tmp_path):
    shas = {name: read_card(folder).sha256 for name, folder in model_folders.items()}
    recipe = {**uniform([shas["a"], shas["b"]]), "method": "uniform", "name": "stew"}
    zero, a, b = (model_folders[name] for name in ("zero-shot", "a", "b"))
    done = run_jobs(
        [
            export_job(tmp_path, "alone", [zero, a], "classifier"),
            export_job(tmp_path, "itself", [zero], "classifier"),
            export_job(tmp_path, "point", [zero, a], "state-dict", 0.3),
            export_job(tmp_path, "stew", [zero, a, b], "classifier", recipe=recipe),
            export_job(tmp_path, "stew-end", [zero, a, b], "classifier", 1.0, recipe),
            export_job(tmp_path, "stew-start", [zero, a, b], "classifier", 0.0, recipe),
            export_job(tmp_path, "clip", [zero, a, b], "open-clip", 0.5, recipe),
        ]
    )
    assert done.code == 0, done.log
    found = {
        name: read_card(tmp_path / name)
        for name in ("alone", "itself", "point", "stew")
    }
    assert found["alone"].sha256 == shas["a"]
    assert found["alone"].name == "alone"
    assert found["itself"].sha256 == shas["zero-shot"]
    assert found["point"].sha256 == read_card(model_folders["half way"]).sha256
    assert found["stew"].sha256 == read_card(model_folders["soup"]).sha256
    assert found["stew"].kind == "uniform"
    assert read_card(tmp_path / "stew-end").sha256 == found["stew"].sha256
    assert read_card(tmp_path / "stew-start").sha256 == shas["zero-shot"]
    tensors = read_tensors(tmp_path / "clip" / WEIGHTS)
    zero, soup = Weights(model_folders["zero-shot"]), Weights(model_folders["soup"])
    half = (zero["visual.proj"] + soup["visual.proj"]) / 2
    assert torch.allclose(tensors["visual.proj"], half, atol=1e-6)
    assert files_in(tmp_path / "clip") >= {
        CONFIG,
        WEIGHTS,
        "head.safetensors",
        "classes.txt",
    }
    assert files_in(tmp_path / "point") == {"classifier.json", "state_dict.pt"}


def test_the_script_ends_with_one_line_for_a_model_that_has_no_text_side(
    model_folders, runs, tmp_path
):
    done = run_jobs(
        [
            export_job(
                tmp_path,
                "net",
                [model_folders["zero-shot"], runs["scratch"]],
                "open-clip",
            )
        ]
    )
    assert done.code == 1
    (line,) = [line for line in done.log.splitlines() if line.startswith("error: ")]
    assert "so it has no text side" in line
    assert "Traceback" not in done.log


def test_an_export_of_another_format_keeps_nothing_of_the_old_one(
    model_folders, tmp_path
):
    """Nor the temporary folder of a job that was killed."""
    zero = model_folders["zero-shot"]
    out = tmp_path / "given"
    killed = out / "tmp1234"
    killed.mkdir(parents=True)
    (killed / "classifier.safetensors").touch()
    (out / "old-vocabulary.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (out / "linked").symlink_to(tmp_path / "elsewhere")
    done = run_jobs([export_job(tmp_path, "given", [zero], "open-clip")])
    assert done.code == 0, done.log
    assert files_in(out) == set(formats.files("open-clip")) | {"bpe.txt.gz"}
    done = run_jobs([export_job(tmp_path, "given", [model_folders["a"]], "state-dict")])
    assert done.code == 0, done.log
    assert files_in(out) == set(formats.files("state-dict"))
    assert (tmp_path / "elsewhere").exists()
