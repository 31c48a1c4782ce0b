"""Learned coefficients: gradients of a mix without the ingredients in the graph.

The loss depends on a coefficient only through the mixed weights, so that

    dL/da_i = <dL/dtheta, theta_i>,

one backward pass through the one mixed model, then an inner product with each ingredient as
it is read. Memory holds two models (weights and gradient), whatever the number of ingredients;
autograd through all of them, as the original code has it, holds every one twice. On a GPU the
ingredients stay where there is room for them.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from ..models.resident import Resident, free_memory
from .coefficients import at
from .linear import STEP, Source, mix_all, pieces, stored, whole

Tensors = Mapping[str, torch.Tensor]


class Mix:
    """One model whose weights are a mix of ingredients with coefficients per part."""

    def __init__(
        self, model: torch.nn.Module, ingredients: list[Tensors], parts: list[str]
    ):
        """model: filled in place, in evaluation mode. parts: beginnings of tensor names, ""
        first; every tensor belongs to the longest that fits it."""
        self.model, self.ingredients, self.parts = model.eval(), ingredients, parts
        self.tensors = model.state_dict()
        self.parameters = dict(model.named_parameters())
        device = str(next(iter(self.tensors.values())).device)
        self.resident = Resident(free_memory(device))
        places = {part: place for place, part in enumerate(parts)}
        self.place = {name: int(at(places, name)) for name in self.tensors}

    def fill(self, coefficients: torch.Tensor) -> None:
        """Put the mix into the model. coefficients: float64 [ingredients, parts]."""
        table = coefficients.tolist()
        mix_all(
            [
                (
                    tensor,
                    [
                        (row[self.place[name]], self._source(i, name))
                        for i, row in enumerate(table)
                    ],
                )
                for name, tensor in self.tensors.items()
            ]
        )

    def gradient(self, chosen: list[int] | None = None) -> torch.Tensor:
        """dL/da, float64 [ingredients, parts], after a backward pass through the model.

        chosen: ingredients to compute it for, all by default; the others' rows are zero.
        """
        chosen = list(range(len(self.ingredients))) if chosen is None else chosen
        found = torch.zeros(len(self.ingredients), len(self.parts), dtype=torch.float64)
        moved = [
            (name, p.grad) for name, p in self.parameters.items() if p.grad is not None
        ]
        jobs = [(name, i, gradient) for name, gradient in moved for i in chosen]

        def product(job) -> float:
            name, i, gradient = job
            return _dot(gradient, self._source(i, name))

        on_cpu = not self.resident.left and all(
            g.device.type == "cpu" for _, g in moved
        )
        with ThreadPoolExecutor(torch.get_num_threads() if on_cpu else 1) as pool:
            for (name, i, _), value in zip(jobs, pool.map(product, jobs)):
                found[i, self.place[name]] += value
        return found

    def _source(self, i: int, name: str) -> Source:
        """A tensor of an ingredient: on the device where there is room for it, else its file's."""
        source = stored(self.ingredients[i], name)
        if self.resident.left == 0:
            return source
        size = source.shape.numel() * source.dtype.itemsize
        device = self.tensors[name].device
        kept = self.resident.get((i, name), size, lambda: whole(source).to(device))
        return source if kept is None else kept


def _dot(a: torch.Tensor, b: Source) -> float:
    """Inner product of two tensors, in pieces whose sums are added in float64."""
    a, total = a.reshape(-1), 0.0
    step = STEP if a.device.type == "cpu" else len(a)
    for start, (piece,) in pieces([b], len(a), step):
        total += torch.dot(
            a[start : start + len(piece)], piece.to(a.device, a.dtype)
        ).item()
    return total


def free(coefficients: torch.Tensor, space: str) -> torch.Tensor:
    """Free numbers [ingredients, parts] that ``constrained`` makes these coefficients of."""
    return coefficients.log() if space == "simplex" else coefficients.clone()


def constrained(raw: torch.Tensor, space: str, whole: torch.Tensor) -> torch.Tensor:
    """Free numbers [ingredients, parts] -> coefficients.

    whole: what they sum to [parts], 1 for all ingredients together. simplex: positive, a softmax
    (Model soups, appendix). hyperplane: of any sign (MEHL-Soup). free: as they are, of any sum.
    """
    if space == "simplex":
        return whole * raw.softmax(0)
    if space == "hyperplane":
        return raw - raw.mean(0) + whole / len(raw)
    return raw + 0
