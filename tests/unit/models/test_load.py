"""A model is loaded from its file alone and shares no memory with it."""

import json

import pytest
import torch
from safetensors import safe_open

from stockpot.datasets.dataset import read_dataset
from stockpot.models.classifier import WEIGHTS as FILE
from stockpot.models.classifier import model_digest
from stockpot.models.load import load_classifier
from stockpot.models.tower import ImageClassifier, Normaliser, build_tower
from tests.support.short_runs import RUNS


@pytest.mark.parametrize("name", ["zero-shot", *RUNS])
def test_a_tower_is_rebuilt_from_the_metadata_alone(runs, zero_shot, world, name):
    folder = zero_shot if name == "zero-shot" else runs[name]
    with safe_open(folder / FILE, framework="pt") as file:
        metadata = json.loads(file.metadata()["card"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    head = tensors["head.weight"]
    model = ImageClassifier(
        build_tower(metadata["architecture"]),
        head.shape[1],
        len(head),
        normalise=metadata["normalise"],
    ).eval()
    model.load_state_dict(tensors, strict=True)
    loaded, card = load_classifier(folder)
    assert len(head) == len(card.class_names)
    assert not loaded.training
    images = torch.from_numpy(read_dataset(world["test"]).images[:8].copy())
    x = Normaliser(metadata["mean"], metadata["std"])(images)
    with torch.no_grad():
        assert torch.equal(model(x), loaded(x))
        lengths = loaded.features(x).norm(dim=1)
    assert torch.allclose(lengths, torch.ones(8), atol=1e-6) == metadata["normalise"]


def test_a_loaded_model_shares_no_memory_with_the_file(zero_shot_copy):
    before = (zero_shot_copy / FILE).read_bytes()
    model, _ = load_classifier(zero_shot_copy)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1
    assert (zero_shot_copy / FILE).read_bytes() == before
    again, card = load_classifier(zero_shot_copy)
    assert model_digest(card, again.state_dict()) == card.sha256
