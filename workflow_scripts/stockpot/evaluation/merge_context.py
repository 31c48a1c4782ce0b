"""What a merge method may look at; heavy things load when a method asks for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..datasets.dataset import Dataset
from ..merging.recipe import with_head
from ..models.card import read_card

if TYPE_CHECKING:
    import torch

    from ..models.classifier import OpenWeights
    from ..training.averages import SavedAverages
    from ..training.loop import Batches
    from .cells import Recipe
    from .evaluator import Evaluator
    from .predictions import Predictions


class FolderContext:
    """A ``merging.methods.Context`` over Classifier folders, two data sets and the store.

    Modules that build models are imported by the methods that need them: most merge methods
    look at few of these things.

    Attributes:
        spec: The options of the merge method.
        start: SHA-256 of the model that all ingredients were trained from; "" if no classifier
            has weights.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        folders: list[Path],
        held_out: Dataset,
        train: list[Dataset],
        store: Path,
    ):
        """Read the cards of the classifiers.

        Args:
            spec: The options of the merge method. With ``towers_only`` only towers are mixed, under
                the head of the start.
            folders: Classifier folders of the start and of all ingredients. The first one that
                has weights is the start.
            held_out: The held-out set.
            train: The training set if the method looks at it, else empty.
            store: Folder of the store.
        """
        self.spec = spec
        self._store = store
        self._held_out = held_out
        self._datasets = {"held-out": held_out}
        if train:
            self._datasets["train"] = train[0]
        self.start = ""
        self._folders: dict[str, Path] = {}
        for folder in folders:
            card = read_card(folder)
            self._folders[card.sha256] = folder
            # A diverged run has no weights; methods leave it out.
            if card.status == "ok" and not self.start:
                self.start = card.sha256
        self._towers_only = spec.get("towers_only", False)
        self._weights: dict[str, OpenWeights] = {}
        self._evaluator: Evaluator | None = None

    @property
    def evaluator(self) -> "Evaluator":
        """The way to predictions, built when it is first asked for.

        Returns:
            An evaluator over all classifiers.
        """
        from .evaluator import Evaluator
        from .store import Store

        if self._evaluator is None:
            folders = list(self._folders.values())
            self._evaluator = Evaluator(Store(self._store), folders, self.spec)
        return self._evaluator

    def held_out(self, recipe: "Recipe") -> tuple[float, int]:
        """Score a recipe on the held-out set.

        Args:
            recipe: Of the ingredients.

        Returns:
            k and n; k / n is the score by the set's own metric. k is a count where the metric is
            accuracy, else the score times n.
        """
        from .evaluate_models import score_predictions

        predictions = self._held_out_predictions(recipe)
        score = score_predictions(self._held_out, predictions)
        if score["metric"] == "accuracy":
            return score["k"], score["n"]
        # No count of right answers: methods get one that has the same k / n.
        image_count = len(self._held_out)
        return score["value"] * image_count, image_count

    def held_out_error(self, recipe: "Recipe") -> float | None:
        """Estimate the standard error of a held-out score.

        Args:
            recipe: Of the ingredients.

        Returns:
            The standard error; None for plain accuracy, whose count tells it.
        """
        from .scored import score_error

        scoring = self._held_out.scoring
        if scoring.metric == "accuracy":
            return None
        predictions = self._held_out_predictions(recipe)
        return score_error(
            scoring,
            self._held_out.labels,
            predictions.predicted.numpy(),
            predictions.correct.numpy(),
        )

    def _held_out_predictions(self, recipe: "Recipe") -> "Predictions":
        """Predictions of a recipe; where only towers are mixed, under the head of the start."""
        if self._towers_only:
            recipe = with_head(recipe, self.start)
        _, predictions = self.evaluator.predictions(recipe, self._held_out)
        return predictions

    def weights(self, sha256: str) -> "OpenWeights":
        """Open the weights of the start or of an ingredient.

        Args:
            sha256: Of the classifier.

        Returns:
            Tensors by name, read from disk when they are asked for. Where only towers are mixed,
            an ingredient has the head of the start.
        """
        from ..models.classifier import Weights, WithHead

        # Opening verifies the whole file, so it is done once.
        if sha256 not in self._weights:
            weights = Weights(self._folders[sha256])
            if self._towers_only and sha256 != self.start:
                # The start has a head of its own.
                start = cast(Weights, self.weights(self.start))
                self._weights[sha256] = WithHead(weights, start)
            else:
                self._weights[sha256] = weights
        return self._weights[sha256]

    def averages(self, sha256: str) -> "SavedAverages":
        """Open the averages that a run kept along the way.

        Args:
            sha256: Of the run's classifier.

        Returns:
            Its averages, without heads where only towers are mixed.
        """
        from ..training.averages import SavedAverages

        return SavedAverages(self._folders[sha256], heads=not self._towers_only)

    def model(self, part: str = "held-out") -> tuple["torch.nn.Module", "Batches"]:
        """Build an empty model and the batches of one data set, on the device.

        Args:
            part: Role of the data set, "held-out" or "train".

        Returns:
            The model, in evaluation mode, and the batches.
        """
        from ..models.device import pick_device
        from ..models.load import empty_classifier
        from ..training.images import image_batches

        weights = self.weights(self.start)
        device = pick_device()
        feature_count = weights["head.weight"].shape[1]
        model = empty_classifier(weights.card, feature_count).to(device)
        batches = image_batches(
            self._datasets[part],
            weights.card,
            1,
            device,
        )
        # timm builds its models in training mode, where BatchNorm goes by the batch.
        return model.eval(), batches

    def report(self) -> None:
        """Log what was computed and what was reused, if anything was evaluated."""
        if self._evaluator is not None:
            self._evaluator.report()
