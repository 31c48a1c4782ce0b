"""What a merge method may look at; what is heavy loads when it is asked for."""

from functools import cached_property
from pathlib import Path

from ..datasets.dataset import Dataset
from ..merging.recipe import with_head
from ..models.card import read_card


class FolderContext:
    """A ``merging.methods.Context`` over Classifier folders, two data sets and the store."""

    def __init__(
        self,
        spec: dict,
        folders: list[Path],
        held_out: Dataset,
        train: list[Dataset],
        store: Path,
    ):
        """folders: of the start and of all ingredients; the first that has weights is the start.
        train: the training set, if the method looks at it."""
        self.spec, self._store = spec, store
        self._data = {"held-out": held_out}
        if train:
            self._data["train"] = train[0]
        self._folders = {read_card(folder).sha256: folder for folder in folders}
        usable = [card for card in map(read_card, folders) if card.status == "ok"]
        self.start = usable[0].sha256 if usable else ""
        self._backbones = spec.get("backbones", False)
        self._weights = {}

    @cached_property
    def evaluator(self):
        from .evaluator import Evaluator
        from .store import Store

        return Evaluator(Store(self._store), list(self._folders.values()), self.spec)

    def held_out(self, recipe: dict) -> tuple[int, int]:
        recipe = with_head(recipe, self.start) if self._backbones else recipe
        from .family import scored

        data = self._data["held-out"]
        found = scored(data, self.evaluator.predictions(recipe, data)[1])
        return (
            (found["k"], found["n"])
            if found["metric"] == "accuracy"
            else (found["value"] * len(data), len(data))
        )

    def held_out_error(self, recipe: dict) -> float | None:
        """The standard error of a held-out score that is no plain accuracy; None where it is one,
        as its count tells it."""
        from .scored import error_of

        data = self._data["held-out"]
        if data.scoring.metric == "accuracy":
            return None
        recipe = with_head(recipe, self.start) if self._backbones else recipe
        found = self.evaluator.predictions(recipe, data)[1]
        return error_of(
            data.scoring, data.labels, found.predicted.numpy(), found.correct.numpy()
        )

    def weights(self, sha256: str):
        from ..models.classifier import Weights, WithHead

        if sha256 not in self._weights:
            found = Weights(self._folders[sha256])
            if self._backbones and sha256 != self.start:
                found = WithHead(found, self.weights(self.start))
            self._weights[sha256] = found
        return self._weights[sha256]

    def averages(self, sha256: str):
        from ..training.averages import SavedAverages

        return SavedAverages(self._folders[sha256], heads=not self._backbones)

    def model(self, part: str = "held-out"):
        from ..models.device import pick_device
        from ..models.load import empty_classifier
        from ..training.images import image_batches

        weights, device = self.weights(self.start), pick_device()
        model = empty_classifier(weights.card, weights["head.weight"].shape[1]).to(
            device
        )
        # timm builds its models in training mode, where BatchNorm goes by the batch.
        return model.eval(), image_batches(self._data[part], weights.card, 1, device)

    def report(self) -> None:
        """Log what was computed and what was found, if anything was evaluated."""
        if "evaluator" in self.__dict__:
            self.evaluator.report()
