"""Models by name: what open_clip's tables say of them."""

import json
from dataclasses import asdict

import pytest

from stockpot.models.files import MEAN, STD, preprocessing
from stockpot.models.hub_models import RANDOM, named_config
from stockpot.runtime.errors import StockpotError
from tests.support.interpreter import python

KEYS = ("model.architecture", "model.weights")


HALF = [0.5, 0.5, 0.5]


def known_of(name, weights):
    return named_config(name, weights, KEYS)


@pytest.mark.parametrize(
    ("name", "weights", "expected", "quick"),
    [
        ("ViT-B-32", "openai", (224, "shortest", "bicubic", MEAN, STD), True),
        (
            "ViT-B-32",
            "laion2b_s34b_b79k",
            (224, "shortest", "bicubic", MEAN, STD),
            False,
        ),
        ("ViT-B-32-quickgelu", "openai", (224, "shortest", "bicubic", MEAN, STD), True),
        ("ViT-B-32-quickgelu", RANDOM, (224, "shortest", "bicubic", MEAN, STD), True),
        ("ViT-L-14-336", "openai", (336, "shortest", "bicubic", MEAN, STD), True),
        ("ViT-B-16-SigLIP", "webli", (224, "squash", "bicubic", HALF, HALF), False),
        ("ViT-B-16-SigLIP", RANDOM, (224, "shortest", "bicubic", MEAN, STD), False),
        ("ViT-B-32", "", (224, "shortest", "bicubic", MEAN, STD), False),
    ],
)
def test_a_name_and_a_tag_give_preprocessing_and_activation(
    name, weights, expected, quick
):
    config = known_of(name, weights)
    found = preprocessing(config)
    assert tuple(
        found[key]
        for key in ("image_size", "resize_mode", "interpolation", "mean", "std")
    ) == (expected)
    assert bool(config["model_cfg"].get("quick_gelu")) == quick
    assert json.loads(json.dumps(config)) == config


@pytest.mark.slow
def test_every_name_and_tag_is_what_open_clip_makes_of_it():
    """The config of all 196, by open_clip's own tables and rule of merging."""
    from stockpot.models.third_party import open_clip

    # isort: split
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    seen = 0
    for name, tag in open_clip.list_pretrained():
        given = open_clip.get_pretrained_cfg(name, tag)
        wanted = merge_preprocess_dict(asdict(PreprocessCfg()), given)
        model = open_clip.get_model_config(name)
        found = known_of(name, tag)
        quick = {"quick_gelu": True} if given.get("quick_gelu") else {}
        assert found["model_cfg"] == {**model, **quick}, (name, tag)
        assert preprocessing(found) == {
            "image_size": model["vision_cfg"].get("image_size", 224),
            "resize_mode": wanted["resize_mode"],
            "interpolation": wanted["interpolation"],
            "mean": list(wanted["mean"]),
            "std": list(wanted["std"]),
        }, (name, tag)
        seen += 1
    assert seen > 150


def test_every_architecture_of_open_clip_can_be_named():
    from stockpot.models.third_party import open_clip

    for name in open_clip.list_models():
        assert preprocessing(known_of(name, RANDOM))["image_size"] >= 160, name


def test_an_unknown_name_is_named_with_similar_ones():
    with pytest.raises(StockpotError) as error:
        known_of("ViT-B/32", "openai")
    text = str(error.value)
    assert text.startswith(
        "model.architecture: 'ViT-B/32' is neither a folder nor a model of open"
    )
    assert "similar are" in text
    assert "ViT-B-32" in text
    assert "\n" not in text
    with pytest.raises(StockpotError, match="nor a model of open_clip$"):
        known_of("my folder of models", "openai")


def test_an_unknown_tag_is_named_with_those_there_are():
    with pytest.raises(StockpotError) as error:
        known_of("ViT-B-32", "laion5b")
    text = str(error.value)
    assert text.startswith(
        "model.weights: 'laion5b' is no file, and open_clip has no such weights"
    )
    assert "laion2b_s34b_b79k, " in text
    assert ", openai" in text
    assert text.endswith("; or random")
    with pytest.raises(StockpotError, match="it has none; or random"):
        known_of("ViT-S-16-alt", "openai")


LIGHT = f"""
import json, sys
before = set(sys.modules)
from stockpot.models.hub_models import named_config
found = [named_config(name, tag, {KEYS!r}) for name, tag in
         (("ViT-B-32", "openai"), ("ViT-B-16-SigLIP", "webli"), ("RN50", "random"))]
kept = sorted(set(sys.modules) - before)
import safetensors.torch, huggingface_hub  # not hidden any more
print(json.dumps({{"modules": kept, "quick": found[0]["model_cfg"]["quick_gelu"]}}))
"""


@pytest.mark.process
@pytest.mark.slow
def test_a_name_is_looked_up_without_importing_what_is_heavy():
    found = python(LIGHT)
    loaded = {module.partition(".")[0] for module in found["modules"]}
    assert found["quick"]
    assert not loaded & {
        "torch",
        "numpy",
        "open_clip",
        "_open_clip_tables",
        "timm",
        "safetensors",
        "torchvision",
        "huggingface_hub",
        "pandas",
    }
