"""End-to-end fine-tuning: tower and head, from the zero-shot model (WiSE-FT section 3, D.2)."""

from dataclasses import replace

from ...models.load import load_classifier
from ..images import image_batches
from ..loop import fit


def train(spec, context):
    model, card = load_classifier(context.start)
    train_set = image_batches(context.train, card, spec["crop"], context.device)
    held_out = image_batches(context.held_out, card, 1, context.device)
    history = fit(model, train_set, held_out, spec, context.state_dir, context.device)
    card = replace(card, start=card.sha256, history=history)
    return card, model.state_dict()
