"""Adversarial sets: the images that a model which is good at the reference gets wrong.

As ImageNet-A was made (Hendrycks et al. 2021): natural images, filtered by the mistakes of
a model that is not among those compared.
"""

import logging
from pathlib import Path

import numpy as np

from ..datasets.dataset import Dataset, some_rows, write_dataset
from ..merging.recipe import single
from ..models.classifier import Weights
from ..runtime.errors import StockpotError
from .engine import Engine

log = logging.getLogger(__name__)


def write_adversarial(folder: Path, spec: dict, pool: Dataset, adversary: Path) -> None:
    """Write ``spec["images"]`` images of the pool that the adversary gets wrong (``some_rows``).

    Raises StockpotError if it gets fewer wrong.
    """
    weights = Weights(adversary)
    engine = Engine({weights.card.sha256: weights}, "fp32")
    wrong = (
        engine.logits(single(weights.card.sha256), pool).argmax(1).numpy()
        != pool.labels
    )
    rows = np.flatnonzero(wrong)
    last = weights.card.history[-1]
    held_out = 100 * last["held_out_k"] / last["held_out_n"]
    log.info(
        "the adversary is right on %.1f %% of the held-out set and wrong on %.1f %% of the pool",
        held_out,
        100 * wrong.mean(),
    )
    if len(rows) < spec["images"]:
        raise StockpotError(
            f"datasets.{spec['name']}.images: {spec['images']} wanted, but the adversary gets only "
            f"{len(rows)} of the {len(pool)} images of {pool.name} wrong; enlarge the pool"
        )
    rows = rows[some_rows(pool.labels[rows], spec["images"])]
    source = {**spec, "pool_wrong": float(wrong.mean()), "adversary_held_out": held_out}
    write_dataset(
        folder,
        spec["name"],
        pool.images[rows],
        pool.labels[rows],
        pool.class_names,
        source,
        pool.scoring.select_rows(rows),
    )
