"""Task arithmetic (Ilharco et al., ICLR 2023): start + scale * the sum of all updates."""

from ..recipe import single, total

OPTIONS = {
    "scale": {
        "description": "of the sum of updates; 1 / number of ingredients is the uniform soup",
        "type": "number",
        "minimum": 0,
        "default": 0.3,
    }
}


def find(ingredients: dict[str, str], context) -> dict:
    scale = context.spec["scale"]
    shas = list(ingredients.values())
    terms = [(scale, single(sha)) for sha in shas]
    return total([(1 - scale * len(shas), single(context.start)), *terms])
