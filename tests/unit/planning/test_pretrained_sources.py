"""Which sources of a model are taken, and what makes no model."""

import json
import shutil

import pytest

from stockpot.models.files import CONFIG, WEIGHTS
from stockpot.models.hub_models import RANDOM
from stockpot.planning.model_jobs import ModelJob
from stockpot.planning.pretrained import model_plan
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE, ROOT


@pytest.fixture
def plan_model(config, tmp_path):
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


def test_a_folder_has_its_own_weights(plan_model):
    found = plan_model(architecture="folder")
    assert found.imported is None
    assert found.files["weights"] == str(plan_model.folder / WEIGHTS)
    assert set(found.files) == {"config", "vocabulary", "weights"}
    assert found.transform == {
        "image_size": 32,
        "resize_mode": "shortest",
        "interpolation": "bicubic",
    }


def test_a_folder_takes_weights_of_a_file(plan_model):
    found = plan_model(architecture="folder", weights="file")
    assert found.imported["weights"] == "file"
    assert found.imported["config"] == json.loads(
        (plan_model.folder / CONFIG).read_text()
    )
    assert set(found.files) == {"config", "vocabulary", "checkpoint"}
    assert found.files["checkpoint"] == str(plan_model.file)
    assert found.key != plan_model(architecture="folder").key
    (plan_model.folder / WEIGHTS).unlink()
    assert plan_model(architecture="folder", weights="file").key == found.key
    plan_model.file.write_bytes(b"others")
    assert plan_model(architecture="folder", weights="file").key != found.key


def test_a_folder_takes_random_weights(plan_model):
    (plan_model.folder / WEIGHTS).unlink()
    found = plan_model(architecture="folder", weights=RANDOM)
    assert found.imported["weights"] == RANDOM
    assert set(found.files) == {"config", "vocabulary"}


def test_a_name_takes_a_tag_a_file_or_random_weights(plan_model):
    tag = plan_model(architecture="ViT-B-32", weights="openai")
    file = plan_model(architecture="ViT-B-32", weights="file")
    drawn = plan_model(architecture="ViT-B-32", weights=RANDOM)
    assert len({found.id for found in (tag, file, drawn)}) == 3
    assert tag.files == drawn.files == {}
    assert file.files == {"checkpoint": str(plan_model.file)}
    assert tag.imported["config"]["model_cfg"]["quick_gelu"]
    assert "quick_gelu" not in file.imported["config"]["model_cfg"]
    for found, weights in ((tag, "openai"), (file, "file"), (drawn, RANDOM)):
        assert (found.imported["architecture"], found.imported["weights"]) == (
            "ViT-B-32",
            weights,
        )
        assert found.pretraining is None
        assert found.transform["image_size"] == 224


def test_two_tags_are_two_models(plan_model):
    tags = ["laion2b_s34b_b79k", "laion2b_e16", "openai", RANDOM]
    assert (
        len({plan_model(architecture="ViT-B-32", weights=tag).key for tag in tags}) == 4
    )


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
def test_what_makes_no_model_says_why_in_one_line(plan_model, changes, message):
    with pytest.raises(StockpotError, match=message) as error:
        plan_model(**changes)
    assert "\n" not in str(error.value)


def test_a_folder_without_weights_is_named(plan_model):
    (plan_model.folder / WEIGHTS).unlink()
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: cannot read .*safetensors"
    ):
        plan_model(architecture="folder")
