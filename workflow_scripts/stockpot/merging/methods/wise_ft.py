"""WiSE-FT at one point, with one alpha or one per part of the model (Wortsman et al., CVPR 2022).

(1 - alpha) start + alpha * the mean of the ingredients. ``sweep:`` draws the whole curve of
one alpha for all parts; here a map of beginnings of tensor names gives each part its own, and
``auto`` chooses one on the held-out set.
"""

import logging
from typing import Annotated

from pydantic import Field, WithJsonSchema

from ...alpha import selectors
from ...runtime.options import Fraction, PluginOptions, one_of
from ..recipe import interpolate, single, uniform
from . import Method

# One number, one per part of the model, or the word auto.
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
    alpha: Alpha = Field(
        0.5,
        description="number, auto, or beginning of tensor names -> number with '' for the rest",
    )
    selector: one_of(selectors.on_held_out()) = Field(
        selectors.DEFAULT, description="how auto chooses, see docs/guide/analyses.md"
    )
    among: list[Fraction] = Field(
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        min_length=1,
        description="the alphas that auto chooses from",
        json_schema_extra={"uniqueItems": True},
    )


METHOD = Method(options=Options)
log = logging.getLogger(__name__)


def find(ingredients: dict[str, str], context) -> dict:
    mean = uniform(list(ingredients.values()))
    alpha = context.spec["alpha"]
    if alpha == "auto":
        return _chosen(mean, context)
    _known(alpha, context)
    return interpolate(single(context.start), mean, alpha)


def _chosen(mean: dict, context) -> dict:
    """The recipe at the alpha that the selector chooses; it carries the whole curve."""
    import pandas as pd

    selector = context.spec["selector"]
    reads_error = "error" in selectors.optional(selector)
    curve = []
    for alpha in sorted(map(float, context.spec["among"])):
        recipe = interpolate(single(context.start), mean, alpha)
        k, n = context.held_out(recipe)
        point = {"alpha": alpha, "k": k, "n": n, "held_out": k / n}
        error = None
        if reads_error and context.held_out_error:
            error = context.held_out_error(recipe)
        curve.append(point if error is None else {**point, "error": error})
    alpha = selectors.choose(selector, pd.DataFrame(curve))
    log.info("%s chooses alpha %g", selector, alpha)
    recipe = interpolate(single(context.start), mean, alpha)
    return {**recipe, "alpha": alpha, "selector": selector, "curve": curve}


def _known(alpha, context) -> None:
    """Every part must be a part of the model: a misspelt one would do nothing."""
    from ...runtime.errors import StockpotError
    from ..coefficients import blocks

    if isinstance(alpha, dict):
        names = context.weights(context.start).names
        for part in alpha:
            if not any(name.startswith(part) for name in names):
                raise StockpotError(
                    f"soups.{context.spec['name']}.alpha: no tensor's name begins with '{part}'; "
                    f"the model's blocks are {', '.join(blocks(names))}"
                )
