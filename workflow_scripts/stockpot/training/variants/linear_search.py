"""The best of many linear classifiers, trained at once (WiSE-FT D.3: 64 random settings).

Learning rate, batch size and the strength of one regulariser are drawn as in the paper; the
run's own lr, batch_size, weight_decay and label_smoothing play no part. The setting with the
best held-out accuracy of all is kept, the first of equals; the card lists all of them.
"""

import logging
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field

from ...models.classifier import HEAD, TOWER
from ...models.load import load_classifier
from ...runtime.options import from_paper
from ..heads import Settings, fit_heads
from ..images import features, image_batches
from ..loop import Diverged
from ..origin import start_of
from ..random_search import draw
from . import Variant
from ._options import FewShots, InitialHead


class Options(InitialHead, FewShots):
    settings: int = Field(
        64,
        ge=1,
        description="number of settings of a linear search",
        json_schema_extra=from_paper("WiSE-FT, D.3"),
    )
    regulariser: Literal["none", "weight-decay", "l1", "label-smoothing"] = Field(
        "weight-decay",
        description="regulariser of a linear search; learning rate, batch size and strength are "
        "drawn as in the paper, and the run's own play no part",
        json_schema_extra=from_paper("WiSE-FT, D.3"),
    )
    settings_seed: int = Field(0, ge=0, description="seed of the draw of settings")


VARIANT = Variant(
    options=Options, draws=("lr", "batch_size", "weight_decay", "label_smoothing")
)
log = logging.getLogger(__name__)

ALWAYS = {"lr": {"log_uniform": [1e-6, 1.0]}, "batch_size": {"choice": [64, 128, 256]}}
STRENGTH = {
    "none": {},
    "weight-decay": {"weight_decay": {"log_uniform": [1e-4, 1.0]}},
    "l1": {"l1": {"log_uniform": [1e-8, 1e-4]}},
    "label-smoothing": {"label_smoothing": {"uniform": [0.0, 0.25]}},
}


def drawn(spec: dict) -> list[dict]:
    """The settings of a run: lr, batch_size, and the strength of its regulariser."""
    search = {
        "seed": spec["settings_seed"],
        "space": ALWAYS | STRENGTH[spec["regulariser"]],
    }
    return [draw(search, i) for i in range(spec["settings"])]


def train(spec, context):
    model, card = load_classifier(context.start, context.device)
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    few = {key: spec[key] for key in ("name", "shots", "shots_seed")}
    train_set = image_batches(context.train, card, 1, context.device, spec=few)
    held_out = image_batches(context.held_out, card, 1, context.device)
    train_set, held_out = (
        features(model, d, context.device) for d in (train_set, held_out)
    )

    points, rows, best = drawn(spec), [], None
    for size in sorted({point["batch_size"] for point in points}):
        places = [i for i, point in enumerate(points) if point["batch_size"] == size]
        heads, hits = fit_heads(
            model.head,
            together([points[i] for i in places], context.device),
            train_set,
            held_out,
            {**spec, "batch_size": size},
            context.state_dir / str(size),
        )
        for place, head, k in zip(places, range(len(places)), hits.tolist()):
            rows.append(
                {"setting": place, **points[place], "held_out_n": len(held_out)}
            )
            rows[-1]["held_out_k"] = k
            if best is None or (-k, place) < best[0]:
                best = (-k, place), [tensor[head].clone() for tensor in heads.tensors]
    (negative, place), (weight, bias) = best
    if negative > 0:
        raise Diverged(f"none of the {len(points)} settings has finite weights")
    log.info(
        "setting %d is the best: held-out %.2f %% with %s",
        place,
        -100 * negative / len(held_out),
        points[place],
    )
    tensors = {
        TOWER + name: tensor for name, tensor in model.visual.state_dict().items()
    }
    tensors |= {HEAD + "weight": weight, HEAD + "bias": bias}
    rows.sort(key=lambda row: row["setting"])
    return replace(card, start=start_of(card, spec), history=rows), tensors


def together(points: list[dict], device: str) -> Settings:
    """Settings with 0 for what a point does not name."""
    names = ("lr", "weight_decay", "l1", "label_smoothing")
    columns = [[point.get(name, 0.0) for point in points] for name in names]
    return Settings(*(torch.tensor(column, device=device) for column in columns))
