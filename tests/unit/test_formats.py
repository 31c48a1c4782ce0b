"""Models written for other programs, and read back from there."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from stockpot.merging.export import materialize_recipe
from stockpot.merging.import_checkpoint import import_checkpoint
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models import formats
from stockpot.models.card import read_card
from stockpot.models.checkpoints.read import read_tensors
from stockpot.models.classifier import Weights, write_classifier
from stockpot.models.clip import tokenizer
from stockpot.models.files import CONFIG, WEIGHTS
from stockpot.models.load import load_classifier
from stockpot.models.third_party import open_clip
from stockpot.planning import build_plan as spec
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import write_sealed
from tests.support.paths import ARCHITECTURE, ROOT, SCRIPTS

pytestmark = [pytest.mark.process, pytest.mark.slow]

CLIP = ARCHITECTURE, ARCHITECTURE / WEIGHTS
MODELS = ["zero-shot", "a", "linear", "soup", "half way"]
# format -> the file with all of a model's tensors.
WHOLE = {"classifier": "classifier.safetensors", "state-dict": "state_dict.pt"}


@pytest.fixture(scope="module")
def models(zero_shot, runs, tmp_path_factory):
    """Folders: of classifiers as they are, of a linear recipe, of an interpolation at 0.3."""
    root = tmp_path_factory.mktemp("models")
    folders = {
        "zero-shot": zero_shot,
        **{name: runs[name] for name in ("a", "b", "linear")},
    }
    weights = {read_card(f).sha256: Weights(f) for f in folders.values()}
    sha = {name: read_card(folder).sha256 for name, folder in folders.items()}
    recipes = {
        "soup": uniform([sha["a"], sha["b"]]),
        "half way": interpolate(single(sha["zero-shot"]), single(sha["a"]), 0.3),
    }
    for name, recipe in recipes.items():
        materialize_recipe(root / name, recipe, weights, name)
        folders[name] = root / name
    return folders


def images(n=3):
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def logits_in(folder) -> torch.Tensor:
    with torch.no_grad():
        return load_classifier(folder)[0](images())


def written(folder, model, form):
    folder.mkdir()
    formats.load(form)(folder, Weights(model), CLIP)
    return folder


def files_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_formats_are_found_by_name():
    assert formats.names() == ["classifier", "open-clip", "state-dict"]
    with pytest.raises(
        StockpotError, match="^unknown format 'onnx'; there are classifier, open-c"
    ):
        formats.load("onnx")


@pytest.mark.parametrize("name", MODELS)
def test_our_own_format_is_the_classifier(models, tmp_path, name):
    out = written(tmp_path / "out", models[name], "classifier")
    assert files_in(out) == {"classifier.json", "classifier.safetensors"}
    for file in files_in(out):
        assert (out / file).read_bytes() == (models[name] / file).read_bytes()
    assert torch.equal(logits_in(out), logits_in(models[name]))
    assert Weights(out, verify=True).card == read_card(models[name])


@pytest.mark.parametrize("name", MODELS)
def test_a_state_dict_is_plain_torch(models, tmp_path, name):
    """Read without running code, into a model that its card describes."""
    out = written(tmp_path / "out", models[name], "state-dict")
    assert files_in(out) == {"classifier.json", "state_dict.pt"}
    found = torch.load(out / "state_dict.pt", weights_only=True)
    model, card = load_classifier(models[name])
    assert set(found) == set(Weights(models[name]).names)
    assert {t.untyped_storage().nbytes() - t.nbytes for t in found.values()} == {0}
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.zero_()
        model.load_state_dict(found)
        assert torch.equal(model(images()), logits_in(models[name]))
    assert read_card(out) == card


@pytest.mark.parametrize("name", MODELS)
def test_open_clip_loads_its_format_and_the_head_answers(models, clip, tmp_path, name):
    out = written(tmp_path / "out", models[name], "open-clip")
    assert files_in(out) == {
        CONFIG,
        WEIGHTS,
        "head.safetensors",
        "classes.txt",
        "bpe.txt.gz",
    }
    model = open_clip.create_model(f"local-dir:{out}").eval()
    head = load_file(out / "head.safetensors")
    with torch.no_grad():
        features = model.encode_image(images(), normalize=True)
        found = features @ head["weight"].T + head["bias"]
        assert (found - logits_in(models[name])).abs().max() < 1e-6 * found.abs().max()
        words = tokenizer(out)(["a ball", "my picture of a key"])
        theirs, tokenize = clip
        assert torch.equal(words, tokenize(["a ball", "my picture of a key"]))
        assert torch.equal(model.encode_text(words), theirs.encode_text(words))
    assert torch.equal(model.logit_scale, theirs.logit_scale)
    names = (out / "classes.txt").read_text("utf-8").splitlines()
    assert names == read_card(models[name]).class_names
    assert len(head["weight"]) == len(names)


def test_the_tokenizer_of_an_export_loads_from_any_folder(
    models, clip, tmp_path, monkeypatch
):
    """With open_clip alone; here it loads after the folder was moved, too."""
    out = written(tmp_path / "out", models["a"], "open-clip")
    texts = ["a ball", "my picture of a key"]
    expected = clip[1](texts)
    (tmp_path / "elsewhere").mkdir()
    for place in ("elsewhere", "."):
        monkeypatch.chdir(tmp_path / place)
        folder = os.path.relpath(out)
        assert torch.equal(
            open_clip.get_tokenizer(f"local-dir:{folder}")(texts), expected
        )
    out.rename(tmp_path / "moved")
    assert torch.equal(tokenizer(tmp_path / "moved")(texts), expected)


def test_formats_say_their_files(models, tmp_path):
    for form in formats.names():
        out = written(tmp_path / form, models["a"], form)
        assert files_in(out) - {"bpe.txt.gz"} == set(formats.files(form))


@pytest.mark.parametrize("name", MODELS)
def test_an_exported_model_can_be_the_model_of_a_study(models, config, tmp_path, name):
    out = written(tmp_path / "out", models[name], "open-clip")
    config["model"] = {"name": "mine", "pretrain": False, "architecture": str(out)}
    found = spec.build(config, lambda path: ROOT / path).model
    assert found.files == {
        "config": str(out / CONFIG),
        "vocabulary": str(out / "bpe.txt.gz"),
        "weights": str(out / WEIGHTS),
    }


@pytest.mark.parametrize("form", ["classifier", "state-dict", "open-clip"])
@pytest.mark.parametrize("name", ["a", "linear", "half way"])
def test_what_is_written_is_adopted_as_the_same_model(
    models, zero_shot, tmp_path, form, name
):
    """To the last bit: of open_clip's format the tower, under the zero-shot head."""
    out = written(tmp_path / "out", models[name], form)
    path = out / WHOLE.get(form, WEIGHTS)
    assert all(torch.is_tensor(t) for t in read_tensors(path).values())
    wanted = {"name": "back", "path": str(path), "variant": "end-to-end"}
    card, source = (
        import_checkpoint(wanted, zero_shot, tmp_path / "back"),
        read_card(models[name]),
    )
    assert card.tower_sha256 == source.tower_sha256
    if form == "open-clip":
        ours, zero = Weights(tmp_path / "back"), Weights(zero_shot)
        assert torch.equal(ours["head.weight"], zero["head.weight"])
    else:
        assert card.sha256 == source.sha256
        assert torch.equal(logits_in(tmp_path / "back"), logits_in(models[name]))


def test_class_names_of_any_language_are_written(models, tmp_path):
    weights = Weights(models["a"])
    tensors = {name: weights[name] for name in weights.names}
    names = ["žába", *weights.card.class_names[1:]]
    write_classifier(
        tmp_path / "own", replace(weights.card, class_names=names), tensors
    )
    out = written(tmp_path / "out", tmp_path / "own", "open-clip")
    assert (out / "classes.txt").read_bytes().decode("utf-8").splitlines() == names


def test_a_model_of_another_architecture_has_no_text_side(runs, tmp_path):
    """A baseline of timm's, and a CLIP model that is not the study's."""
    with pytest.raises(StockpotError) as error:
        written(tmp_path / "out", runs["scratch"], "open-clip")
    assert str(error.value) == (
        "scratch: its architecture is not that of the study's CLIP model, so it has no text side; "
        "export it as classifier or state-dict"
    )
    assert files_in(tmp_path / "out") == set()
    other = json.loads((ARCHITECTURE / CONFIG).read_text())
    other["model_cfg"]["quick_gelu"] = True
    (tmp_path / CONFIG).write_text(json.dumps(other))
    clip = tmp_path, ARCHITECTURE / WEIGHTS
    with pytest.raises(StockpotError, match="^a: its architecture is not that"):
        formats.load("open-clip")(tmp_path / "out", Weights(runs["a"]), clip)
    (tmp_path / CONFIG).write_text(
        '{"timm": "resnet18", "preprocess_cfg": {"size": 32}}'
    )
    for name in ("a", "scratch"):  # a study whose model has no text side itself
        with pytest.raises(
            StockpotError, match=f"^{name}: its architecture is not that"
        ):
            formats.load("open-clip")(tmp_path / "out", Weights(runs[name]), clip)


@pytest.mark.parametrize("form", list(WHOLE))
def test_a_standard_model_has_the_other_formats(runs, tmp_path, form):
    out = written(tmp_path / "out", runs["scratch"], form)
    found, source = read_tensors(out / WHOLE[form]), Weights(runs["scratch"])
    assert set(found) == set(source.names)
    assert all(torch.equal(found[name], source[name]) for name in source.names)


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


def job(tmp_path, name, folders, form, alpha=None, recipe=None) -> dict:
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


def test_the_script_writes_models_recipes_and_points_of_sweeps(models, tmp_path):
    shas = {name: read_card(folder).sha256 for name, folder in models.items()}
    recipe = {**uniform([shas["a"], shas["b"]]), "method": "uniform", "name": "stew"}
    zero, a, b = (models[name] for name in ("zero-shot", "a", "b"))
    done = run_jobs(
        [
            job(tmp_path, "alone", [zero, a], "classifier"),
            job(tmp_path, "itself", [zero], "classifier"),
            job(tmp_path, "point", [zero, a], "state-dict", 0.3),
            job(tmp_path, "stew", [zero, a, b], "classifier", recipe=recipe),
            job(tmp_path, "stew-end", [zero, a, b], "classifier", 1.0, recipe),
            job(tmp_path, "stew-start", [zero, a, b], "classifier", 0.0, recipe),
            job(tmp_path, "clip", [zero, a, b], "open-clip", 0.5, recipe),
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
    assert found["point"].sha256 == read_card(models["half way"]).sha256
    assert found["stew"].sha256 == read_card(models["soup"]).sha256
    assert found["stew"].kind == "uniform"
    assert read_card(tmp_path / "stew-end").sha256 == found["stew"].sha256
    assert read_card(tmp_path / "stew-start").sha256 == shas["zero-shot"]
    tensors = read_tensors(tmp_path / "clip" / WEIGHTS)
    zero, soup = Weights(models["zero-shot"]), Weights(models["soup"])
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
    models, runs, tmp_path
):
    done = run_jobs(
        [job(tmp_path, "net", [models["zero-shot"], runs["scratch"]], "open-clip")]
    )
    assert done.code == 1
    (line,) = [line for line in done.log.splitlines() if line.startswith("error: ")]
    assert "so it has no text side" in line
    assert "Traceback" not in done.log


def test_an_export_of_another_format_keeps_nothing_of_the_old_one(models, tmp_path):
    """Nor the temporary folder of a job that was killed."""
    zero = models["zero-shot"]
    out = tmp_path / "given"
    killed = out / "tmp1234"
    killed.mkdir(parents=True)
    (killed / "classifier.safetensors").touch()
    (out / "old-vocabulary.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (out / "linked").symlink_to(tmp_path / "elsewhere")
    done = run_jobs([job(tmp_path, "given", [zero], "open-clip")])
    assert done.code == 0, done.log
    assert files_in(out) == set(formats.files("open-clip")) | {"bpe.txt.gz"}
    done = run_jobs([job(tmp_path, "given", [models["a"]], "state-dict")])
    assert done.code == 0, done.log
    assert files_in(out) == set(formats.files("state-dict"))
    assert (tmp_path / "elsewhere").exists()
