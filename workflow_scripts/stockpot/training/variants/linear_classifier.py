"""The linear classifier: only the head is trained, on features computed once (WiSE-FT D.3)."""

import copy
from dataclasses import replace

from pydantic import Field

from ...models.classifier import HEAD, TOWER
from ...models.load import load_classifier
from ...runtime.options import from_paper
from ..images import features, image_batches
from ..loop import fit
from ..origin import start_of
from . import Variant
from ._options import FewShots, InitialHead, NearStart


class Options(InitialHead, NearStart, FewShots):
    l1: float = Field(
        0.0,
        ge=0,
        description="λ of λ ‖W‖₁ of a linear classifier in the loss",
        json_schema_extra=from_paper("WiSE-FT, D.3"),
    )


VARIANT = Variant(options=Options)


def train(spec, context):
    model, card = load_classifier(context.start, context.device)
    start = copy.deepcopy(model.head)
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    few = {key: spec[key] for key in ("name", "shots", "shots_seed")}
    train_set = image_batches(context.train, card, 1, context.device, spec=few)
    held_out = image_batches(context.held_out, card, 1, context.device)
    train_set, held_out = (
        features(model, d, context.device) for d in (train_set, held_out)
    )
    history = fit(
        model.head, train_set, held_out, spec, context.state_dir, context.device, start
    )
    tensors = {
        TOWER + name: tensor for name, tensor in model.visual.state_dict().items()
    }
    tensors |= {HEAD + name: tensor for name, tensor in model.head.state_dict().items()}
    return replace(card, start=start_of(card, spec), history=history), tensors
