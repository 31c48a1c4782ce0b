"""WiSE-FT at one point, with one alpha or one per part of the model (Wortsman et al., CVPR 2022).

(1 - alpha) start + alpha * the mean of the ingredients. ``sweep:`` draws the whole curve of
one alpha for all parts; here a map of beginnings of tensor names gives each part its own.
"""

from ..recipe import interpolate, single, uniform

OPTIONS = {
    "alpha": {
        "description": "one number, or beginning of tensor names -> number with '' for the rest",
        "oneOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {
                "type": "object",
                "required": [""],
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            },
        ],
        "default": 0.5,
    }
}


def find(ingredients: dict[str, str], context) -> dict:
    mean = uniform(list(ingredients.values()))
    alpha = context.spec["alpha"]
    _known(alpha, context)
    return interpolate(single(context.start), mean, alpha)


def _known(alpha, context) -> None:
    """Every part must be a part of the model: a misspelt one would do nothing."""
    from ...errors import StockpotError
    from ..coefficients import blocks

    if isinstance(alpha, dict):
        names = context.weights(context.start).names
        for part in alpha:
            if not any(name.startswith(part) for name in names):
                raise StockpotError(
                    f"soups.{context.spec['name']}.alpha: no tensor's name begins with '{part}'; "
                    f"the model's blocks are {', '.join(blocks(names))}"
                )
