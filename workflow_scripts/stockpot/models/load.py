"""From the folder of a classifier to a model."""

from pathlib import Path

from .card import Card
from .classifier import Weights
from .tower import ImageClassifier, build_tower


def empty_classifier(card: Card, features: int) -> ImageClassifier:
    """Build a model of the card's architecture whose weights are still to be filled in.

    Args:
        card: The card of the classifier.
        features: Length of the tower's output, as in the second axis of ``head.weight``.

    Returns:
        The model with random weights, float32.
    """
    return ImageClassifier(
        build_tower(card.architecture),
        features,
        len(card.class_names),
        normalise=card.normalise,
    )


def load_classifier(
    folder: str | Path,
    device: str = "cpu",
) -> tuple[ImageClassifier, Card]:
    """Load a classifier.

    Args:
        folder: The folder of the classifier.
        device: Where the model is put.

    Returns:
        A model in evaluation mode, float32, that shares no memory with the file, and its card.

    Raises:
        StockpotError: The run diverged, or its files are damaged.
    """
    weights = Weights(folder)
    _, feature_count = weights["head.weight"].shape
    model = empty_classifier(weights.card, feature_count)
    # A mapped tensor would be lost if the file were replaced.
    state = {name: weights[name].clone() for name in weights.names}
    model.load_state_dict(state)
    return model.eval().to(device), weights.card
