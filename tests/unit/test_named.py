"""Models by name: what is known of them at planning, and which sources of a model are taken."""

import json
import shutil
from dataclasses import asdict

import pytest

from stockpot.models.files import CONFIG, MEAN, STD, WEIGHTS, preprocessing, read_config
from stockpot.models.hub_models import RANDOM, named_config
from stockpot.planning.model_jobs import ModelJob
from stockpot.planning.pretrained import model_plan
from stockpot.runtime.errors import StockpotError
from tests.support.interpreter import python
from tests.support.paths import ARCHITECTURE, ROOT

KEYS = ("model.architecture", "model.weights")
HALF = [0.5, 0.5, 0.5]


def named(name, weights):
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
    config = named(name, weights)
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
        found = named(name, tag)
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
        assert preprocessing(named(name, RANDOM))["image_size"] >= 160, name


def test_an_unknown_name_is_named_with_similar_ones():
    with pytest.raises(StockpotError) as error:
        named("ViT-B/32", "openai")
    text = str(error.value)
    assert text.startswith(
        "model.architecture: 'ViT-B/32' is neither a folder nor a model of open"
    )
    assert "similar are" in text
    assert "ViT-B-32" in text
    assert "\n" not in text
    with pytest.raises(StockpotError, match="nor a model of open_clip$"):
        named("my folder of models", "openai")


def test_an_unknown_tag_is_named_with_those_there_are():
    with pytest.raises(StockpotError) as error:
        named("ViT-B-32", "laion5b")
    text = str(error.value)
    assert text.startswith(
        "model.weights: 'laion5b' is no file, and open_clip has no such weights"
    )
    assert "laion2b_s34b_b79k, " in text
    assert ", openai" in text
    assert text.endswith("; or random")
    with pytest.raises(StockpotError, match="it has none; or random"):
        named("ViT-S-16-alt", "openai")


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


def config_of(size=32, tower=32, **given) -> dict:
    return {
        "model_cfg": {"vision_cfg": {"image_size": tower}, "text_cfg": {}},
        "preprocess_cfg": {**({} if size is ... else {"size": size}), **given},
    }


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        ("bicubic", "bicubic"),
        ("bilinear", "bilinear"),
        ("random", "bicubic"),
        (None, "bicubic"),
    ],
)
def test_random_interpolation_is_for_training_alone(interpolation, expected):
    found = preprocessing(config_of(interpolation=interpolation))
    assert found["interpolation"] == expected


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_resize_modes_are_open_clips(mode):
    assert preprocessing(config_of(resize_mode=mode))["resize_mode"] == mode


@pytest.mark.parametrize("key", ["resize_mode", "interpolation"])
def test_what_open_clip_does_not_know_is_refused(key, tmp_path):
    config = config_of(**{key: "nearest"})
    with pytest.raises(ValueError, match=f"its {key} 'nearest' is not one of"):
        preprocessing(config)
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: .*not a readable open_clip"
    ):
        read_config(tmp_path, "model.architecture")


@pytest.mark.parametrize("given", [{}, {"mean": None, "std": None}, None])
def test_what_a_config_leaves_out_is_openais(given):
    config = config_of()
    config["preprocess_cfg"] = given
    assert preprocessing(config) == {
        "image_size": 32,
        "resize_mode": "shortest",
        "interpolation": "bicubic",
        "mean": MEAN,
        "std": STD,
    }
    del config["preprocess_cfg"]
    assert preprocessing(config)["image_size"] == 32


@pytest.mark.parametrize(
    ("size", "tower"),
    [(32, 32), (None, 32), (..., 32), ([48, 48], 32), (32, [32, 32]), (224, [32])],
)
def test_the_side_is_that_of_the_tower(size, tower):
    """As open_clip has it, whatever preprocess_cfg says: another one does not fit the weights."""
    assert preprocessing(config_of(size, tower))["image_size"] == 32


@pytest.mark.parametrize(
    ("size", "tower"), [([32, 48], 32), (32, [32, 48]), (32, 0), ("32", 32)]
)
def test_sides_that_make_no_square_are_refused(size, tower):
    with pytest.raises(ValueError, match="not square"):
        preprocessing(config_of(size, tower))


@pytest.mark.parametrize("size", [[32, 32], 48, None])
def test_preprocessing_of_a_folder_is_what_open_clip_gives_the_model(tmp_path, size):
    from stockpot.models.clip import create_clip

    config = json.loads((ARCHITECTURE / CONFIG).read_text())
    changes = {
        "interpolation": "bilinear",
        "resize_mode": "squash",
        "mean": None,
        "std": None,
    }
    config["preprocess_cfg"] |= {"size": size, **changes}
    (tmp_path / CONFIG).write_text(json.dumps(config))
    theirs = create_clip(tmp_path, load_weights=False).visual.preprocess_cfg
    ours = preprocessing(read_config(tmp_path, "model.architecture"))
    for key in ("resize_mode", "interpolation", "mean", "std"):
        assert ours[key] == (
            list(theirs[key]) if isinstance(theirs[key], tuple | list) else theirs[key]
        )
    assert theirs["size"] in (
        ours["image_size"],
        (ours["image_size"], ours["image_size"]),
    )


@pytest.fixture
def model(config, tmp_path):
    """A function: changes of the section -> the plan's model. ``folder`` and ``file`` exist."""
    folder = tmp_path / "folder"
    shutil.copytree(ARCHITECTURE, folder)
    shutil.copy(ARCHITECTURE / WEIGHTS, tmp_path / "file")

    def planned(**changes) -> ModelJob:
        config["model"] = {"name": "mine", "pretrain": False, **changes}
        here = {
            "folder": folder,
            "file": tmp_path / "file",
            "nowhere": tmp_path / "nowhere",
        }
        return model_plan(config, lambda path: here.get(path, ROOT / path))

    planned.folder, planned.file = folder, tmp_path / "file"
    return planned


def test_a_folder_has_its_own_weights(model):
    found = model(architecture="folder")
    assert found.imported is None
    assert found.files["weights"] == str(model.folder / WEIGHTS)
    assert set(found.files) == {"config", "vocabulary", "weights"}
    assert found.transform == {
        "image_size": 32,
        "resize_mode": "shortest",
        "interpolation": "bicubic",
    }


def test_a_folder_takes_weights_of_a_file(model):
    found = model(architecture="folder", weights="file")
    assert found.imported["weights"] == "file"
    assert found.imported["config"] == json.loads((model.folder / CONFIG).read_text())
    assert set(found.files) == {"config", "vocabulary", "checkpoint"}
    assert found.files["checkpoint"] == str(model.file)
    assert found.key != model(architecture="folder").key
    (model.folder / WEIGHTS).unlink()
    assert model(architecture="folder", weights="file").key == found.key
    model.file.write_bytes(b"others")
    assert model(architecture="folder", weights="file").key != found.key


def test_a_folder_takes_random_weights(model):
    (model.folder / WEIGHTS).unlink()
    found = model(architecture="folder", weights=RANDOM)
    assert found.imported["weights"] == RANDOM
    assert set(found.files) == {"config", "vocabulary"}


def test_a_name_takes_a_tag_a_file_or_random_weights(model):
    tag = model(architecture="ViT-B-32", weights="openai")
    file = model(architecture="ViT-B-32", weights="file")
    drawn = model(architecture="ViT-B-32", weights=RANDOM)
    assert len({found.id for found in (tag, file, drawn)}) == 3
    assert tag.files == drawn.files == {}
    assert file.files == {"checkpoint": str(model.file)}
    assert tag.imported["config"]["model_cfg"]["quick_gelu"]
    assert "quick_gelu" not in file.imported["config"]["model_cfg"]
    for found, weights in ((tag, "openai"), (file, "file"), (drawn, RANDOM)):
        assert (found.imported["architecture"], found.imported["weights"]) == (
            "ViT-B-32",
            weights,
        )
        assert found.pretraining is None
        assert found.transform["image_size"] == 224


def test_two_tags_are_two_models(model):
    tags = ["laion2b_s34b_b79k", "laion2b_e16", "openai", RANDOM]
    assert len({model(architecture="ViT-B-32", weights=tag).key for tag in tags}) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architecture": "ViT-B-32"},
            r"^model\.weights: a model by name needs weights",
        ),
        (
            {"architecture": "ViT-B-32", "pretrain": True},
            r"^model\.architecture: .* is no folder",
        ),
        (
            {"architecture": "ViT-B-32", "weights": "nowhere"},
            r"^model\.weights: 'nowhere' is no f",
        ),
        (
            {"architecture": "ViT-B32x", "weights": "openai"},
            r"^model\.architecture: 'ViT-B32x' is",
        ),
        (
            {"architecture": "nowhere"},
            r"^model\.architecture: 'nowhere' is neither a folder",
        ),
        (
            {"architecture": "nowhere", "weights": "file"},
            r"^model\.architecture: 'nowhere' is nei",
        ),
        (
            {"architecture": "folder", "weights": "nowhere"},
            r"^model\.weights: no file .*nowhere; ",
        ),
        (
            {"architecture": "folder", "weights": "openai"},
            r"^model\.weights: no file .*openai; or",
        ),
        (
            {"architecture": "folder", "weights": "file", "pretrain": True},
            r"^model\.pretrain: true trains the weights",
        ),
        (
            {"architecture": "folder", "weights": RANDOM, "pretrain": True},
            r"^model\.pretrain: tr",
        ),
        (
            {"architecture": "timm/resnet18"},
            r"^model\.weights: a model by name needs weights",
        ),
        (
            {"architecture": "timm/resnet18", "weights": "openai"},
            r"^model\.weights: 'openai' is n",
        ),
    ],
)
def test_what_makes_no_model_says_why_in_one_line(model, changes, message):
    with pytest.raises(StockpotError, match=message) as error:
        model(**changes)
    assert "\n" not in str(error.value)


def test_a_folder_without_weights_is_named(model):
    (model.folder / WEIGHTS).unlink()
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: cannot read .*safetensors"
    ):
        model(architecture="folder")
