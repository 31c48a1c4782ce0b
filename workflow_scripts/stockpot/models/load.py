"""From a Classifier folder to a model."""

from pathlib import Path

from .card import Card
from .classifier import Weights
from .tower import ImageClassifier, build_tower


def empty_classifier(card: Card, features: int) -> ImageClassifier:
    """A model of the card's architecture with weights yet to be filled in.

    features: length of the tower's output, as in the second axis of ``head.weight``.
    """
    return ImageClassifier(
        build_tower(card.architecture), features, len(card.class_names), card.normalise
    )


def load_classifier(
    folder: str | Path, device: str = "cpu"
) -> tuple[ImageClassifier, Card]:
    """A model in evaluation mode, float32, that shares no memory with the file."""
    weights = Weights(folder)
    model = empty_classifier(weights.card, weights["head.weight"].shape[1])
    state = {name: weights[name].clone() for name in weights.names}
    model.load_state_dict(state)
    return model.eval().to(device), weights.card
