"""The learned soup (Model soups, section 2 and appendix; MEHL-Soup, ECCV 2024).

Coefficients, and a temperature that the loss alone sees, are trained on the held-out set by
mini-batch gradients: one per ingredient, or one per ingredient and part of the model. With
``space: hyperplane`` they may be negative, as in MEHL-Soup. With ``ingredients_per_step`` each
epoch draws some ingredients anew and moves their coefficients alone: in simplex and hyperplane the
sum of those stays, so that one by itself could not move. This saves reads as MEHL-Soup's partitions
do, but by another rule: its code moves the whole mix towards the chosen models, whose sum is free,
and visits every model once before it visits one again.
"""

import logging
from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..coefficients import blocks, simplified
from ..recipe import single, total
from . import Method


class Options(PluginOptions):
    per: Literal["model", "block", "tensor"] = Field(
        "model",
        description="one coefficient per ingredient, or for each of its blocks or tensors",
    )
    space: Literal["simplex", "hyperplane", "free"] = Field(
        "simplex",
        description="space of the coefficients; simplex: positive, of sum 1; hyperplane: of sum 1; "
        "free",
    )
    temperature: bool = Field(
        True, description="train a temperature, which the loss alone sees"
    )
    epochs: int = Field(5, ge=1, description="passes over the held-out set")
    step_size: int = Field(250, ge=1, description="images in a step")
    lr: float = Field(0.05, gt=0, description="learning rate of Adam")
    ingredients_per_step: int = Field(
        0,
        ge=0,
        description="number of ingredients whose coefficients an epoch moves, 2 or more; 0 is all",
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the order of images, and of the ingredients that an epoch moves",
    )


METHOD = Method(options=Options)
log = logging.getLogger(__name__)


def find(ingredients: dict[str, str], context) -> dict:
    from ..learned_coefficients import Mix

    shas, spec = list(ingredients.values()), context.spec
    weights = [context.weights(sha) for sha in shas]
    names = weights[0].names
    parts = {"model": [], "block": blocks(names), "tensor": names}[spec["per"]]
    model, batches = context.model()
    mix = Mix(model, weights, ["", *(part for part in parts if part)])
    found, beta, trace = train(mix, batches, spec)

    coefficients = (
        simplified({part: float(x) for part, x in zip(mix.parts, row)})
        for row in found.tolist()
    )
    recipe = total([(c, single(sha)) for c, sha in zip(coefficients, shas)])
    k, n = context.held_out(recipe)
    log.info("learned soup: held-out %.2f %%, temperature %.3f", 100 * k / n, 1 / beta)
    return {
        **recipe,
        "inverse_temperature": beta,
        "trace": trace,
        "held_out_k": k,
        "n": n,
    }


def train(mix, batches, spec: dict):
    """(coefficients float64 [ingredients, parts], inverse temperature, mean loss per epoch)."""
    import torch
    from torch.nn import functional

    from ..learned_coefficients import constrained, free

    k, generator = len(mix.ingredients), torch.Generator().manual_seed(spec["seed"])
    few = spec["ingredients_per_step"] or k
    found = torch.full((k, len(mix.parts)), 1 / k, dtype=torch.float64)
    log_beta = torch.zeros((), requires_grad=spec["temperature"])
    of_beta = (
        [torch.optim.Adam([log_beta], lr=spec["lr"])] if spec["temperature"] else []
    )
    trace = []
    for epoch in range(spec["epochs"]):
        order = torch.randperm(len(batches), generator=generator)
        chosen = torch.randperm(k, generator=generator)[:few].sort().values
        if epoch == 0 or few < k:
            before = found[chosen]
            raw = free(before, spec["space"]).requires_grad_()
            moving = [*of_beta, torch.optim.Adam([raw], lr=spec["lr"])]
        losses = 0.0
        for rows in order.split(spec["step_size"]):
            moved = constrained(raw, spec["space"], before.sum(0))
            found[chosen] = moved.detach()
            mix.fill(found)
            mix.model.zero_grad(set_to_none=True)
            device = next(mix.model.parameters()).device
            logits = mix.model(batches.prepare(batches.inputs[rows].to(device), None))
            loss = functional.cross_entropy(
                log_beta.exp().to(device) * logits, batches.labels[rows].to(device)
            )
            for optimizer in moving:
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            moved.backward(mix.gradient(chosen.tolist())[chosen])
            for optimizer in moving:
                optimizer.step()
            losses += loss.item() * len(rows)
        found[chosen] = constrained(raw.detach(), spec["space"], before.sum(0))
        trace.append(losses / len(batches))
        log.info("epoch %d/%d  loss %.4f", epoch + 1, spec["epochs"], trace[-1])
    return found, float(log_beta.exp()), trace
