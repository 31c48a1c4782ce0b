"""Mixing in output space: from the logits of several models to those of their ensemble."""

import torch

from ..runtime.digest import sha256
from .names import LOGIT_ENSEMBLE, RANDOM_INTERPOLATION, SOFTMAX_ENSEMBLE


def mix_outputs(recipe: dict, logits: dict[str, torch.Tensor]) -> torch.Tensor:
    """Logits float32 [n, classes] of a recipe whose rule mixes outputs.

    logits: ingredient -> float32 [n, classes]. The sum runs in float64, in the order of the
    ingredients' names. ValueError for a rule that is none of ``names.OUTPUT_SPACE``.
    """
    shares = dict(sorted(recipe["ingredients"].items()))
    return _RULES[recipe["rule"]](shares, logits).float()


def _logit_ensemble(
    shares: dict[str, float], logits: dict[str, torch.Tensor]
) -> torch.Tensor:
    """The weighted mean of unnormalised logits (Model soups, section 2)."""
    return sum(share * logits[name].double() for name, share in shares.items())


def _softmax_ensemble(
    shares: dict[str, float], logits: dict[str, torch.Tensor]
) -> torch.Tensor:
    """The logarithm of the weighted mean of probabilities (WiSE-FT, C.3.3)."""
    mean = sum(
        share * logits[name].double().softmax(1) for name, share in shares.items()
    )
    return mean.clamp_min(1e-300).log()


def _random_interpolation(
    shares: dict[str, float], logits: dict[str, torch.Tensor]
) -> torch.Tensor:
    """One model's logits per example, drawn with the shares as probabilities (WiSE-FT, C.3.3).

    The draw follows from the shares alone, so the same recipe always gives the same answer.
    """
    generator = torch.Generator().manual_seed(int(sha256(shares)[:12], 16))
    stacked = torch.stack([logits[name] for name in shares])
    weights = torch.tensor(list(shares.values()), dtype=torch.float64)
    drawn = torch.multinomial(
        weights, stacked.shape[1], replacement=True, generator=generator
    )
    return stacked[drawn, torch.arange(stacked.shape[1])]


_RULES = {
    LOGIT_ENSEMBLE: _logit_ensemble,
    SOFTMAX_ENSEMBLE: _softmax_ensemble,
    RANDOM_INTERPOLATION: _random_interpolation,
}
