"""Batches of images for a model that wants them normalised and, in training, augmented."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..datasets.dataset import Dataset, spread_rows
from ..models.card import Card
from ..models.tower import ImageClassifier, Normaliser, resized
from ..runtime.errors import StockpotError
from .augment import Augmentation, pixel_augmentation, random_crop
from .loop import Batches

FEATURE_BATCH_SIZE = 500


@dataclass(frozen=True)
class _Preparation:
    """Turns stored images into the model's input; augments them where there is a generator."""

    normalise: Normaliser
    change_pixels: Augmentation | None
    side: int
    min_crop_area: float
    max_aspect: float

    def __call__(
        self,
        images: torch.Tensor,
        generator: torch.Generator | None,
    ) -> torch.Tensor:
        if generator is None:
            return resized(self.normalise(images), self.side)
        if self.change_pixels is not None:
            images = self.change_pixels(images, generator)
        normalised = self.normalise(images)
        # A crop of the whole image would be resampled, and would draw from the generator.
        if self.min_crop_area == 1:
            return resized(normalised, self.side)
        return random_crop(
            normalised,
            self.min_crop_area,
            self.side,
            generator,
            self.max_aspect,
        )


def image_batches(
    data: Dataset,
    card: Card,
    min_crop_area: float,
    device: str,
    limit: int | None = None,
    spec: dict[str, Any] | None = None,
) -> Batches:
    """Make training or evaluation batches of a data set's images.

    Args:
        data: The data set.
        card: The card of the model that sees the images.
        min_crop_area: Smallest fraction of the area that a random crop keeps; 1 turns cropping
            off.
        device: Where the model is.
        limit: The number of images to take (``spread_rows``); None takes all.
        spec: A run's further augmentation (max_crop_aspect, and what ``pixel_augmentation``
            takes), and shots with shots_seed.

    Returns:
        Images, uint8 [n, h, w, 3], and labels: class indices of the model, whatever the order of
        the data set's own classes.

    Raises:
        StockpotError: There are too few images, or the model lacks a class.
    """
    spec = spec or {}
    prepare = _Preparation(
        normalise=Normaliser(card.mean, card.std, device),
        change_pixels=pixel_augmentation(spec),
        side=card.image_size,
        min_crop_area=min_crop_area,
        max_aspect=spec.get("max_crop_aspect", 1),
    )
    rows = _chosen_rows(data, limit, spec)
    # An index reads and checks the images that it takes, and no others.
    images = torch.from_numpy(data.images[rows])
    labels = torch.from_numpy(data.labels[rows])
    # The data set's class index -> the model's, for all labels at once.
    model_labels = class_indices(data, card)[labels]
    return Batches(images, model_labels, prepare)


def _chosen_rows(
    data: Dataset,
    limit: int | None,
    spec: dict[str, Any],
) -> np.ndarray | slice:
    """The images that a run sees: a few per class, ``limit`` of all, or all of them."""
    if limit is not None and limit > len(data):
        raise StockpotError(f"images: {limit} wanted, but {data.name} has {len(data)}")
    if spec.get("shots"):
        run_name = spec.get("name", "run")
        return few_shot(
            data,
            spec["shots"],
            spec["shots_seed"],
            run_name,
        ).numpy()
    if limit is not None:
        return spread_rows(data.labels, limit)
    return slice(None)


@torch.no_grad()
def features(
    model: ImageClassifier,
    data: Batches,
    device: str,
) -> Batches:
    """Compute the tower's features of all images once, without augmentation.

    Args:
        model: The classifier whose tower is used.
        data: The images.
        device: Where the model is.

    Returns:
        What the head sees, float32 [n, d] on the CPU, with the labels of the images.
    """
    chunks = []
    for images in data.inputs.split(FEATURE_BATCH_SIZE):
        prepared = data.prepare(images.to(device), None)
        chunks.append(model.features(prepared).cpu())
    return Batches(torch.cat(chunks), data.labels, lambda x, generator: x)


@dataclass
class MixedBatches(Batches):
    """Two data sets in one: an epoch is as long as the first, with a fraction of the second.

    Attributes:
        first_count: How many of the inputs belong to the first data set.
        second_fraction: Fraction of an epoch's examples that come from the second data set. It
            is gone through again where it has too few.
    """

    first_count: int = 0
    second_fraction: float = 0.5

    def __len__(self) -> int:
        """Count the examples in an epoch."""
        return self.first_count

    def order(self, generator: torch.Generator) -> torch.Tensor:
        """Draw the examples of one epoch from both data sets and shuffle them.

        Args:
            generator: The source of the random order.

        Returns:
            Row numbers, int64 [examples in an epoch].
        """
        second_count = len(self.labels) - self.first_count
        from_second = round(self.second_fraction * self.first_count)
        rounds = -(-from_second // second_count)  # rounded up
        # A data set that is too small is gone through again, each time in a new order.
        second_orders = []
        for _ in range(rounds):
            second_orders.append(torch.randperm(second_count, generator=generator))
        first_order = torch.randperm(self.first_count, generator=generator)
        rows = first_order[: self.first_count - from_second]
        if from_second:
            # Rows of the second data set follow those of the first.
            second_order = torch.cat(second_orders)[:from_second]
            second_rows = self.first_count + second_order
            rows = torch.cat([rows, second_rows])
        # So far the second data set comes last; the batches must hold both.
        shuffled = torch.randperm(len(rows), generator=generator)
        return rows[shuffled]


def mixed_batches(
    first: Batches,
    second: Batches,
    second_fraction: float,
) -> MixedBatches:
    """Mix two data sets for training on both at once.

    Args:
        first: The training set; its augmentation serves both.
        second: The second data set.
        second_fraction: Fraction of an epoch's examples that come from the second data set.

    Returns:
        Batches with examples of both.
    """
    return MixedBatches(
        torch.cat([first.inputs, second.inputs]),
        torch.cat([first.labels, second.labels]),
        first.prepare,
        first_count=len(first),
        second_fraction=second_fraction,
    )


def few_shot(
    data: Dataset,
    shots: int,
    seed: int,
    run: str = "run",
) -> torch.Tensor:
    """Draw the same number of images from every class (WiSE-FT, C.7: 1 to 50).

    With the same seed, fewer shots are a subset of more.

    Args:
        data: The data set.
        shots: Images per class.
        seed: Seed of the draw.
        run: Name of the run, for the error.

    Returns:
        Row numbers, int64 [classes * shots], ascending.

    Raises:
        StockpotError: A class has too few images.
    """
    labels = torch.from_numpy(data.labels[:])
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for class_index, class_name in enumerate(data.class_names):
        is_of_class = labels == class_index
        class_rows = is_of_class.nonzero()[:, 0]
        image_count = len(class_rows)
        if image_count < shots:
            raise StockpotError(
                f"finetune.runs.{run}.shots: {shots} wanted of every class, but {data.name} "
                f"has {image_count} of '{class_name}'"
            )
        # All rows are shuffled and the first ones taken, so that fewer shots are among more.
        shuffled = torch.randperm(image_count, generator=generator)
        chosen.append(class_rows[shuffled[:shots]])
    rows = torch.cat(chosen)
    return rows.sort().values


def class_indices(data: Dataset, card: Card) -> torch.Tensor:
    """Find the classes of a data set among those of a model.

    Args:
        data: The data set.
        card: The card of the model.

    Returns:
        The model's class index of each class of the data set, int64 [classes of the data set].

    Raises:
        StockpotError: The model lacks a class of the data set.
    """
    index_of = {name: index for index, name in enumerate(card.class_names)}
    missing = [name for name in data.class_names if name not in index_of]
    if missing:
        class_count = len(card.class_names)
        first_classes = ", ".join(card.class_names[:5])
        raise StockpotError(
            f"{data.name}: its class '{missing[0]}' is not among the model's "
            f"{class_count} classes ({first_classes}, …)"
        )
    return torch.tensor([index_of[name] for name in data.class_names])
