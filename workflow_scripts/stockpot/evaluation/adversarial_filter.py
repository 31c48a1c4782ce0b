"""Adversarial sets: the images that a model which is good at the reference gets wrong.

ImageNet-A was made in this way (Hendrycks et al. 2021): natural images, filtered by the mistakes
of a model that is not among those compared.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.dataset import Dataset, spread_rows, write_dataset
from ..merging.recipe import single
from ..models.card import Card
from ..models.classifier import Weights
from ..runtime.errors import StockpotError
from .engine import Engine

log = logging.getLogger(__name__)


def write_adversarial(
    folder: Path,
    spec: dict[str, Any],
    pool: Dataset,
    adversary: Path,
) -> None:
    """Write images of a pool that the adversary gets wrong, as a data set.

    Args:
        folder: Of the new data set.
        spec: ``name``, ``images`` (how many; ``spread_rows`` picks them), and what else the card is
            to say of the source.
        pool: The images to filter.
        adversary: Classifier folder.

    Raises:
        StockpotError: If the adversary gets fewer images wrong.
    """
    weights = Weights(adversary)
    wrong = _predicted(weights, pool) != pool.labels
    quality = _quality(weights.card, wrong)
    rows = np.flatnonzero(wrong)
    if len(rows) < spec["images"]:
        raise StockpotError(
            f"datasets.{spec['name']}.images: {spec['images']} wanted, but the adversary gets only "
            f"{len(rows)} of the {len(pool)} images of {pool.name} wrong; enlarge the pool"
        )
    # Evenly spread where the pool is sorted by class.
    rows = rows[spread_rows(pool.labels[rows], spec["images"])]
    write_dataset(
        folder,
        spec["name"],
        pool.images[rows],
        pool.labels[rows],
        pool.class_names,
        source={**spec, **quality},
        scoring=pool.scoring.select_rows(rows),
    )


def _quality(card: Card, wrong: np.ndarray) -> dict[str, float]:
    """Log and return how good the adversary is: a bad one would filter at random.

    ``wrong``: bool [n], of the images of the pool.
    """
    last_epoch = card.history[-1]
    held_out_accuracy = 100 * last_epoch["held_out_k"] / last_epoch["held_out_n"]
    log.info(
        "the adversary is right on %.1f %% of the held-out set and wrong on %.1f %% of the pool",
        held_out_accuracy,
        100 * wrong.mean(),
    )
    return {
        "pool_wrong": float(wrong.mean()),
        "adversary_held_out": held_out_accuracy,
    }


def _predicted(weights: Weights, dataset: Dataset) -> np.ndarray:
    """int64 [n]: the class index that a classifier answers for each image."""
    sha256 = weights.card.sha256
    # Full precision: which images are kept must not hang on rounding.
    engine = Engine({sha256: weights}, "fp32")
    return engine.logits(single(sha256), dataset).argmax(1).numpy()
