"""The sweep engine: many recipes, many data sets, one model that is filled in place.

Images are decoded already and are normalised on the device; ingredients are
memory-mapped; between two recipes only weights move. The raw forward pass is the limit.
"""

import time
from collections.abc import Mapping

import numpy as np
import torch

from ..datasets.dataset import Dataset
from ..errors import StockpotError
from ..merging.checks import check_ingredients
from ..merging.linear import mixed
from ..merging.recipe import LINEAR
from ..models.classifier import HEAD, TOWER, Weights
from ..models.device import pick_device, pick_precision
from ..models.load import empty_classifier
from ..models.tower import Normaliser

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Engine:
    """Logits of linear recipes over one set of ingredients."""

    def __init__(
        self,
        ingredients: Mapping[str, Weights],
        precision: str = "auto",
        batch_size: int = 500,
        device: str | None = None,
    ):
        """ingredients: sha256 -> weights, all of one architecture and one class list.

        precision: bf16, fp32 or auto. Raises StockpotError if the ingredients do not fit.
        """
        check_ingredients([w.card for w in ingredients.values()])
        first = next(iter(ingredients.values()))
        self.ingredients = ingredients
        self.device = device or pick_device()
        self.precision = pick_precision(precision, self.device)
        self.batch_size = batch_size
        self.class_names = first.card.class_names
        self.model = empty_classifier(first.card, first["head.weight"].shape[1]).eval()
        self.model.visual.to(PRECISIONS[self.precision])
        self.model.to(self.device)
        self.tensors = self.model.state_dict()
        self.normalise = Normaliser(
            first.card.mean, first.card.std, self.device, PRECISIONS[self.precision]
        )
        self.forward_seconds, self.forward_images = 0.0, 0
        self._tower = ""
        self._features: dict[tuple[str, str], torch.Tensor] = {}

    def logits(self, recipe: dict, dataset: Dataset) -> torch.Tensor:
        """float32 logits [n, classes of the data set] on the CPU."""
        if recipe["rule"] != LINEAR:
            raise StockpotError(
                f"the engine mixes weights; '{recipe['rule']}' mixes something else"
            )
        columns = self._columns(dataset)
        coefficients = recipe["ingredients"]
        self._fill(coefficients, HEAD)
        features = self._tower_features(coefficients, dataset)
        with torch.inference_mode():
            rows = [
                self.model.head(f.to(self.device)).cpu() for f in features.split(self.batch_size)
            ]
        logits = torch.cat(rows)
        return logits if columns is None else logits[:, columns]

    def _columns(self, dataset: Dataset) -> list[int] | None:
        """Columns of the head that belong to the data set's classes; None for all, in order."""
        if dataset.class_names == self.class_names:
            return None
        missing = [name for name in dataset.class_names if name not in self.class_names]
        if missing:
            raise StockpotError(
                f"{dataset.name}: its class '{missing[0]}' is not among the model's "
                f"{len(self.class_names)} classes ({', '.join(self.class_names[:5])}, …)"
            )
        return [self.class_names.index(name) for name in dataset.class_names]

    def _fill(self, coefficients: Mapping[str, float], prefix: str) -> None:
        """Write the mix of all tensors with this prefix into the model."""
        names = [name for name in self.tensors if name.startswith(prefix)]
        with torch.inference_mode():
            for name, tensor in mixed(coefficients, self.ingredients, names):
                self.tensors[name].copy_(tensor)

    def _tower_features(self, coefficients: Mapping[str, float], dataset: Dataset) -> torch.Tensor:
        """Features [n, d], float32, CPU. Recipes that share one tower share its features."""
        towers = {self.ingredients[sha].card.tower_sha256 for sha in coefficients}
        if len(towers) > 1:
            self._fill(coefficients, TOWER)
            self._tower = ""
            return self._forward(dataset)
        tower = towers.pop()
        cached = self._features.get((tower, dataset.fingerprint))
        if cached is None:
            if tower != self._tower:
                self._fill({next(iter(coefficients)): 1.0}, TOWER)
                self._tower = tower
            cached = self._features[tower, dataset.fingerprint] = self._forward(dataset)
        return cached

    def _forward(self, dataset: Dataset) -> torch.Tensor:
        started, rows = time.monotonic(), []
        with torch.inference_mode():
            for start in range(0, len(dataset), self.batch_size):
                images = torch.from_numpy(np.array(dataset.images[start : start + self.batch_size]))
                rows.append(self.model.features(self.normalise(images.to(self.device))).cpu())
        self.forward_seconds += time.monotonic() - started
        self.forward_images += len(dataset)
        return torch.cat(rows)
