"""Task arithmetic (Ilharco et al., ICLR 2023): start + scale * the sum of all updates."""

from pydantic import Field

from ...runtime.options import PluginOptions
from ..recipe import single, total
from . import Method


class Options(PluginOptions):
    scale: float = Field(
        0.3,
        ge=0,
        description="factor of the sum of updates; 1 / number of ingredients is the uniform soup",
    )


METHOD = Method(options=Options)


def find(ingredients: dict[str, str], context) -> dict:
    scale = context.spec["scale"]
    shas = list(ingredients.values())
    terms = [(scale, single(sha)) for sha in shas]
    return total([(1 - scale * len(shas), single(context.start)), *terms])
