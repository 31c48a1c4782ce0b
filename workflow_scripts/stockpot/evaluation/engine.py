"""The sweep engine: many recipes, many data sets, and one model that is filled in place.

The raw forward pass is what limits its speed. Images are decoded once and are normalised on
the device. Images and ingredients stay on a GPU where they fit; the others are
streamed from memory-mapped files, with the same results. Between two recipes only weights move.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from ..datasets.dataset import Dataset
from ..merging.checks import check_ingredients
from ..merging.coefficients import Coefficient, tensor_coefficients
from ..merging.linear import Term, mix_many, tower_coefficients
from ..merging.recipe import LINEAR
from ..models.card import Card
from ..models.classifier import HEAD, TOWER, Weights
from ..models.device import pick_device, pick_precision
from ..models.device_cache import DeviceCache, free_memory
from ..models.load import empty_classifier
from ..models.tower import ImageClassifier, Normaliser, resized
from ..runtime.digest import canonical
from ..runtime.errors import StockpotError
from .images import image_batches, load_images

# (SHA-256 of a tower, its coefficient as text), sorted: what a mix of towers is known by.
TowerMix = list[tuple[str, str]]
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


class MixedModel:
    """One network whose weights each recipe overwrites.

    It remembers which mix it holds, so that an equal mix is not computed again.

    Attributes:
        network: The classifier that is filled.
        tensors: Tensors of the network by name; to write into them is to fill it.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        ingredients: Mapping[str, Weights],
        resident: DeviceCache,
        device: str,
    ):
        """Start with an empty network.

        Args:
            network: An empty classifier on the device.
            ingredients: SHA-256 -> weights; the class list of the first is that of the model.
            resident: The tensors that stay on the device.
            device: Where tensors are mixed.
        """
        self.network = network
        self.tensors = network.state_dict()
        self._ingredients = ingredients
        self._cards = _cards(ingredients)
        self._class_names = next(iter(self._cards.values())).class_names
        self._resident = resident
        self._device = device
        # The mix that the network holds; None as long as it holds none as a whole.
        self._tower_mix: TowerMix | None = None
        self._head_mix: dict[str, Coefficient] | None = None

    def load_tower(self, coefficients: Mapping[str, Coefficient]) -> bool:
        """Fill the tower with a mix, unless it holds this mix already.

        Args:
            coefficients: Ingredient -> its coefficient, as in a recipe.

        Returns:
            Whether the tower has changed, so that features of before are of no use any more.
        """
        coefficients = tower_coefficients(coefficients, self._cards)
        # Classifiers that differ only in their heads have one tower, so a mix is known by
        # the digests of the towers.
        tower_mix = []
        for sha256, coefficient in coefficients.items():
            tower_sha256 = self._cards[sha256].tower_sha256
            tower_mix.append((tower_sha256, canonical(coefficient)))
        tower_mix.sort()
        if tower_mix == self._tower_mix:
            return False
        # Until all tensors are written the network holds no mix, whatever may fail.
        self._tower_mix = None
        self._fill(coefficients, TOWER)
        self._tower_mix = tower_mix
        return True

    def load_head(self, coefficients: Mapping[str, Coefficient]) -> None:
        """Fill the head with a mix, unless it holds this mix already.

        Args:
            coefficients: Ingredient -> its coefficient, as in a recipe.

        Raises:
            StockpotError: If an ingredient of the head has another class list.
        """
        if coefficients == self._head_mix:
            return
        for _, sha256 in tensor_coefficients(coefficients, HEAD + "weight"):
            card = self._cards[sha256]
            if card.class_names != self._class_names:
                raise StockpotError(
                    f"{card.name}: it has another class list, so only its tower can be "
                    "averaged here, as with towers_only: true"
                )
        self._head_mix = None
        self._fill(coefficients, HEAD)
        self._head_mix = dict(coefficients)

    def _fill(self, coefficients: Mapping[str, Coefficient], prefix: str) -> None:
        """Write the mix of all tensors whose names begin with the prefix."""
        targets: list[tuple[torch.Tensor, list[Term]]] = []
        for name, target in self.tensors.items():
            if name.startswith(prefix):
                terms: list[Term] = [
                    (coefficient, self._ingredient_tensor(sha256, name))
                    for coefficient, sha256 in tensor_coefficients(coefficients, name)
                ]
                targets.append((target, terms))
        mix_many(targets)

    def _ingredient_tensor(self, sha256: str, name: str) -> torch.Tensor:
        """One tensor of an ingredient, on the device where there is room for it."""
        on_disk = self._ingredients[sha256][name]  # memory-mapped
        on_device = self._resident.get(
            (sha256, name),
            on_disk.nbytes,
            lambda: on_disk.to(self._device, copy=True),
        )
        return on_disk if on_device is None else on_device


class Engine:
    """Computes logits of linear recipes over one set of ingredients.

    Attributes:
        class_names: The model's classes, in the order of its logits.
        device: "cuda" or "cpu".
        precision: "bf16" or "fp32".
        model: The classifier that recipes fill.
        resident: What stays on the device between two recipes.
        forward_seconds: Seconds that forward passes of the tower took so far.
        forward_images: Images that went through the tower so far.
    """

    def __init__(
        self,
        ingredients: Mapping[str, Weights],
        precision: str = "auto",
        batch_size: int = 500,
        device: str | None = None,
        memory: int | None = None,
    ):
        """Build the empty model.

        Args:
            ingredients: SHA-256 -> weights of one architecture; the first has the class list.
            precision: "bf16", "fp32" or "auto".
            batch_size: Images per forward pass.
            device: "cuda" or "cpu"; picked if None.
            memory: Bytes of images and weights to keep on the device; ``free_memory`` if None.

        Raises:
            StockpotError: If the ingredients do not fit together.
        """
        cards = list(_cards(ingredients).values())
        check_ingredients(cards, one_start=False, one_class_list=False)
        self.device = device or pick_device()
        self.precision = pick_precision(precision, self.device)
        self._batch_size = batch_size
        dtype = PRECISIONS[self.precision]
        first = next(iter(ingredients.values()))
        card = first.card
        self.class_names = card.class_names
        self._image_size = card.image_size
        self._normalise = Normaliser(card.mean, card.std, self.device, dtype)
        self.model = _empty_model(first, dtype, self.device)
        # Free memory is measured after the model is there, which takes memory itself.
        memory = free_memory(self.device) if memory is None else memory
        self.resident = DeviceCache(memory)
        self.mixed = MixedModel(self.model, ingredients, self.resident, self.device)
        self.forward_seconds = 0.0
        self.forward_images = 0
        # Of the tower that is loaded: fingerprint of a data set -> float32 [n, features].
        self._features: dict[str, torch.Tensor] = {}

    def logits(self, recipe: dict[str, Any], dataset: Dataset) -> torch.Tensor:
        """Compute the logits of one recipe on one data set.

        Recipes that follow each other and have one tower share its features.

        Args:
            recipe: Its rule and ingredients; linear in the weights.
            dataset: All of its images are used.

        Returns:
            float32 [n, classes of the data set], on the CPU.

        Raises:
            StockpotError: If the recipe is not linear, or if the model lacks a class.
        """
        if recipe["rule"] != LINEAR:
            raise StockpotError(
                f"the engine mixes weights; '{recipe['rule']}' mixes something else"
            )
        # A class that the model lacks is found before anything is loaded.
        class_columns = self._class_columns(dataset)
        coefficients = recipe["ingredients"]
        if self.mixed.load_tower(coefficients):
            self._features.clear()
        self.mixed.load_head(coefficients)
        if dataset.fingerprint not in self._features:
            self._features[dataset.fingerprint] = self._compute_features(dataset)
        logits = self._apply_head(self._features[dataset.fingerprint])
        if class_columns is None:
            return logits
        return _merge_columns(logits, class_columns)

    def _class_columns(self, dataset: Dataset) -> list[list[int]] | None:
        """Columns of the head that stand for each class of the data set.

        None where they are all columns in their order.
        """
        merges = dataset.scoring.merges
        if dataset.class_names == self.class_names and not merges:
            return None
        # A class of the data set may stand for several classes of the model, or for none.
        column_of = {name: column for column, name in enumerate(self.class_names)}
        class_columns = []
        for class_name in dataset.class_names:
            columns = []
            for name in merges.get(class_name, [class_name]):
                if name not in column_of:
                    raise StockpotError(
                        f"{dataset.name}: its class '{name}' is not among the model's "
                        f"{len(self.class_names)} classes "
                        f"({', '.join(self.class_names[:5])}, …)"
                    )
                columns.append(column_of[name])
            class_columns.append(columns)
        return class_columns

    def _compute_features(self, dataset: Dataset) -> torch.Tensor:
        """Features of all images, float32 [n, features] on the CPU."""
        started = time.monotonic()
        batches = []
        with torch.inference_mode():
            for images in self._device_images(dataset):
                pixels = resized(self._normalise(images), self._image_size)
                batches.append(self.model.features(pixels))
            # The copy to the CPU waits for the GPU, so the time below is that of the work.
            features = torch.cat(batches).cpu()
        self.forward_seconds += time.monotonic() - started
        self.forward_images += len(dataset)
        return features

    def _device_images(self, dataset: Dataset) -> Iterable[torch.Tensor]:
        """Batches of uint8 images [n, height, width, 3] on the device."""
        # Images that stay on the device are copied there once, for all recipes.
        resident_images = self.resident.get(
            dataset.fingerprint,
            dataset.images.nbytes,
            lambda: load_images(dataset.images, self._batch_size, self.device),
        )
        if resident_images is None:
            return image_batches(dataset.images, self._batch_size, self.device)
        return resident_images.split(self._batch_size)

    def _apply_head(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [n, classes of the model] of features [n, features], both on the CPU."""
        # In batches, as all logits of a large data set at once may not fit on the device.
        with torch.inference_mode():
            batches = [
                self.model.head(batch.to(self.device)).cpu()
                for batch in features.split(self._batch_size)
            ]
        return torch.cat(batches)


def _cards(ingredients: Mapping[str, Weights]) -> dict[str, Card]:
    return {sha256: weights.card for sha256, weights in ingredients.items()}


def _empty_model(
    weights: Weights,
    dtype: torch.dtype,
    device: str,
) -> ImageClassifier:
    """A classifier of the same shape as these weights, on the device."""
    feature_count = weights["head.weight"].shape[1]
    model = empty_classifier(weights.card, feature_count).eval()
    # The head stays in fp32, as it takes little time.
    model.visual.to(dtype)
    model.to(device)
    return model


def _merge_columns(
    logits: torch.Tensor,
    class_columns: list[list[int]],
) -> torch.Tensor:
    """Logits [n, classes of the data set] from logits [n, classes of the model]."""
    merged = []
    for columns in class_columns:
        if columns:
            # The likeliest of them answers (Taori et al., NeurIPS 2020, for ObjectNet).
            merged.append(logits[:, columns].amax(1))
        else:
            # A class that the model lacks has logit 0 (Shankar et al., ICCV 2021, YTBB-Robust).
            merged.append(logits.new_zeros(len(logits)))
    return torch.stack(merged, 1)
