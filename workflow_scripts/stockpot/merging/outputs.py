"""Ensembles: from the logits of several models to those of their ensemble."""

from typing import Any, cast

import torch

from ..runtime.digest import sha256
from .rules import LOGIT_ENSEMBLE, RANDOM_INTERPOLATION, SOFTMAX_ENSEMBLE

# Probabilities are at least this before the logarithm, as log(0) is no logit.
_LEAST_PROBABILITY = 1e-300


def mix_outputs(
    recipe: dict[str, Any],
    logits: dict[str, torch.Tensor],
) -> torch.Tensor:
    """Compute the logits of an ensemble.

    The sum runs in float64, in the order of the ingredients' names.

    Args:
        recipe: A recipe whose rule is one of ``names.OUTPUT_SPACE``.
        logits: Ingredient -> float32 [n, classes].

    Returns:
        float32 [n, classes].

    Raises:
        KeyError: If the rule does not mix outputs.
    """
    weights = dict(sorted(recipe["ingredients"].items()))
    rule = _RULES[recipe["rule"]]
    return rule(weights, logits).float()


def _logit_ensemble(
    weights: dict[str, float],
    logits: dict[str, torch.Tensor],
) -> torch.Tensor:
    """The weighted mean of unnormalised logits (Model soups, section 2)."""
    mean = sum(weight * logits[name].double() for name, weight in weights.items())
    # An empty sum would be 0, but a recipe has ingredients; so below.
    return cast(torch.Tensor, mean)


def _softmax_ensemble(
    weights: dict[str, float],
    logits: dict[str, torch.Tensor],
) -> torch.Tensor:
    """The logarithm of the weighted mean of probabilities (WiSE-FT, C.3.3)."""
    mean = sum(
        weight * logits[name].double().softmax(1) for name, weight in weights.items()
    )
    return cast(torch.Tensor, mean).clamp_min(_LEAST_PROBABILITY).log()


def _random_interpolation(
    weights: dict[str, float],
    logits: dict[str, torch.Tensor],
) -> torch.Tensor:
    """One model's logits per example, drawn with the weights as probabilities (WiSE-FT, C.3.3).

    The seed follows from the weights only, so the same recipe always gives the same answers.
    """
    generator = torch.Generator().manual_seed(int(sha256(weights)[:12], 16))
    # [ingredients, n, classes]
    stacked = torch.stack([logits[name] for name in weights])
    probabilities = torch.tensor(list(weights.values()), dtype=torch.float64)
    example_count = stacked.shape[1]
    chosen_models = torch.multinomial(
        probabilities,
        example_count,
        replacement=True,
        generator=generator,
    )
    return stacked[chosen_models, torch.arange(example_count)]


_RULES = {
    LOGIT_ENSEMBLE: _logit_ensemble,
    SOFTMAX_ENSEMBLE: _softmax_ensemble,
    RANDOM_INTERPOLATION: _random_interpolation,
}
