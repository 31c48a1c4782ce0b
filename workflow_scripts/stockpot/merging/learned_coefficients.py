"""Learned coefficients: gradients of a mix without the ingredients in the graph.

The loss depends on a coefficient only through the mixed weights theta = sum_i a_i theta_i, so
that

    dL/da_i = <dL/dtheta, theta_i>:

one backward pass through the one mixed model, then an inner product with each ingredient as
it is read. Memory holds two models (weights and gradient), whatever the number of ingredients;
autograd through all of them, as in the original code, holds each of them twice. On a GPU the
ingredients stay where there is room for them.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from ..models.device_cache import DeviceCache, free_memory
from .coefficients import coefficient_at
from .linear import (
    SUM_CHUNK,
    StoredTensor,
    Tensors,
    iterate_chunks,
    lazy_tensor,
    load_tensor,
    mix_many,
)


class MixedModel:
    """One model whose weights are a mix of ingredients, with coefficients per prefix.

    Attributes:
        model: The model that holds the mix.
        ingredients: Tensors of each ingredient.
        prefixes: Prefixes of tensor names; each has coefficients of its own.
        tensors: Tensors of the model by name.
        parameters: Parameters of the model by name.
        resident: Tensors of ingredients that stay on the GPU.
        column: Tensor name -> index of its prefix.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        ingredients: Sequence[Tensors],
        prefixes: list[str],
    ):
        """Prepare the model, whose weights ``fill`` then overwrites.

        Args:
            model: Its architecture is that of the ingredients; put in evaluation mode.
            ingredients: Tensors of each ingredient.
            prefixes: Prefixes of tensor names, "" first. A tensor belongs to the longest that
                fits it.
        """
        self.model = model.eval()
        self.ingredients = ingredients
        self.prefixes = prefixes
        self.tensors = model.state_dict()
        self.parameters = dict(model.named_parameters())
        device = str(next(iter(self.tensors.values())).device)
        self.resident = DeviceCache(free_memory(device))
        # Coefficients that are the indices: each tensor gets that of its longest prefix.
        columns: dict[str, float] = {
            prefix: column for column, prefix in enumerate(prefixes)
        }
        self.column = {
            name: int(coefficient_at(columns, name)) for name in self.tensors
        }

    def fill(self, coefficients: torch.Tensor) -> None:
        """Put a mix into the model.

        Args:
            coefficients: float64 [ingredients, prefixes].
        """
        # Python's floats: reading a tensor's numbers one by one is slow.
        rows = coefficients.tolist()
        targets = []
        for name, tensor in self.tensors.items():
            column = self.column[name]
            terms = [
                (row[column], self._source(index, name))
                for index, row in enumerate(rows)
            ]
            targets.append((tensor, terms))
        mix_many(targets)

    def gradient(self, chosen: list[int] | None = None) -> torch.Tensor:
        """Compute dL/da after a backward pass through the model.

        Args:
            chosen: Indices of the ingredients to compute it for; all if None.

        Returns:
            float64 [ingredients, prefixes]; the rows of the other ingredients are zero.
        """
        ingredient_count = len(self.ingredients)
        if chosen is None:
            chosen = list(range(ingredient_count))
        result = torch.zeros(ingredient_count, len(self.prefixes), dtype=torch.float64)
        tasks = []
        for name, parameter in self.parameters.items():
            if parameter.grad is not None:
                tasks += [(name, index, parameter.grad) for index in chosen]

        def inner_product(task: tuple[str, int, torch.Tensor]) -> float:
            """<dL/dtheta, theta_i> of one tensor of one ingredient."""
            name, index, gradient = task
            return _inner_product(gradient, self._source(index, name))

        with ThreadPoolExecutor(self._thread_count()) as pool:
            products = pool.map(inner_product, tasks)
            # In the order of the tasks, so that sums are always rounded alike.
            for (name, index, _), value in zip(tasks, products):
                result[index, self.column[name]] += value
        return result

    def _thread_count(self) -> int:
        """Threads for inner products: all on a CPU; one on a GPU, and where tensors may move."""
        gradients = [
            parameter.grad
            for parameter in self.parameters.values()
            if parameter.grad is not None
        ]
        all_on_cpu = all(gradient.device.type == "cpu" for gradient in gradients)
        if all_on_cpu and not self.resident.left:
            return torch.get_num_threads()
        return 1

    def _source(
        self,
        index: int,
        name: str,
    ) -> StoredTensor:
        """A tensor of an ingredient: on the device if there is room for it, else of its file."""
        source = lazy_tensor(self.ingredients[index], name)
        # On a CPU, and on a GPU that is full.
        if self.resident.left == 0:
            return source
        byte_count = source.shape.numel() * source.dtype.itemsize
        device = self.tensors[name].device
        on_device = self.resident.get(
            (index, name), byte_count, lambda: load_tensor(source).to(device)
        )
        return source if on_device is None else on_device


def _inner_product(
    gradient: torch.Tensor,
    source: StoredTensor,
) -> float:
    """Inner product of two tensors, in chunks whose products are added in float64."""
    flat = gradient.reshape(-1)
    # A dot product of a whole tensor in float32 would lose digits.
    total = 0.0
    step = SUM_CHUNK if flat.device.type == "cpu" else len(flat)
    for start, (chunk,) in iterate_chunks([source], len(flat), step):
        gradient_chunk = flat[start : start + len(chunk)]
        weights = chunk.to(flat.device, flat.dtype)
        total += torch.dot(gradient_chunk, weights).item()
    return total


def unconstrained(
    coefficients: torch.Tensor,
    space: str,
) -> torch.Tensor:
    """Invert ``constrained``: find free numbers that give these coefficients.

    Args:
        coefficients: float64 [ingredients, prefixes].
        space: simplex, hyperplane or free.

    Returns:
        Free numbers, float64 [ingredients, prefixes].
    """
    return coefficients.log() if space == "simplex" else coefficients.clone()


def constrained(
    raw: torch.Tensor,
    space: str,
    total: torch.Tensor,
) -> torch.Tensor:
    """Turn free numbers into coefficients of a space.

    Args:
        raw: Free numbers, float64 [ingredients, prefixes].
        space: simplex: positive, by a softmax (Model soups, appendix). hyperplane: of any sign
            (MEHL-Soup). free: the numbers as they are, of any sum.
        total: What the coefficients sum to, float64 [prefixes]; 1 for all ingredients together.

    Returns:
        Coefficients, float64 [ingredients, prefixes].
    """
    if space == "simplex":
        return total * raw.softmax(0)
    if space == "hyperplane":
        # Moves every number by the same amount, onto the plane of this sum.
        return raw - raw.mean(0) + total / len(raw)
    # A tensor of its own, with a gradient, as in the other spaces.
    return raw + 0
