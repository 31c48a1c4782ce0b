"""The linear classifier: only the head is trained, on features computed once (WiSE-FT D.3)."""

from dataclasses import replace

import torch

from ...models.classifier import HEAD, TOWER
from ...models.load import load_classifier
from ..images import image_batches
from ..loop import Batches, fit


@torch.no_grad()
def _features(model, data: Batches, device: str) -> Batches:
    rows = [model.features(data.prepare(x.to(device), None)).cpu() for x in data.inputs.split(500)]
    return Batches(torch.cat(rows), data.labels, lambda x, generator: x)


def train(spec, context):
    model, card = load_classifier(context.start, context.device)
    train_set, held_out = (
        _features(model, image_batches(data, card, 1, context.device), context.device)
        for data in (context.train, context.held_out)
    )
    history = fit(model.head, train_set, held_out, spec, context.state_dir, context.device)
    tensors = {TOWER + name: tensor for name, tensor in model.visual.state_dict().items()}
    tensors |= {HEAD + name: tensor for name, tensor in model.head.state_dict().items()}
    return replace(card, start=card.sha256, history=history), tensors
