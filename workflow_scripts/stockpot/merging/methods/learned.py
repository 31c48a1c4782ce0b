"""The learned soup (Model soups, section 2 and appendix; MEHL-Soup, ECCV 2024).

Coefficients, and a temperature that only the loss sees, are trained on the held-out set by
mini-batch gradients: one per ingredient, or one per ingredient and block or tensor. With
``space: hyperplane`` they may be negative, as in MEHL-Soup.

With ``ingredients_per_step`` each epoch draws some ingredients anew and moves only their
coefficients: in simplex and hyperplane the sum of those stays, so that a single one could not
move. This saves reads as MEHL-Soup's partitions do, but by another rule: its code moves the whole
mix towards the chosen models, whose sum is free, and visits every model once before it visits one
again.
"""

import logging
from typing import Any, Literal

import torch
from pydantic import Field
from torch.nn import functional

from ...runtime.options import PluginOptions
from ..coefficients import block_prefixes, simplify
from ..learned_coefficients import MixedModel, constrained, unconstrained
from ..recipe import linear_combination, single
from . import Context, Method


class Options(PluginOptions):
    """Options of the learned soup.

    Attributes:
        granularity: What has a coefficient of its own.
        space: Which coefficients are allowed.
        temperature: Whether a temperature is trained.
        epochs: Passes over the held-out set.
        images_per_step: Images in a step.
        lr: Learning rate of Adam.
        ingredients_per_step: Number of ingredients that an epoch moves; 0 is all.
        seed: Seed of the order of images, and of the ingredients that an epoch moves.
    """

    granularity: Literal["model", "block", "tensor"] = Field(
        "model",
        description="one coefficient per ingredient, or for each of its blocks or tensors",
    )
    space: Literal["simplex", "hyperplane", "free"] = Field(
        "simplex",
        description="space of the coefficients; simplex: positive, sum 1; hyperplane: "
        "sum 1; free: any numbers",
    )
    temperature: bool = Field(
        default=True,
        description="also train a temperature, which is used only in the loss",
    )
    epochs: int = Field(
        5,
        ge=1,
        description="passes over the held-out set",
    )
    images_per_step: int = Field(
        250,
        ge=1,
        description="images in a step",
    )
    lr: float = Field(
        0.05,
        gt=0,
        description="learning rate of Adam",
    )
    ingredients_per_step: int = Field(
        0,
        ge=0,
        description="number of ingredients whose coefficients change in an epoch, 2 or "
        "more; 0 is all",
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the order of images, and of the choice of these "
        "ingredients",
    )


METHOD = Method(options=Options)
log = logging.getLogger(__name__)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Train the coefficients of the learned soup.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe, with the inverse temperature, the mean loss of every epoch (trace) and the
        soup's counts on the held-out set.
    """
    shas = list(ingredients.values())
    weights = [context.weights(sha256) for sha256 in shas]
    prefixes = _prefixes(weights[0].names, context.spec["granularity"])
    model, batches = context.model()
    mix = MixedModel(model, weights, prefixes)
    coefficients, inverse_temperature, trace = train(mix, batches, context.spec)
    terms = []
    for sha256, row in zip(shas, coefficients.tolist()):
        per_prefix = {prefix: float(number) for prefix, number in zip(prefixes, row)}
        terms.append((simplify(per_prefix), single(sha256)))
    recipe = linear_combination(terms)
    correct, image_count = context.held_out(recipe)
    log.info(
        "learned soup: held-out %.2f %%, temperature %.3f",
        100 * correct / image_count,
        1 / inverse_temperature,
    )
    return {
        **recipe,
        "inverse_temperature": inverse_temperature,
        "trace": trace,
        "held_out_k": correct,
        "n": image_count,
    }


def _prefixes(
    names: list[str],
    granularity: str,
) -> list[str]:
    """Prefixes of tensor names that have a coefficient each; "" first, for all others."""
    if granularity == "model":
        return [""]
    prefixes = names if granularity == "tensor" else block_prefixes(names)
    return ["", *(prefix for prefix in prefixes if prefix)]


def train(
    mix: MixedModel,
    batches: Any,
    spec: dict[str, Any],
) -> tuple[torch.Tensor, float, list[float]]:
    """Train coefficients and temperature on the held-out set.

    Args:
        mix: The model whose coefficients are trained.
        batches: The held-out set, as ``training.loop.Batches``.
        spec: The options.

    Returns:
        (coefficients float64 [ingredients, prefixes], inverse temperature, mean loss per epoch).
    """
    training = _Training(mix, batches, spec)
    generator = torch.Generator().manual_seed(spec["seed"])
    ingredient_count = len(mix.ingredients)
    moved_count = spec["ingredients_per_step"] or ingredient_count
    trace = []
    for epoch in range(spec["epochs"]):
        order = torch.randperm(len(batches), generator=generator)
        # Drawn even where all ingredients move, so that the order of images is the same.
        shuffled = torch.randperm(ingredient_count, generator=generator)
        # Where all ingredients move, Adam keeps its moments from epoch to epoch.
        if epoch == 0 or moved_count < ingredient_count:
            training.move(shuffled[:moved_count].sort().values)
        trace.append(training.run_epoch(order))
        log.info(
            "epoch %d/%d  loss %.4f",
            epoch + 1,
            spec["epochs"],
            trace[-1],
        )
    return training.coefficients, float(training.log_beta.detach().exp()), trace


class _Training:
    """Coefficients and temperature while they are trained.

    Attributes:
        coefficients: float64 [ingredients, prefixes].
        log_beta: Logarithm of the inverse temperature.
        chosen: Indices of the ingredients that move.
        total: Sum of the coefficients that move, float64 [prefixes].
        raw: Free numbers that the coefficients that move follow from.
        optimizers: Of the temperature, if it is trained, and of ``raw``.
    """

    def __init__(
        self,
        mix: MixedModel,
        batches: Any,
        spec: dict[str, Any],
    ):
        self.mix = mix
        self.batches = batches
        self.spec = spec
        self.device = next(mix.model.parameters()).device
        # Training begins at the uniform soup.
        shape = (len(mix.ingredients), len(mix.prefixes))
        self.coefficients = torch.full(shape, 1 / shape[0], dtype=torch.float64)
        # beta = exp(log_beta) is positive, and 1 at the start.
        self.log_beta = torch.zeros((), requires_grad=spec["temperature"])
        self.temperature_optimizers: list[torch.optim.Optimizer] = []
        if spec["temperature"]:
            self.temperature_optimizers = [self._optimizer(self.log_beta)]

    def _optimizer(self, tensor: torch.Tensor) -> torch.optim.Optimizer:
        return torch.optim.Adam([tensor], lr=self.spec["lr"])

    def move(self, chosen: torch.Tensor) -> None:
        """Choose the ingredients whose coefficients move from now on.

        Args:
            chosen: Sorted indices.
        """
        # Only the sum of the chosen ones is kept, so the sum of all is kept too.
        before = self.coefficients[chosen]
        self.chosen = chosen
        self.total = before.sum(0)
        self.raw = unconstrained(before, self.spec["space"]).requires_grad_()
        self.optimizers = [*self.temperature_optimizers, self._optimizer(self.raw)]

    def run_epoch(self, order: torch.Tensor) -> float:
        """Pass once over the held-out set.

        Args:
            order: Indices of the images, in the order in which they are seen.

        Returns:
            The mean loss.
        """
        loss_sum = 0.0
        for rows in order.split(self.spec["images_per_step"]):
            loss_sum += self._step(rows) * len(rows)
        # The last step has moved ``raw`` only.
        self.coefficients[self.chosen] = constrained(
            self.raw.detach(),
            self.spec["space"],
            self.total,
        )
        return loss_sum / len(self.batches)

    def _step(self, rows: torch.Tensor) -> float:
        """Move once by the gradient of the loss on some images; returns that loss."""
        moving = constrained(self.raw, self.spec["space"], self.total)
        self.coefficients[self.chosen] = moving.detach()
        self.mix.fill(self.coefficients)
        # The gradient of this step only: dL/dtheta.
        self.mix.model.zero_grad(set_to_none=True)
        loss = self._loss(rows)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        # First to the mixed weights (and the temperature), then on to the coefficients.
        loss.backward()
        gradient = self.mix.gradient(self.chosen.tolist())
        moving.backward(gradient[self.chosen])
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.item()

    def _loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The cross-entropy of beta * logits (Model soups, appendix)."""
        inputs = self.batches.inputs[rows].to(self.device)
        logits = self.mix.model(self.batches.prepare(inputs, None))
        beta = self.log_beta.exp().to(self.device)
        labels = self.batches.labels[rows].to(self.device)
        return functional.cross_entropy(beta * logits, labels)
