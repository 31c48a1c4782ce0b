"""The best of many linear classifiers, trained at once (WiSE-FT D.3: 64 random trials).

A trial is a learning rate, a batch size and the strength of one regulariser, drawn as in the
paper; the run's own lr, batch_size, weight_decay and label_smoothing are ignored. The trial
with the best held-out accuracy is kept, the first of equals; the card lists all of them.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from pydantic import Field

from ...models.card import Card
from ...models.classifier import HEAD, TOWER
from ...models.load import load_classifier
from ...runtime.options import from_paper
from ..heads import HeadHyperparameters, fit_heads
from ..images import features, image_batches
from ..lineage import lineage_sha256
from ..loop import Batches, DivergedError
from ..random_search import draw
from . import Context, Variant
from ._options import FewShots, InitialHead


class Options(InitialHead, FewShots):
    """Hyperparameters of this variant."""

    trials: int = Field(
        64,
        ge=1,
        description="number of heads that a linear search trains, each with other "
        "hyperparameters",
        json_schema_extra=from_paper("WiSE-FT, D.3"),
    )
    regulariser: Literal["none", "weight-decay", "l1", "label-smoothing"] = Field(
        "weight-decay",
        description="regulariser of a linear search; learning rate, batch size and "
        "strength are drawn as in the paper, and those of the run are not "
        "used",
        json_schema_extra=from_paper("WiSE-FT, D.3"),
    )
    trials_seed: int = Field(0, ge=0, description="seed of these draws")


VARIANT = Variant(
    options=Options,
    draws=("lr", "batch_size", "weight_decay", "label_smoothing"),
)
log = logging.getLogger(__name__)

# WiSE-FT D.3: the distributions of all trials, and of the strength of each regulariser.
ALWAYS = {
    "lr": {"log_uniform": [1e-6, 1.0]},
    "batch_size": {"choice": [64, 128, 256]},
}
STRENGTH = {
    "none": {},
    "weight-decay": {"weight_decay": {"log_uniform": [1e-4, 1.0]}},
    "l1": {"l1": {"log_uniform": [1e-8, 1e-4]}},
    "label-smoothing": {"label_smoothing": {"uniform": [0.0, 0.25]}},
}


def draw_trials(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Draw the trials of a run.

    Args:
        spec: trials (their number), trials_seed and regulariser.

    Returns:
        For each trial lr, batch_size, and the strength of the regulariser.
    """
    search = {
        "seed": spec["trials_seed"],
        "space": ALWAYS | STRENGTH[spec["regulariser"]],
    }
    return [draw(search, i) for i in range(spec["trials"])]


@dataclass
class _BestHead:
    """The head that is right most often so far; the earliest trial among equals.

    Attributes:
        correct_count: Held-out examples that it gets right; -1 where it is not finite.
        trial: The number of its trial.
        weight: float32 [classes, d].
        bias: float32 [classes].
    """

    correct_count: int
    trial: int
    weight: torch.Tensor
    bias: torch.Tensor


def train(
    spec: dict[str, Any],
    context: Context,
) -> tuple[Card, dict[str, torch.Tensor]]:
    """Train a linear classifier with each trial and keep the best.

    Args:
        spec: The hyperparameters of the run.
        context: Initial weights, data and device.

    Returns:
        The card, whose history lists all trials, and the tensors of the classifier.

    Raises:
        DivergedError: No trial has finite weights.
    """
    device = context.device
    model, card = load_classifier(context.initial_classifier, device)
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    # The tower stays as it is, so its features of each image are computed only once.
    few_shots = {key: spec[key] for key in ("name", "shots", "shots_seed")}
    train_images = image_batches(
        context.train,
        card,
        1,
        device,
        spec=few_shots,
    )
    held_out_images = image_batches(context.held_out, card, 1, device)
    train_set = features(model, train_images, device)
    held_out = features(model, held_out_images, device)

    trials = draw_trials(spec)
    best, rows = _search(
        model.head,
        trials,
        train_set,
        held_out,
        spec,
        context,
    )
    if best.correct_count < 0:
        raise DivergedError(f"none of the {len(trials)} trials has finite weights")
    log.info(
        "trial %d is the best: held-out %.2f %% with %s",
        best.trial,
        100 * best.correct_count / len(held_out),
        trials[best.trial],
    )
    tensors = {}
    for name, tensor in model.visual.state_dict().items():
        tensors[TOWER + name] = tensor
    tensors[HEAD + "weight"] = best.weight
    tensors[HEAD + "bias"] = best.bias
    card = replace(card, start=lineage_sha256(card, spec), history=rows)
    return card, tensors


def _search(
    head: torch.nn.Linear,
    trials: list[dict[str, Any]],
    train_set: Batches,
    held_out: Batches,
    spec: dict[str, Any],
    context: Context,
) -> tuple[_BestHead, list[dict[str, Any]]]:
    """Train a head with each trial; returns the best, and a row per trial."""
    best = None
    rows = []
    # Heads with one batch size see the same batches, so that they are trained at once.
    for batch_size in sorted({trial["batch_size"] for trial in trials}):
        numbers = [
            number
            for number, trial in enumerate(trials)
            if trial["batch_size"] == batch_size
        ]
        same_size = [trials[number] for number in numbers]
        heads, correct_counts = fit_heads(
            head,
            stack_trials(same_size, context.device),
            train_set,
            held_out,
            {**spec, "batch_size": batch_size},
            context.state_dir / str(batch_size),
        )
        for index, correct_count in enumerate(correct_counts.tolist()):
            number = numbers[index]
            rows.append(
                {
                    "trial": number,
                    **trials[number],
                    "held_out_n": len(held_out),
                    "held_out_k": correct_count,
                }
            )
            # Batch sizes are gone through in turn, so a later trial can be tried first.
            if _is_better(correct_count, number, best):
                weight, bias = (tensor[index].clone() for tensor in heads.tensors)
                best = _BestHead(correct_count, number, weight, bias)
    rows.sort(key=lambda row: row["trial"])
    return best, rows


def _is_better(
    correct_count: int,
    trial: int,
    best: _BestHead | None,
) -> bool:
    if best is None or correct_count > best.correct_count:
        return True
    return correct_count == best.correct_count and trial < best.trial


def stack_trials(trials: list[dict[str, Any]], device: str) -> HeadHyperparameters:
    """Make one tensor per hyperparameter.

    Args:
        trials: Hyperparameter -> value, for each head; a missing one counts as 0.
        device: Where the tensors are put.

    Returns:
        Tensors with one number per head, in the order of the trials.
    """
    tensors = {}
    for name in ("lr", "weight_decay", "l1", "label_smoothing"):
        values = [trial.get(name, 0.0) for trial in trials]
        tensors[name] = torch.tensor(values, device=device)
    return HeadHyperparameters(**tensors)
