"""A linear classifier leaves the tower alone and lowers its loss."""

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.models.classifier import Weights
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser

pytestmark = pytest.mark.slow


def test_a_linear_classifier_leaves_the_tower_byte_for_byte(runs, zero_shot):
    start, end = Weights(zero_shot), Weights(runs["linear"])
    assert end.card.tower_sha256 == start.card.tower_sha256
    assert end.card.sha256 != start.card.sha256
    moved = {name for name in end.names if not torch.equal(start[name], end[name])}
    assert moved == {"head.weight", "head.bias"}


def test_a_linear_classifier_is_logistic_regression_on_the_features(
    runs, zero_shot, world
):
    """Its loss is smaller than that of the head it starts from."""
    data = read_dataset(world["train"])
    losses = []
    for folder in (zero_shot, runs["linear"]):
        model, card = load_classifier(folder)
        with torch.no_grad():
            logits = model(
                Normaliser(card.mean, card.std)(torch.from_numpy(data.images.copy()))
            )
        losses.append(
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(data.labels))
        )
    assert losses[1] < losses[0]
