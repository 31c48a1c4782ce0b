"""Towers, the names of their tensors, and the normalisation of pixels."""

import pytest
import torch

from stockpot.models.classifier import HEAD, TOWER, Weights
from stockpot.models.tower import Normaliser, build_tower
from stockpot.runtime.errors import StockpotError
from tests.support.short_runs import RUNS


def test_names_of_the_tensors_are_tower_and_head(runs):
    for name in RUNS:
        assert {n.split(".")[0] + "." for n in Weights(runs[name]).names} == {
            TOWER,
            HEAD,
        }


def test_towers_of_timm():
    architecture = RUNS["scratch"]["architecture"]
    tower = build_tower(architecture)
    features = tower(torch.zeros(2, 3, 32, 32))
    assert features.shape == (2, tower.num_features)
    assert features.dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "resnet1800"}, "architecture: .*'resnet1800'"),
        ({"options": {"colour": "red"}}, "architecture: .*colour"),
        (
            {"library": "keras"},
            "architecture.library: 'keras' is not one of open_clip, timm",
        ),
    ],
)
def test_towers_that_cannot_be_built_are_named(change, words):
    with pytest.raises(StockpotError, match=words):
        build_tower({**RUNS["scratch"]["architecture"], **change})


OPENAI = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


@pytest.mark.parametrize(("mean", "std"), [OPENAI, ([0.5] * 3, [0.25] * 3)])
def test_normaliser_is_torchvisions(mean, std):
    from torchvision import transforms

    every = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    images = torch.cat([every.repeat(1, 1, 1, 3), every.flip(1).repeat(1, 1, 1, 3)])
    images[1, :, :, 1] = 255 - images[1, :, :, 1]
    reference = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(mean, std)]
    )
    expected = torch.stack([reference(image.numpy()) for image in images])
    found = Normaliser(mean, std)(images)
    assert found.shape == (2, 3, 16, 16)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < 1e-6
    half = Normaliser(mean, std, dtype=torch.bfloat16)(images)
    assert torch.equal(half, found.to(torch.bfloat16))
