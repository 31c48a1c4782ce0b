"""LiNeS (Wang et al., ICLR 2025): the update is scaled more, the deeper the layer.

Block l of L keeps first + (last - first) (l - 1) / (L - 1) of the ingredients' mean update;
what comes before the blocks is kept as the first block, what comes after as the last.
"""

import re

from ..coefficients import block, simplified
from ..recipe import interpolate, single, uniform

OPTIONS = {
    "first": {
        "description": "share of the update that the first block keeps",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "last": {
        "description": "share of the update that the last block keeps",
        "type": "number",
        "minimum": 0,
        "default": 1.0,
    },
}


def find(ingredients: dict[str, str], context) -> dict:
    names = context.weights(context.start).names
    shares = by_depth(names, context.spec["first"], context.spec["last"])
    mean = uniform(list(ingredients.values()))
    return interpolate(single(context.start), mean, simplified({"": context.spec["last"]} | shares))


# What a model does before its first block, in open_clip's and timm's names; the rest comes after.
_BEFORE = re.compile(r"\.(conv\d|bn\d|stem|ln_pre|norm_pre|cls_token)|embed")
_NUMBER = re.compile(r"\d+")


def by_depth(names: list[str], first: float, last: float) -> dict[str, float]:
    """Block -> share. Blocks that are numbered count; the others lie before or after them."""
    found = {block(name) for name in names}
    numbered = sorted((b for b in found if re.search(r"\.\d+\.$", b)), key=_order)
    steps = max(len(numbered) - 1, 1)
    shares = {b: first + (last - first) * i / steps for i, b in enumerate(numbered)}
    return {b: shares.get(b, first if _BEFORE.search(b) else last) for b in sorted(found)}


def _order(name: str) -> list[int]:
    """The numbers in a name: layer1.0 comes before layer1.1 and layer2.0."""
    return [int(number) for number in _NUMBER.findall(name)]
