"""WiSE-FT at one point, with one alpha or one per block of the model (Wortsman et al., CVPR 2022).

(1 - alpha) start + alpha * the mean of the ingredients. ``sweep:`` makes the models of all alphas;
here a map of prefixes of tensor names gives each block its own alpha, and ``auto`` chooses one on
the held-out set.
"""

import logging
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from ...alpha import selectors
from ...runtime.errors import StockpotError
from ...runtime.options import Fraction, PluginOptions, one_of
from ..coefficients import Coefficient, block_prefixes
from ..recipe import interpolate, single, uniform
from . import Context, Method

# One number, one per prefix of tensor names, or the word auto.
Alpha = Annotated[
    float | dict[str, float] | str,
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {
                    "type": "object",
                    "required": [""],
                    "additionalProperties": {
                        "type": "number",
                        "minimum": 0,
                        "maximum": 1,
                    },
                },
                {"const": "auto"},
            ]
        }
    ),
]


class Options(PluginOptions):
    """Options of WiSE-FT at one point.

    Attributes:
        alpha: Position between the zero-shot model and the mean of the ingredients.
        selector: How auto chooses alpha.
        alpha_grid: The alphas that auto chooses from.
    """

    alpha: Alpha = Field(
        0.5,
        description="a number; or auto; or beginning of tensor names -> number, where "
        "'' stands for all other tensors",
    )
    selector: Annotated[str, one_of(selectors.on_held_out())] = Field(
        selectors.DEFAULT,
        description="rule by which auto chooses; see docs/guide/analyses.md",
    )
    alpha_grid: list[Fraction] = Field(
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        min_length=1,
        description="the alphas that auto chooses from",
        json_schema_extra={"uniqueItems": True},
    )


METHOD = Method(options=Options)
log = logging.getLogger(__name__)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of WiSE-FT at one point.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe; with alpha: auto also the alpha, the selector and the sweep that it saw.

    Raises:
        StockpotError: If alpha names a prefix that no tensor's name begins with.
    """
    mean = uniform(list(ingredients.values()))
    # With one ingredient, the mean is that ingredient.
    alpha = context.spec["alpha"]
    if alpha == "auto":
        return _find_alpha(mean, context)
    _check_prefixes(alpha, context)
    return interpolate(single(context.start), mean, alpha)


def _find_alpha(
    mean: dict[str, Any],
    context: Context,
) -> dict[str, Any]:
    """The recipe at the alpha that the selector chooses; it carries the whole sweep."""
    import pandas as pd

    selector = context.spec["selector"]
    # One row per alpha, as ``alpha.selectors`` expects it.
    sweep = [
        _sweep_point(alpha, mean, context)
        for alpha in sorted(map(float, context.spec["alpha_grid"]))
    ]
    alpha = selectors.choose(selector, pd.DataFrame(sweep))
    log.info("%s chooses alpha %g", selector, alpha)
    recipe = interpolate(single(context.start), mean, alpha)
    return {**recipe, "alpha": alpha, "selector": selector, "sweep": sweep}


def _sweep_point(
    alpha: float,
    mean: dict[str, Any],
    context: Context,
) -> dict[str, float]:
    """What the selector sees of one alpha."""
    recipe = interpolate(single(context.start), mean, alpha)
    correct, image_count = context.held_out(recipe)
    point = {
        "alpha": alpha,
        "k": correct,
        "n": image_count,
        "held_out": correct / image_count,
    }
    # Resampling takes a while, so the error is computed only for a selector that reads it.
    reads_error = "standard_error" in selectors.optional(context.spec["selector"])
    if reads_error and context.held_out_error:
        error = context.held_out_error(recipe)
        if error is not None:
            point["standard_error"] = error
    return point


def _check_prefixes(
    alpha: Coefficient,
    context: Context,
) -> None:
    """Every prefix must fit a tensor's name: a misspelt one would do nothing."""
    if not isinstance(alpha, dict):
        return
    names = context.weights(context.start).names
    for prefix in alpha:
        if not any(name.startswith(prefix) for name in names):
            raise StockpotError(
                f"soups.{context.spec['name']}.alpha: no tensor's name begins with '{prefix}'; "
                f"the model's blocks are {', '.join(block_prefixes(names))}"
            )
