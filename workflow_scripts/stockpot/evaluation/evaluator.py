"""Predictions of recipes: from the store where it has them, from the engine where not."""

import logging
from pathlib import Path

import torch

from ..datasets.dataset import Dataset
from ..merging.checks import TOWER
from ..merging.names import LINEAR
from ..merging.outputs import mix_outputs
from ..merging.recipe import single
from ..models.card import read_card
from ..models.classifier import Weights
from ..models.device import fast_at_bf16, pick_device, pick_precision
from ..runtime.digest import canonical
from .predictions import Predictions, predictions
from .store import Store, key

log = logging.getLogger(__name__)


class Evaluator:
    """One job's way to predictions; counts what it computed and what it found."""

    def __init__(self, store: Store, classifiers: list[Path], spec: dict):
        """classifiers: folders of all that recipes may name (diverged runs are passed over).

        spec: precision (auto, bf16, fp32), batch_size, store_logits.
        """
        cards = {folder: read_card(folder) for folder in classifiers}
        self.folders = {
            card.sha256: f for f, card in cards.items() if card.status == "ok"
        }
        self.store, self.spec = store, spec
        self.device = pick_device()
        self.precision = pick_precision(spec["precision"], self.device)
        self.computed = self.reused = 0
        self._cards = {card.sha256: card for card in cards.values()}
        self._engines = {}

    def engine(self, recipe: dict):
        """One per architecture, built when the first cell has to be computed: a job that only
        reuses loads no model."""
        kind = self._kind(next(iter(recipe["ingredients"])))
        if kind not in self._engines:
            from .engine import Engine

            if self.precision == "bf16" and not fast_at_bf16(self.device):
                log.warning(
                    "evaluation.precision: bf16 is slow on this %s, which has no instructions "
                    "for it; fp32 and auto are faster",
                    self.device,
                )
            ingredients = {
                sha: Weights(folder)
                for sha, folder in self.folders.items()
                if self._kind(sha) == kind
            }
            self._engines[kind] = Engine(
                ingredients, self.precision, self.spec["batch_size"], self.device
            )
        return self._engines[kind]

    def _kind(self, sha256: str) -> str:
        return canonical({what: getattr(self._cards[sha256], what) for what in TOWER})

    def predictions(self, recipe: dict, dataset: Dataset) -> tuple[str, Predictions]:
        """The store's key and the predictions of one cell."""
        wanted = key(recipe, dataset.fingerprint, self.precision)
        found = self.store.get(wanted, logits=self.spec["store_logits"])
        if found is not None:
            self.reused += 1
            return wanted, found
        made = predictions(
            self._logits(recipe, dataset),
            torch.from_numpy(dataset.labels),
            self.spec["store_logits"],
            dataset.scoring.accepted,
            dataset.scoring.videos,
        )
        self.store.put(wanted, made, recipe, dataset.name)
        self.computed += 1
        return wanted, made

    def _logits(self, recipe: dict, dataset: Dataset) -> torch.Tensor:
        """float32 [n, classes]; those of an ensemble are mixed from its ingredients' logits."""
        if recipe["rule"] == LINEAR:
            return self.engine(recipe).logits(recipe, dataset)
        members = {}
        for sha256 in recipe["ingredients"]:
            member = single(sha256)
            # Of a video, the store has one frame, and not the same one of every member.
            found = None
            if not dataset.scoring.videos:
                wanted = key(member, dataset.fingerprint, self.precision)
                found = self.store.get(wanted, logits=True)
            members[sha256] = (
                self._logits(member, dataset) if found is None else found.logits
            )
        return mix_outputs(recipe, members)

    def report(self) -> None:
        """One line on what was computed, what was found, and at which rate."""
        seconds = sum(engine.forward_seconds for engine in self._engines.values())
        images = sum(engine.forward_images for engine in self._engines.values())
        rate = f", {images / seconds:.0f} images/s" if seconds else ""
        log.info(
            "%d cells computed, %d reused (%s%s)",
            self.computed,
            self.reused,
            self.precision,
            rate,
        )
