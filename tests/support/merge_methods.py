"""Random models and contexts in which a merge method can be checked by hand."""

import torch

from stockpot.merging import methods
from stockpot.runtime.registry import defaults
from tests.support.tensors import mixed

SHAPES = {
    "visual.conv1.weight": (3, 2),
    "visual.blocks.0.w": (4,),
    "visual.blocks.1.w": (2, 2),
    "visual.ln_post.bias": (5,),
    "head.weight": (2, 3),
}


class Tensors(dict):
    """Tensors by name, as ``Weights`` gives them."""

    @property
    def names(self):
        return sorted(self)


def random_model(seed: int) -> Tensors:
    generator = torch.Generator().manual_seed(seed)
    return Tensors(
        {
            n: torch.randn(*shape, generator=generator).double()
            for n, shape in SHAPES.items()
        }
    )


def random_context(models, method, held_out=None, **given) -> methods.Context:
    spec = {"name": "x", "method": method, **defaults(methods.options(method)), **given}
    return methods.Context(spec, held_out, "start", models.__getitem__)


def recipe_and_tensors(models, method, names="abcd", **given) -> tuple[dict, dict]:
    """The recipe of a method and the tensors it describes."""
    ingredients = {name: f"sha-{name}" for name in names}
    recipe = methods.load(method)(ingredients, random_context(models, method, **given))
    return recipe, dict(mixed(recipe["ingredients"], models, SHAPES))


def all_close(a: dict, b: dict) -> bool:
    return all(torch.allclose(a[name], b[name], rtol=0, atol=1e-12) for name in SHAPES)


def updates_of(models, names="abcd"):
    return [
        {n: models[f"sha-{name}"][n] - models["start"][n] for n in SHAPES}
        for name in names
    ]


def merged_weights(models, method, names="abcd", **given) -> dict:
    ingredients = {name: f"sha-{name}" for name in names}
    return dict(
        methods.load(method)(ingredients, random_context(models, method, **given))
    )


def small_classifier(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3)).double()


LETTERS = {name: f"sha-{name}" for name in "abcdef"}


def merge_letters(method, ingredients, held_out):
    spec = {"name": "x", **defaults(methods.options(method))}
    return methods.load(method)(ingredients, methods.Context(spec, held_out))


def small_network() -> torch.nn.Module:
    layers = torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 5)
    return torch.nn.Sequential(*layers).double()


def helpful_and_harmful(recipe) -> tuple[int, int]:
    """B and c help each other; d hurts; ensembles are one better than soups."""
    members = set(recipe["ingredients"])
    k = 50 + 2 * ("sha-b" in members) + ("sha-c" in members) - 5 * ("sha-d" in members)
    return k + (recipe["rule"] != "linear"), 100
