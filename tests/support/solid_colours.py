"""Images of one colour each, and models that answer them as they are told."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stockpot.datasets import sources
from stockpot.datasets.dataset import Dataset, read_dataset
from stockpot.datasets.prepare import prepare
from stockpot.evaluation.evaluate_models import score_predictions
from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.predictions import Predictions
from stockpot.evaluation.store import Store
from stockpot.merging.recipe import single
from stockpot.models.card import Card
from stockpot.models.classifier import HEAD, TOWER, write_classifier
from stockpot.models.files import CONFIG, WEIGHTS, preprocessing
from stockpot.models.zero_shot import load_clip
from tests.support.data_specs import encoded_spec
from tests.support.paths import ARCHITECTURE

COLOURS = {
    "red": (250, 30, 30),
    "green": (30, 220, 30),
    "blue": (40, 40, 250),
    "yellow": (240, 230, 30),
    "black": (10, 10, 10),
    "white": (245, 245, 245),
    "cyan": (20, 220, 230),
    "pink": (230, 30, 220),
}
SIDE = 32


def paint(path: Path, colour: str) -> None:
    """An image file of one colour; its suffix says of which kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".png": "png", ".webp": "webp"}.get(path.suffix, "jpeg")
    Image.new("RGB", (40, 36), COLOURS[colour]).save(path, kind, quality=95)


def paint_all(folder: Path, images: dict[str, str]) -> Path:
    for path, colour in images.items():
        paint(folder / path, colour)
    return folder


def prepared_dataset(source: str, out: Path, **options) -> Dataset:
    """The data set that an entry of a config gives, by way of all that a plan asks of it.

    Images of one colour are equal; those of a user's own files count each here.
    """
    if sources.reads_user_files(source):
        options = {"duplicates": "keep"} | options
    module, entry = sources.module(source), {"source": source, **options}
    spec = encoded_spec(source, SIDE, **options) | module.facts(
        entry, Path, "datasets.own"
    )
    json.dumps(spec)
    prepare(out, spec, threads=2)
    data = read_dataset(out)
    assert data.class_names == module.classes(entry, Path)
    return data


def shown_colours(data: Dataset) -> list[str]:
    """The colour of every image."""
    middle = np.array(data.images[:, SIDE // 2, SIDE // 2], int)
    away = [np.abs(middle - np.array(colour)).sum(1) for colour in COLOURS.values()]
    assert np.min(away, axis=0).max() < 20
    return [list(COLOURS)[place] for place in np.argmin(away, axis=0)]


def labelled(data: Dataset) -> list[tuple[str, str]]:
    """(colour, name of its label) of every image."""
    return [
        (c, data.class_names[label])
        for c, label in zip(shown_colours(data), data.labels)
    ]


@dataclass(frozen=True)
class Answered:
    names: list[str]  # of the predicted classes
    correct: list[bool]
    found: Predictions
    score: dict


class Painter:
    """Makes models over the tower of the embedded CLIP model.

    A head that has the inverse of the colours' features gives each colour the logits that are
    wanted.
    """

    def __init__(self, folder: Path):
        clip = load_clip(ARCHITECTURE, ARCHITECTURE / WEIGHTS)
        self.folder, self.made = folder, 0
        self.config = json.loads((ARCHITECTURE / CONFIG).read_text())
        self.wanted = preprocessing(self.config)
        self.tower = {
            TOWER + key: value for key, value in clip.visual.state_dict().items()
        }
        mean, std = (torch.tensor(self.wanted[key]) for key in ("mean", "std"))
        pixels = (torch.tensor(list(COLOURS.values())) / 255 - mean) / std
        with torch.no_grad():
            features = clip.visual(pixels[:, :, None, None].expand(-1, -1, SIDE, SIDE))
        self.inverse = torch.linalg.pinv(torch.nn.functional.normalize(features, dim=1))

    def model(self, classes: list[str], says: dict, rest: float = 0.0) -> Path:
        """says: colour -> class, or class -> logit. rest: the logit of all else."""
        logits = torch.full((len(COLOURS), len(classes)), rest)
        for colour, wanted in says.items():
            wanted = {wanted: 10.0} if isinstance(wanted, str) else wanted
            for name, value in wanted.items():
                logits[list(COLOURS).index(colour), classes.index(name)] = value
        self.made += 1
        wanted = dict(self.wanted)
        card = Card(
            name=f"model {self.made}",
            kind="zero-shot",
            architecture={"library": "open_clip", "config": self.config},
            class_names=classes,
            normalise=True,
            image_size=wanted.pop("image_size"),
            **wanted,
        )
        head = (self.inverse @ logits).T.contiguous()
        tensors = {HEAD + "weight": head, HEAD + "bias": torch.zeros(len(classes))}
        folder = self.folder / str(self.made)
        write_classifier(folder, card, self.tower | tensors)
        return folder

    def ask(
        self, data: Dataset, classes: list[str], says: dict, rest: float = 0.0
    ) -> Answered:
        from stockpot.models.card import read_card

        folder = self.model(classes, says, rest)
        spec = {"precision": "fp32", "batch_size": 64, "store_logits": True}
        evaluator = Evaluator(Store(self.folder / "store"), [folder], spec)
        _, found = evaluator.predictions(single(read_card(folder).sha256), data)
        names = [data.class_names[place] for place in found.predicted]
        return Answered(
            names, found.correct.tolist(), found, score_predictions(data, found)
        )
