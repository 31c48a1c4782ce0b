"""Data sets that are scored in a way of their own, and what models answer on them."""

from stockpot.datasets.dataset import read_dataset, write_dataset
from stockpot.evaluation.engine import Engine
from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.store import Store
from stockpot.merging.recipe import single
from stockpot.models.classifier import Weights

EVALUATION_SPEC = {"precision": "fp32", "batch_size": 50, "store_logits": True}


def logits_of(folder, data):
    weights = Weights(folder)
    return Engine({weights.card.sha256: weights}, "fp32").logits(
        single(weights.card.sha256), data
    )


def dataset_kept_as(data, folder, name, scoring, labels=None, classes=None):
    """The same images with other labels, classes or scoring, through the disk."""
    labels = data.labels if labels is None else labels
    write_dataset(
        folder, name, data.images, labels, classes or data.class_names, {}, scoring
    )
    return read_dataset(folder)


def evaluator_of(folders, root, **changes) -> Evaluator:
    return Evaluator(
        Store(root), list(folders.values()), {**EVALUATION_SPEC, **changes}
    )
