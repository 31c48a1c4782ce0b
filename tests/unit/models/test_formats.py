"""Models written for other programs, and read back from there."""

import json
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from stockpot.merging.import_checkpoint import import_checkpoint
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
from tests.support.paths import ARCHITECTURE, ROOT, files_in

pytestmark = [pytest.mark.process, pytest.mark.slow]


CLIP = ARCHITECTURE, ARCHITECTURE / WEIGHTS


MODELS = ["zero-shot", "a", "linear", "soup", "half way"]


# format -> the file with all of a model's tensors.
WHOLE = {"classifier": "classifier.safetensors", "state-dict": "state_dict.pt"}


def random_images(n=3):
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def logits_in(folder) -> torch.Tensor:
    with torch.no_grad():
        return load_classifier(folder)[0](random_images())


def written_model(folder, model, form):
    folder.mkdir()
    formats.load(form)(folder, Weights(model), CLIP)
    return folder


def test_formats_are_found_by_name():
    assert formats.names() == ["classifier", "open-clip", "state-dict"]
    with pytest.raises(
        StockpotError, match="^unknown format 'onnx'; there are classifier, open-c"
    ):
        formats.load("onnx")


@pytest.mark.parametrize("name", MODELS)
def test_our_own_format_is_the_classifier(model_folders, tmp_path, name):
    out = written_model(tmp_path / "out", model_folders[name], "classifier")
    assert files_in(out) == {"classifier.json", "classifier.safetensors"}
    for file in files_in(out):
        assert (out / file).read_bytes() == (model_folders[name] / file).read_bytes()
    assert torch.equal(logits_in(out), logits_in(model_folders[name]))
    assert Weights(out, verify=True).card == read_card(model_folders[name])


@pytest.mark.parametrize("name", MODELS)
def test_a_state_dict_is_plain_torch(model_folders, tmp_path, name):
    """Read without running code, into a model that its card describes."""
    out = written_model(tmp_path / "out", model_folders[name], "state-dict")
    assert files_in(out) == {"classifier.json", "state_dict.pt"}
    found = torch.load(out / "state_dict.pt", weights_only=True)
    model, card = load_classifier(model_folders[name])
    assert set(found) == set(Weights(model_folders[name]).names)
    assert {t.untyped_storage().nbytes() - t.nbytes for t in found.values()} == {0}
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.zero_()
        model.load_state_dict(found)
        assert torch.equal(model(random_images()), logits_in(model_folders[name]))
    assert read_card(out) == card


@pytest.mark.parametrize("name", MODELS)
def test_open_clip_loads_its_format_and_the_head_answers(
    model_folders, clip, tmp_path, name
):
    out = written_model(tmp_path / "out", model_folders[name], "open-clip")
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
        features = model.encode_image(random_images(), normalize=True)
        found = features @ head["weight"].T + head["bias"]
        assert (
            found - logits_in(model_folders[name])
        ).abs().max() < 1e-6 * found.abs().max()
        words = tokenizer(out)(["a ball", "my picture of a key"])
        theirs, tokenize = clip
        assert torch.equal(words, tokenize(["a ball", "my picture of a key"]))
        assert torch.equal(model.encode_text(words), theirs.encode_text(words))
    assert torch.equal(model.logit_scale, theirs.logit_scale)
    names = (out / "classes.txt").read_text("utf-8").splitlines()
    assert names == read_card(model_folders[name]).class_names
    assert len(head["weight"]) == len(names)


def test_the_tokenizer_of_an_export_loads_from_any_folder(
    model_folders, clip, tmp_path, monkeypatch
):
    """With open_clip alone; here it loads after the folder was moved, too."""
    out = written_model(tmp_path / "out", model_folders["a"], "open-clip")
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


def test_formats_say_their_files(model_folders, tmp_path):
    for form in formats.names():
        out = written_model(tmp_path / form, model_folders["a"], form)
        assert files_in(out) - {"bpe.txt.gz"} == set(formats.files(form))


@pytest.mark.parametrize("name", MODELS)
def test_an_exported_model_can_be_the_model_of_a_study(
    model_folders, config, tmp_path, name
):
    out = written_model(tmp_path / "out", model_folders[name], "open-clip")
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
    model_folders, zero_shot, tmp_path, form, name
):
    """To the last bit: of open_clip's format the tower, under the zero-shot head."""
    out = written_model(tmp_path / "out", model_folders[name], form)
    path = out / WHOLE.get(form, WEIGHTS)
    assert all(torch.is_tensor(t) for t in read_tensors(path).values())
    wanted = {"name": "back", "path": str(path), "variant": "end-to-end"}
    card, source = (
        import_checkpoint(wanted, zero_shot, tmp_path / "back"),
        read_card(model_folders[name]),
    )
    assert card.tower_sha256 == source.tower_sha256
    if form == "open-clip":
        ours, zero = Weights(tmp_path / "back"), Weights(zero_shot)
        assert torch.equal(ours["head.weight"], zero["head.weight"])
    else:
        assert card.sha256 == source.sha256
        assert torch.equal(logits_in(tmp_path / "back"), logits_in(model_folders[name]))


def test_class_names_of_any_language_are_written(model_folders, tmp_path):
    weights = Weights(model_folders["a"])
    tensors = {name: weights[name] for name in weights.names}
    names = ["žába", *weights.card.class_names[1:]]
    write_classifier(
        tmp_path / "own", replace(weights.card, class_names=names), tensors
    )
    out = written_model(tmp_path / "out", tmp_path / "own", "open-clip")
    assert (out / "classes.txt").read_bytes().decode("utf-8").splitlines() == names


def test_a_model_of_another_architecture_has_no_text_side(runs, tmp_path):
    """A baseline of timm's, and a CLIP model that is not the study's."""
    with pytest.raises(StockpotError) as error:
        written_model(tmp_path / "out", runs["scratch"], "open-clip")
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
    out = written_model(tmp_path / "out", runs["scratch"], form)
    found, source = read_tensors(out / WHOLE[form]), Weights(runs["scratch"])
    assert set(found) == set(source.names)
    assert all(torch.equal(found[name], source[name]) for name in source.names)
