"""Predictions of recipes: from the store where it has them, else from an engine."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..datasets.dataset import Dataset
from ..merging.checks import TOWER_CARD_FIELDS
from ..merging.outputs import mix_outputs
from ..merging.recipe import single
from ..merging.rules import LINEAR
from ..models.card import read_card
from ..models.classifier import Weights
from ..models.device import fast_at_bf16, pick_device, pick_precision
from ..runtime.digest import canonical
from .cells import Recipe
from .predictions import Predictions, predictions
from .store import Store, store_key

if TYPE_CHECKING:
    from .engine import Engine

log = logging.getLogger(__name__)


class Evaluator:
    """One job's way to predictions.

    Attributes:
        folders: SHA-256 -> Classifier folder, of all that recipes may name.
        store: Where predictions are looked up and kept.
        device: "cuda" or "cpu".
        precision: Of the forward passes, "bf16" or "fp32".
        computed: Number of cells that were computed so far.
        reused: Number of cells that the store had.
    """

    def __init__(
        self,
        store: Store,
        classifiers: Sequence[Path],
        spec: dict[str, Any],
    ):
        """Read the cards of the classifiers.

        Args:
            store: Where predictions are looked up and kept.
            classifiers: Folders of all that recipes may name. Diverged runs are passed over.
            spec: ``precision`` ("auto", "bf16" or "fp32"), ``batch_size`` and ``store_logits``.
        """
        cards = {folder: read_card(folder) for folder in classifiers}
        self.folders = {
            card.sha256: folder for folder, card in cards.items() if card.status == "ok"
        }
        self.store = store
        self.device = pick_device()
        self.precision = pick_precision(spec["precision"], self.device)
        self.computed = 0
        self.reused = 0
        self._batch_size = spec["batch_size"]
        self._store_logits = spec["store_logits"]
        self._cards = {card.sha256: card for card in cards.values()}
        self._engines: dict[str, Engine] = {}

    def predictions(
        self,
        recipe: Recipe,
        dataset: Dataset,
    ) -> tuple[str, Predictions]:
        """Look up or compute one cell.

        Args:
            recipe: Of the model.
            dataset: All of its images are used.

        Returns:
            The store's key of the cell, and the predictions.
        """
        cell_key = store_key(recipe, dataset.fingerprint, self.precision)
        # An entry without logits is of no use where they are to be stored.
        stored = self.store.get(cell_key, logits=self._store_logits)
        if stored is not None:
            self.reused += 1
            return cell_key, stored
        computed = predictions(
            self._logits(recipe, dataset),
            torch.from_numpy(dataset.labels),
            keep_logits=self._store_logits,
            accepted=dataset.scoring.accepted,
            videos=dataset.scoring.videos,
        )
        self.store.put(cell_key, computed, recipe, dataset.name)
        self.computed += 1
        return cell_key, computed

    def _logits(self, recipe: Recipe, dataset: Dataset) -> torch.Tensor:
        """float32 [n, classes]; those of an ensemble are mixed from its ingredients' logits."""
        # Linear: one network with mixed weights. Else one forward pass per ingredient.
        if recipe["rule"] == LINEAR:
            return self._engine(recipe).logits(recipe, dataset)
        ingredient_logits = {
            sha256: self._ingredient_logits(sha256, dataset)
            for sha256 in recipe["ingredients"]
        }
        return mix_outputs(recipe, ingredient_logits)

    def _ingredient_logits(self, sha256: str, dataset: Dataset) -> torch.Tensor:
        """Logits of one ingredient of an ensemble, from the store if it has them."""
        recipe = single(sha256)
        # The store keeps one frame of each video, and not the same one for every ingredient.
        if not dataset.scoring.videos:
            cell_key = store_key(recipe, dataset.fingerprint, self.precision)
            stored = self.store.get(cell_key, logits=True)
            if stored is not None and stored.logits is not None:
                return stored.logits
        return self._logits(recipe, dataset)

    def _engine(self, recipe: Recipe) -> "Engine":
        """The engine of the recipe's architecture.

        It is built when the first cell has to be computed: a job that only reuses cells loads no
        model.
        """
        # All ingredients of a recipe have one architecture, so the first one tells it.
        first = next(iter(recipe["ingredients"]))
        architecture = self._architecture(first)
        if architecture not in self._engines:
            self._engines[architecture] = self._build_engine(architecture)
        return self._engines[architecture]

    def _build_engine(self, architecture: str) -> "Engine":
        """An engine over all classifiers of one architecture."""
        # Imported here, as it loads the libraries of models.
        from .engine import Engine

        if self.precision == "bf16" and not fast_at_bf16(self.device):
            log.warning(
                "evaluation.precision: bf16 is slow on this %s, which has no instructions "
                "for it; fp32 and auto are faster",
                self.device,
            )
        ingredients = {
            sha256: Weights(folder)
            for sha256, folder in self.folders.items()
            if self._architecture(sha256) == architecture
        }
        return Engine(
            ingredients,
            self.precision,
            self._batch_size,
            self.device,
        )

    def _architecture(self, sha256: str) -> str:
        """The fields of a card that the classifiers of one engine have in common, as text."""
        card = self._cards[sha256]
        return canonical({field: getattr(card, field) for field in TOWER_CARD_FIELDS})

    def report(self) -> None:
        """Log how many cells were computed and reused, and the rate of the forward passes."""
        seconds = 0.0
        images = 0
        for engine in self._engines.values():
            seconds += engine.forward_seconds
            images += engine.forward_images
        rate = f", {images / seconds:.0f} images/s" if seconds else ""
        log.info(
            "%d cells computed, %d reused (%s%s)",
            self.computed,
            self.reused,
            self.precision,
            rate,
        )
