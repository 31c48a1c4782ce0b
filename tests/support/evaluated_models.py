"""Models of one start, and their logits as computed by hand."""

import torch

from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.store import Store
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from tests.support.classifiers import ENGINE_SPEC

ALPHAS = [0.0, 0.25, 0.5, 0.75, 1.0]


def evaluator_of(folders, root, *names, **changes) -> Evaluator:
    wanted = [folders[name] for name in names or folders]
    return Evaluator(Store(root), wanted, {**ENGINE_SPEC, **changes})


def plain_logits(folder, dataset, state=None):
    """Logits of a loaded model, with weights replaced where they are given."""
    model, card = load_classifier(folder)
    if state is not None:
        model.load_state_dict(state)
    with torch.no_grad():
        return model(
            Normaliser(card.mean, card.std)(torch.from_numpy(dataset.images.copy()))
        )


def mixed_by_hand(folders, shares: dict[str, float]):
    """A mixed state dict, computed by hand."""
    states = {name: load_classifier(folders[name])[0].state_dict() for name in shares}
    first = next(iter(states.values()))
    return {
        name: sum(c * states[n][name].double() for n, c in shares.items()).float()
        for name in first
    }


def all_close(found, expected, tolerance=1e-5):
    scale = expected.abs().max()
    return (
        found.shape == expected.shape
        and (found - expected).abs().max() <= tolerance * scale
    )


def equal_answers(a, b, logits=True) -> bool:
    names = [
        "predicted",
        "correct",
        "confidence",
        "loss",
        *(["logits"] if logits else []),
    ]
    pairs = [(getattr(a, name), getattr(b, name)) for name in names]
    return all(x.dtype == y.dtype and torch.equal(x, y) for x, y in pairs)
