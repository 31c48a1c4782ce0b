"""Fisher merging against its formula, with the information of small models."""

import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging import methods
from stockpot.merging.fisher_information import fisher_diagonal
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.registry import defaults
from stockpot.training.loop import Batches
from tests.support.merge_methods import Tensors, random_context, small_classifier


def fisher_context(models, **given):
    """A context whose model and images are small enough for a loop over examples."""
    images = torch.randn(
        20, 3, 2, 2, generator=torch.Generator().manual_seed(9)
    ).double()
    batches = Batches(images, torch.zeros(20, dtype=torch.long), lambda x, generator: x)
    found = random_context(models, "fisher", **given)
    found.model = lambda part: (small_classifier(0), batches)
    return found


def fisher_models(seeds):
    models = {"start": Tensors(small_classifier(0).state_dict())}
    for name, seed in zip("abc", seeds):
        models[f"sha-{name}"] = Tensors(small_classifier(seed).state_dict())
    return models


def test_fisher_with_equal_information_is_plain_interpolation():
    """A floor above all information makes it equal."""
    models = fisher_models([1, 2, 3])
    ingredients = {name: f"sha-{name}" for name in "abc"}
    merge = methods.load("fisher")
    found = dict(merge(ingredients, fisher_context(models, floor=1e9)))
    for name in found:
        mean = sum(models[f"sha-{n}"][name] for n in "abc") / 3
        assert torch.allclose(found[name], mean, rtol=0, atol=1e-12)


def test_fisher_weights_every_number_by_its_information():
    models = fisher_models([1, 2])
    images = torch.randn(
        20, 3, 2, 2, generator=torch.Generator().manual_seed(9)
    ).double()
    information = {}
    for name in ("sha-a", "sha-b"):
        model = small_classifier(0)
        model.load_state_dict(models[name])
        information[name] = fisher_diagonal(
            model, images, torch.Generator().manual_seed(0)
        )
    found = dict(
        methods.load("fisher")({"a": "sha-a", "b": "sha-b"}, fisher_context(models))
    )
    for name in found:
        f = {sha: information[sha][name].clamp_min(1e-8) for sha in information}
        above = sum(f[sha] * models[sha][name] for sha in f)
        assert torch.allclose(found[name], above / sum(f.values()), rtol=1e-9)
    again = dict(
        methods.load("fisher")({"b": "sha-b", "a": "sha-a"}, fisher_context(models))
    )
    assert all(torch.equal(found[name], again[name]) for name in found)


def test_fisher_merging_takes_models_with_batch_normalisation(world, runs, tmp_path):
    """Timm builds its models in training mode, in which BatchNorm refuses gradients one by one."""
    spec = {
        "name": "x",
        "method": "fisher",
        **defaults(methods.options("fisher")),
        "images": 4,
    }
    sets = [read_dataset(world[name]) for name in ("held-out", "train")]
    context = FolderContext(spec, [runs["scratch"]], sets[0], sets[1:], tmp_path)
    assert not context.model()[0].training
    card = read_card(runs["scratch"])
    found = dict(methods.load("fisher")({"scratch": card.sha256}, context))
    weights = Weights(runs["scratch"])
    for name in weights.names:
        assert torch.allclose(found[name], weights[name], rtol=1e-6), name
