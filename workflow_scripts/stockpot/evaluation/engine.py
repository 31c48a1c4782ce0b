"""The sweep engine: many recipes, many data sets, one model that is filled in place.

Images are decoded already and are normalised on the device; images and ingredients stay on
a GPU where they fit and are memory-mapped else; between two recipes only weights move. The
raw forward pass is the limit.
"""

import time
from collections.abc import Iterable, Mapping

import torch

from ..datasets.dataset import Dataset
from ..merging.checks import check_ingredients
from ..merging.coefficients import Coefficient, shares
from ..merging.linear import mix_all, tower_coefficients
from ..merging.recipe import LINEAR
from ..models.classifier import HEAD, TOWER, Weights
from ..models.device import pick_device, pick_precision
from ..models.load import empty_classifier
from ..models.resident import Resident, free_memory
from ..models.tower import Normaliser, fitted
from ..runtime.digest import canonical
from ..runtime.errors import StockpotError
from .images import batches, whole

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Engine:
    """Logits of linear recipes over one set of ingredients."""

    def __init__(
        self,
        ingredients: Mapping[str, Weights],
        precision: str = "auto",
        batch_size: int = 500,
        device: str | None = None,
        memory: int | None = None,
    ):
        """ingredients: sha256 -> weights, all of one architecture; the first has the class list.

        precision: bf16, fp32 or auto. memory: bytes of images and weights to keep on the
        device, by default ``free_memory``; what does not fit is streamed, with the same
        results. Raises StockpotError if the ingredients do not fit together.
        """
        self.cards = {sha: weights.card for sha, weights in ingredients.items()}
        check_ingredients(
            list(self.cards.values()), one_start=False, one_class_list=False
        )
        first = next(iter(ingredients.values()))
        self.ingredients = ingredients
        self.device = device or pick_device()
        self.precision = pick_precision(precision, self.device)
        self.batch_size = batch_size
        self.class_names, self.side = first.card.class_names, first.card.image_size
        self.model = empty_classifier(first.card, first["head.weight"].shape[1]).eval()
        self.model.visual.to(PRECISIONS[self.precision])
        self.model.to(self.device)
        self.tensors = self.model.state_dict()
        self.normalise = Normaliser(
            first.card.mean, first.card.std, self.device, PRECISIONS[self.precision]
        )
        self.resident = Resident(free_memory(self.device) if memory is None else memory)
        self.forward_seconds, self.forward_images = 0.0, 0
        # What is in the model, and features of the tower that is: data set -> [n, d].
        self._tower: list[tuple[str, str]] = []
        self._head: dict[str, Coefficient] = {}
        self._features: dict[str, torch.Tensor] = {}

    def logits(self, recipe: dict, dataset: Dataset) -> torch.Tensor:
        """float32 logits [n, classes of the data set] on the CPU.

        Recipes that follow each other with one tower share its features.
        """
        if recipe["rule"] != LINEAR:
            raise StockpotError(
                f"the engine mixes weights; '{recipe['rule']}' mixes something else"
            )
        columns = self._columns(dataset)
        self._set_tower(recipe["ingredients"])
        self._set_head(recipe["ingredients"])
        if dataset.fingerprint not in self._features:
            self._features[dataset.fingerprint] = self._forward(dataset)
        features = self._features[dataset.fingerprint]
        with torch.inference_mode():
            rows = [
                self.model.head(f.to(self.device)).cpu()
                for f in features.split(self.batch_size)
            ]
        logits = torch.cat(rows)
        if columns is None:
            return logits
        none = logits.new_zeros(len(logits))
        rows = [logits[:, places].amax(1) if places else none for places in columns]
        return torch.stack(rows, 1)

    def _columns(self, dataset: Dataset) -> list[list[int]] | None:
        """Columns of the head that stand for each class of the data set; None for all, in order.

        Of several, the largest logit is the class's (Taori et al., NeurIPS 2020, for ObjectNet);
        of none, it is 0 (Shankar et al., ICCV 2021, for YTBB-Robust).
        """
        merges = dataset.scoring.merges
        if dataset.class_names == self.class_names and not merges:
            return None
        wanted = [merges.get(name, [name]) for name in dataset.class_names]
        place = {name: i for i, name in enumerate(self.class_names)}
        missing = [name for names in wanted for name in names if name not in place]
        if missing:
            raise StockpotError(
                f"{dataset.name}: its class '{missing[0]}' is not among the model's "
                f"{len(self.class_names)} classes ({', '.join(self.class_names[:5])}, …)"
            )
        return [[place[name] for name in names] for names in wanted]

    def _set_tower(self, coefficients: Mapping[str, Coefficient]) -> None:
        """Put the tower of this mix in place; features of another tower are dropped."""
        coefficients = tower_coefficients(coefficients, self.cards)
        tower = sorted(
            (self.cards[s].tower_sha256, canonical(c)) for s, c in coefficients.items()
        )
        if tower != self._tower:
            self._features.clear()
            self._fill(coefficients, TOWER)
            self._tower = tower

    def _set_head(self, coefficients: Mapping[str, Coefficient]) -> None:
        if coefficients != self._head:
            for _, sha in shares(coefficients, "head.weight"):
                if self.cards[sha].class_names != self.class_names:
                    raise StockpotError(
                        f"{self.cards[sha].name}: its class list is another one; only its tower "
                        "can be mixed here, as with backbones: true"
                    )
            self._fill(coefficients, HEAD)
            self._head = dict(coefficients)

    def _fill(self, coefficients: Mapping[str, Coefficient], prefix: str) -> None:
        """Write the mix of all tensors with this prefix into the model."""
        mix_all(
            [
                (
                    tensor,
                    [(c, self._tensor(s, name)) for c, s in shares(coefficients, name)],
                )
                for name, tensor in self.tensors.items()
                if name.startswith(prefix)
            ]
        )

    def _tensor(self, sha256: str, name: str) -> torch.Tensor:
        """One tensor of an ingredient, on the device where there is room for it."""
        stored = self.ingredients[sha256][name]
        kept = self.resident.get(
            (sha256, name), stored.nbytes, lambda: stored.to(self.device, copy=True)
        )
        return stored if kept is None else kept

    def _images(self, dataset: Dataset) -> Iterable[torch.Tensor]:
        """Batches of uint8 images [n, h, w, 3] on the device."""
        kept = self.resident.get(
            dataset.fingerprint,
            dataset.images.nbytes,
            lambda: whole(dataset.images, self.batch_size, self.device),
        )
        if kept is None:
            return batches(dataset.images, self.batch_size, self.device)
        return kept.split(self.batch_size)

    def _forward(self, dataset: Dataset) -> torch.Tensor:
        """Features [n, d], float32, CPU."""
        started = time.monotonic()
        with torch.inference_mode():
            rows = [
                self.model.features(fitted(self.normalise(x), self.side))
                for x in self._images(dataset)
            ]
            features = torch.cat(rows).cpu()
        self.forward_seconds += time.monotonic() - started
        self.forward_images += len(dataset)
        return features
