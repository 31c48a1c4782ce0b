"""Batches of images for a model that wants them normalised and, in training, augmented."""

from dataclasses import dataclass

import torch

from ..datasets.dataset import Dataset, some_rows
from ..models.card import Card
from ..models.tower import ImageClassifier, Normaliser, fitted
from ..runtime.errors import StockpotError
from .augment import pixel_augmentation, random_crop
from .loop import Batches


def image_batches(
    data: Dataset,
    card: Card,
    crop: float,
    device: str,
    limit: int | None = None,
    spec: dict | None = None,
) -> Batches:
    """``limit`` images of a data set (``some_rows``), or all, as training or evaluation batches.

    crop: least share of the area that a random crop keeps; 1 turns cropping off. spec: a run's
    further augmentation (aspect, and what ``pixel_augmentation`` takes) and shots with
    shots_seed. Labels become places in the model's class list, whatever the order of the data
    set's own.
    """
    spec = spec or {}
    if limit is not None and limit > len(data):
        raise StockpotError(f"images: {limit} wanted, but {data.name} has {len(data)}")
    normalise, change = (
        Normaliser(card.mean, card.std, device),
        pixel_augmentation(spec),
    )

    def prepare(
        images: torch.Tensor, generator: torch.Generator | None
    ) -> torch.Tensor:
        if generator is None:
            return fitted(normalise(images), card.image_size)
        x = normalise(images if change is None else change(images, generator))
        if crop == 1:
            return fitted(x, card.image_size)
        return random_crop(x, crop, card.image_size, generator, spec.get("aspect", 1))

    rows = slice(None)
    if limit is not None:
        rows = some_rows(data.labels, limit)
    if spec.get("shots"):
        rows = few_shot(
            data, spec["shots"], spec["shots_seed"], spec.get("name", "run")
        ).numpy()
    # An index reads and checks the images that it takes, and no others.
    images = torch.from_numpy(data.images[rows])
    labels = torch.from_numpy(data.labels[rows])
    return Batches(images, class_places(data, card)[labels], prepare)


@torch.no_grad()
def features(model: ImageClassifier, data: Batches, device: str) -> Batches:
    """The images of a data set as what the head sees, computed once, without augmentation."""
    rows = [
        model.features(data.prepare(x.to(device), None)).cpu()
        for x in data.inputs.split(500)
    ]
    return Batches(torch.cat(rows), data.labels, lambda x, generator: x)


@dataclass
class Joint(Batches):
    """Two data sets in one: an epoch is as long as the first, with a share of the second.

    first: how many of the inputs are the first set's. share: of an epoch's examples that come
    from the second, which is gone through again where it is too small.
    """

    first: int = 0
    share: float = 0.5

    def __len__(self) -> int:
        return self.first

    def order(self, generator: torch.Generator) -> torch.Tensor:
        second, wanted = len(self.labels) - self.first, round(self.share * self.first)
        rounds = -(-wanted // second)
        others = [torch.randperm(second, generator=generator) for _ in range(rounds)]
        own = torch.randperm(self.first, generator=generator)[: self.first - wanted]
        places = (
            torch.cat([own, self.first + torch.cat(others)[:wanted]]) if wanted else own
        )
        return places[torch.randperm(len(places), generator=generator)]


def joint(first: Batches, second: Batches, share: float) -> Joint:
    """Training on two data sets at once; the first one's augmentation serves both."""
    return Joint(
        torch.cat([first.inputs, second.inputs]),
        torch.cat([first.labels, second.labels]),
        first.prepare,
        first=len(first),
        share=share,
    )


def few_shot(data: Dataset, shots: int, seed: int, run: str = "run") -> torch.Tensor:
    """Places of ``shots`` images per class, drawn with a seed (WiSE-FT, C.7: 1 to 50).

    With the same seed, fewer shots are among more. StockpotError if a class has too few.
    """
    labels, found = torch.from_numpy(data.labels[:]), []
    generator = torch.Generator().manual_seed(seed)
    for place, name in enumerate(data.class_names):
        own = (labels == place).nonzero()[:, 0]
        if len(own) < shots:
            raise StockpotError(
                f"finetune.runs.{run}.shots: {shots} wanted of every class, but {data.name} "
                f"has {len(own)} of '{name}'"
            )
        found.append(own[torch.randperm(len(own), generator=generator)[:shots]])
    return torch.cat(found).sort().values


def class_places(data: Dataset, card: Card) -> torch.Tensor:
    """int64 [classes of the data set]: where the model has each. StockpotError if it lacks one."""
    place = {name: row for row, name in enumerate(card.class_names)}
    missing = [name for name in data.class_names if name not in place]
    if missing:
        raise StockpotError(
            f"{data.name}: its class '{missing[0]}' is not among the model's "
            f"{len(card.class_names)} classes ({', '.join(card.class_names[:5])}, …)"
        )
    return torch.tensor([place[name] for name in data.class_names])
