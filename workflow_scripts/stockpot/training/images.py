"""Batches of images for a model that wants them normalised and, in training, cropped."""

import torch

from ..datasets.dataset import Dataset
from ..errors import StockpotError
from ..models.card import Card
from ..models.tower import Normaliser
from .augment import random_crop
from .loop import Batches


def image_batches(
    data: Dataset, card: Card, crop: float, device: str, limit: int | None = None
) -> Batches:
    """The first ``limit`` images of a data set as training or evaluation batches.

    crop: least share of the area that a random crop keeps; 1 turns cropping off. Labels
    become places in the model's class list, whatever the order of the data set's own.
    """
    if limit is not None and limit > len(data):
        raise StockpotError(f"images: {limit} wanted, but {data.name} has {len(data)}")
    normalise = Normaliser(card.mean, card.std, device)

    def prepare(images: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        x = normalise(images)
        if generator is None or crop == 1:
            return x
        return random_crop(x, crop, card.image_size, generator)

    n = len(data) if limit is None else limit
    return Batches(
        torch.from_numpy(data.images[:n].copy()),
        class_places(data, card)[torch.from_numpy(data.labels[:n])],
        prepare,
    )


def class_places(data: Dataset, card: Card) -> torch.Tensor:
    """int64 [classes of the data set]: where the model has each. StockpotError if it lacks one."""
    missing = [name for name in data.class_names if name not in card.class_names]
    if missing:
        raise StockpotError(
            f"{data.name}: its class '{missing[0]}' is not among the model's "
            f"{len(card.class_names)} classes ({', '.join(card.class_names[:5])}, …)"
        )
    return torch.tensor([card.class_names.index(name) for name in data.class_names])
