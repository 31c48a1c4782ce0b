"""The zero-shot model of a model that comes by its name, and its texts."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from stockpot.config.zero_shot_head import read_head
from stockpot.models.files import WEIGHTS, preprocessing
from stockpot.models.hub_models import named_config
from stockpot.models.import_weights import write_model
from stockpot.models.load import load_classifier
from stockpot.models.third_party import open_clip
from stockpot.models.zero_shot import write_zero_shot, zero_shot_head
from tests.support.paths import ARCHITECTURE
from tests.support.short_runs import PROMPTS

pytestmark = [pytest.mark.process, pytest.mark.slow]


TEXTS = {"ball": "ball", "key": "iron_key", "fish": "golden fish"}


def head_spec(classes, texts=TEXTS):
    return {"name": "zero-shot", "prompts": PROMPTS, "classes": classes, "texts": texts}


def test_a_model_by_name_answers_as_open_clips_own(tmp_path):
    """The smallest that open_clip has; its prompts in open_clip's own vocabulary."""
    name, classes = "ViT-S-32-alt", ["ball", "key", "fish"]
    torch.manual_seed(4)
    model = open_clip.create_model(name).eval()
    save_file(dict(model.state_dict()), tmp_path / "file.safetensors")
    config = named_config(name, "", ("architecture", "weights"))
    spec = {"architecture": name, "config": config, "weights": "file"}
    write_model(tmp_path / "model", spec, tmp_path / "file.safetensors")
    (tmp_path / "file.safetensors").unlink()
    weights = tmp_path / "model" / WEIGHTS
    write_zero_shot(tmp_path / "zero", tmp_path / "model", weights, head_spec(classes))
    ours, card = load_classifier(tmp_path / "zero")
    pixels = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        theirs = open_clip.build_zero_shot_classifier(
            model, open_clip.get_tokenizer(name), list(TEXTS.values()), PROMPTS
        )
        features = model.encode_image(pixels, normalize=True)
        expected = model.logit_scale.exp() * features @ theirs
        assert (ours(pixels) - expected).abs().max() < 1e-4
    wanted = preprocessing(config)
    assert (card.image_size, card.mean, card.std) == (
        224,
        wanted["mean"],
        wanted["std"],
    )
    assert card.class_names == classes
    assert card.architecture["config"] == config


@pytest.mark.parametrize("classes", [["ball", "key", "fish"], ["fish", "ball", "key"]])
def test_rows_of_the_head_are_the_classes_texts_in_the_classes_order(
    clip, tmp_path, classes
):
    weights = ARCHITECTURE / WEIGHTS
    shuffled = dict(sorted(TEXTS.items(), reverse=True))
    card = write_zero_shot(
        tmp_path, ARCHITECTURE, weights, head_spec(classes, shuffled)
    )
    found = load_file(tmp_path / "classifier.safetensors")["head.weight"]
    expected = zero_shot_head(*clip, [TEXTS[name] for name in classes], PROMPTS)
    assert torch.allclose(found, expected, atol=1e-4)
    bare = zero_shot_head(*clip, classes, PROMPTS)
    assert not torch.allclose(found, bare, atol=1e-2), (
        "texts are not the classes' names"
    )
    assert card.class_names == classes
    assert card.spec["texts"] == TEXTS
    assert "classes" not in card.spec


def test_a_head_is_prompts_and_texts(tmp_path):
    (tmp_path / "prompts.txt").write_text("a {}\n\n")
    (tmp_path / "names.csv").write_text("class,name\na,b\n")
    given = {"prompts": "prompts.txt"}
    locate = lambda path: tmp_path / path  # noqa: E731
    assert read_head("head", given, locate) == {
        "prompts": ["a {}"],
        "texts": {},
        "key": "head.class_names",
    }
    found = read_head("tasks.x", {**given, "class_names": "names.csv"}, locate)
    assert found["texts"] == {"a": "b"}
    assert found["key"] == "tasks.x.class_names"
