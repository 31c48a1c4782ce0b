"""What jobs ask of a cluster."""

import json

import pytest

from stockpot.models.hub_models import named_config
from stockpot.planning import resources
from tests.support.paths import ARCHITECTURE

SPEC = {"variant": "end-to-end", "epochs": 10, "batch_size": 512}


def described_model(name):
    return resources.model_size(named_config(name, "random", ("a", "b")))


@pytest.mark.parametrize(
    ("name", "millions", "giga"),
    # Parameters of the image tower, and multiplications per image as its authors count them.
    [
        ("ViT-B-32", 87.8, 4.4),
        ("ViT-B-16", 86.2, 17.6),
        ("ViT-L-14", 304, 81),
        ("RN50", 38.3, 5.4),
    ],
)
def test_models_are_known_by_their_config(name, millions, giga):
    model = described_model(name)
    assert model.parameters / 1e6 == pytest.approx(millions, rel=0.05)
    assert model.parameters * model.tokens / 1e9 == pytest.approx(giga, rel=0.1)


def test_the_embedded_model_and_one_without_a_description():
    embedded = resources.model_size(
        json.loads((ARCHITECTURE / "open_clip_config.json").read_text())
    )
    assert embedded.tokens == 17
    assert embedded.parameters < 1e6
    assert resources.model_size({"timm": {"name": "x"}}) == resources.UNKNOWN_SIZE
    assert (
        resources.model_size({"model_cfg": {"vision_cfg": {"timm_model_name": "x"}}})
        == resources.UNKNOWN_SIZE
    )


def test_imagenet_takes_hours_on_a_gpu_and_gigabytes_for_adam():
    found = resources.training(described_model("ViT-B-32"), SPEC, 1_280_000, 8, 1)
    assert 4 * 60 < found.minutes < 24 * 60
    assert 4_000 < found.mb < 10_000
    assert (
        resources.evaluating(described_model("ViT-B-32"), 21, 300_000, 8, 1).minutes
        < 4 * 60
    )


@pytest.mark.parametrize(
    "more",
    [
        {"spec": {**SPEC, "epochs": 20}},
        {"spec": {**SPEC, "sam_rho": 0.05}},
        {"spec": {**SPEC, "distillation_weight": 0.5}},
        {"images": 40_000},
        {"gpus": 0},
        {"threads": 4, "gpus": 0},
    ],
)
def test_more_work_asks_for_more_time(more):
    given = {"spec": SPEC, "images": 20_000, "threads": 8, "gpus": 1}
    model = described_model("ViT-B-32")
    assert (
        resources.training(model, **(given | more)).minutes
        > resources.training(model, **given).minutes
    )


def test_more_gpus_and_linear_runs_ask_for_less():
    model = described_model("ViT-B-32")
    one = resources.training(model, SPEC, 10**6, 8, 1)
    assert resources.training(model, SPEC, 10**6, 8, 4).minutes < one.minutes
    linear = {"variant": "linear-classifier", "epochs": 10, "batch_size": 512}
    assert resources.training(model, linear, 10**6, 8, 1).minutes < one.minutes
    assert (
        resources.training(model, {**SPEC, "ema_decays": [0.9, 0.99]}, 10**6, 8, 1).mb
        > one.mb
    )


def test_a_second_try_asks_for_twice_as_much():
    assert resources.Needs(100, 7).again(1) == (100, 7)
    assert resources.Needs(100, 7).again(3) == (400, 28)


def test_preparing_grows_with_the_images():
    assert resources.preparing(10, 1).minutes == resources.START_MINUTES
    assert (
        resources.preparing(1_280_000, 8).minutes
        > resources.preparing(1_280_000, 16).minutes
        > 15
    )
