"""LiNeS (Wang et al., ICLR 2025): the update is scaled more, the deeper the layer.

Block l of L keeps first + (last - first) (l - 1) / (L - 1) of the ingredients' mean update;
what comes before the blocks is kept as the first block, what comes after, the head included, as
the last. The authors' code scales all that lies outside the blocks as the first block; here a
trained head keeps its training.
"""

import re

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.options import PluginOptions
from ..coefficients import block, simplified
from ..recipe import interpolate, single, uniform
from . import Method


class Options(PluginOptions):
    first: float = Field(
        0.0, ge=0, description="share of the update that the first block keeps"
    )
    last: float = Field(
        1.0, ge=0, description="share of the update that the last block keeps"
    )


METHOD = Method(options=Options)


def find(ingredients: dict[str, str], context) -> dict:
    names = context.weights(context.start).names
    shares = by_depth(names, context.spec["first"], context.spec["last"])
    mean = uniform(list(ingredients.values()))
    return interpolate(
        single(context.start), mean, simplified({"": context.spec["last"]} | shares)
    )


# What a model does before its first block and after its last one, in open_clip's and timm's names.
# Of what is in neither list, numbered blocks lie between, and the rest after them.
_BEFORE = re.compile(
    r"\.(conv\d|conv_stem|stem|ln_pre|norm_pre|(cls|reg|dist)_token)|embed"
)
_AFTER = re.compile(r"\.(head|final|attn_?pool|pre_logits)|^head")
_BATCH_NORM = re.compile(r"\.bn(\d)\.")
_NUMBERED = re.compile(r"\.\d+\.$")
_NUMBER = re.compile(r"\d+")


def by_depth(names: list[str], first: float, last: float) -> dict[str, float]:
    """Beginning of tensor names -> share of the update that these tensors keep.

    names: of all tensors. Raises StockpotError for a model whose blocks are not one numbered
    sequence, so that nothing tells how deep they lie.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(names):
        members.setdefault(block(name), []).append(name)
    sequence = _sequence(list(members), names)
    shares = {}
    for place, part in enumerate(sequence):
        shares[part] = first + (last - first) * place / (len(sequence) - 1)
    for part, tensors in members.items():
        if part in shares:
            continue
        own = {name: first if _before(name, names) else last for name in tensors}
        if len(set(own.values())) == 1:
            shares[part] = own[tensors[0]]
        else:
            shares |= own
    return dict(sorted(shares.items()))


def _sequence(parts: list[str], names: list[str]) -> list[str]:
    """The numbered blocks, from the first to the last."""
    numbered = [
        part
        for part in parts
        if _NUMBERED.search(part)
        and not _AFTER.search(part)
        and not _before(part, names)
    ]
    kinds = sorted({_NUMBER.sub("#", part) for part in numbered})
    if len(numbered) < 2 or len(kinds) > 1:
        found = (
            f"has the sequences {', '.join(kinds)}" if len(kinds) > 1 else "has none"
        )
        raise StockpotError(
            "lines: the depth of a layer follows from one sequence of two or more numbered blocks, "
            f"as visual.transformer.resblocks.#., and this model {found}; take task-arithmetic"
        )
    return sorted(numbered, key=_order)


def _before(name: str, names: list[str]) -> bool:
    """Does a tensor, or a block, lie before the first numbered block?

    A batch normalisation lies where its convolution lies: bn2 of a CLIP ResNet follows the conv2 of
    its stem, bn2 of an EfficientNet follows conv_head.
    """
    found = _BATCH_NORM.search(name)
    if not found:
        return bool(_BEFORE.search(name))
    beside = name[: found.start()]
    number = found.group(1)
    return number == "1" or any(
        other.startswith(f"{beside}.conv{number}.") for other in names
    )


def _order(name: str) -> list[int]:
    """The numbers in a name: layer1.0 comes before layer1.1 and layer2.0."""
    return [int(number) for number in _NUMBER.findall(name)]
