"""LiNeS (Wang et al., ICLR 2025): the update is scaled more, the deeper the layer.

Block l of L keeps the fraction first + (last - first) (l - 1) / (L - 1) of the ingredients' mean
update. What comes before the blocks is kept as the first block; what comes after, the head
included, as the last. The authors' code scales all that lies outside the blocks as the first
block; here a trained head keeps its training.
"""

import re
from typing import Any

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.options import PluginOptions
from ..coefficients import block_prefix, simplify
from ..recipe import interpolate, single, uniform
from . import Context, Method


class Options(PluginOptions):
    """Options of LiNeS.

    Attributes:
        first_block: Fraction of the update that the first block keeps.
        last_block: Fraction of the update that the last block keeps.
    """

    first_block: float = Field(
        0.0,
        ge=0,
        description="share of the update that the first block keeps",
    )
    last_block: float = Field(
        1.0,
        ge=0,
        description="share of the update that the last block keeps",
    )


METHOD = Method(options=Options)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of LiNeS.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe, with coefficients per block.

    Raises:
        StockpotError: If the model's blocks are not one numbered sequence.
    """
    names = context.weights(context.start).names
    last = context.spec["last_block"]
    scales = scales_by_depth(names, context.spec["first_block"], last)
    mean = uniform(list(ingredients.values()))
    return interpolate(single(context.start), mean, simplify({"": last} | scales))


# What a model does before its first block and after its last one, in open_clip's and timm's names.
# Of the names in neither list, numbered blocks lie between, and the rest after them.
_BEFORE = re.compile(
    r"\.(conv\d|conv_stem|stem|ln_pre|norm_pre|(cls|reg|dist)_token)|embed"
)
_AFTER = re.compile(r"\.(head|final|attn_?pool|pre_logits)|^head")
_BATCH_NORM = re.compile(r"\.bn(\d)\.")
_NUMBERED = re.compile(r"\.\d+\.$")
_NUMBER = re.compile(r"\d+")


def scales_by_depth(
    names: list[str],
    first: float,
    last: float,
) -> dict[str, float]:
    """Find the fraction of the update that each block keeps.

    Args:
        names: Names of all tensors.
        first: Fraction for the first block.
        last: Fraction for the last block.

    Returns:
        Prefix of tensor names -> fraction, sorted.

    Raises:
        StockpotError: If the model's blocks are not one numbered sequence, so that nothing tells
            how deep they lie.
    """
    tensors_of: dict[str, list[str]] = {}
    for name in sorted(names):
        tensors_of.setdefault(block_prefix(name), []).append(name)
    sequence = _sequence(list(tensors_of), names)
    scales = {}
    for index, prefix in enumerate(sequence):
        # first + (last - first) (l - 1) / (L - 1)
        scales[prefix] = first + (last - first) * index / (len(sequence) - 1)
    # Everything outside the sequence lies before or after it.
    for prefix, tensors in tensors_of.items():
        if prefix in scales:
            continue
        per_tensor = {
            name: first if _lies_before(name, names) else last for name in tensors
        }
        if len(set(per_tensor.values())) == 1:
            scales[prefix] = per_tensor[tensors[0]]
        else:
            # A block such as the stem's may hold tensors of both ends.
            scales |= per_tensor
    return dict(sorted(scales.items()))


def _sequence(
    prefixes: list[str],
    names: list[str],
) -> list[str]:
    """The numbered blocks, from the first to the last."""
    numbered = [prefix for prefix in prefixes if _is_in_sequence(prefix, names)]
    # "layer1.0." and "layer2.3." are of one sequence: "layer#.#.".
    patterns = sorted({_NUMBER.sub("#", prefix) for prefix in numbered})
    if len(numbered) < 2 or len(patterns) > 1:
        problem = "has none"
        if len(patterns) > 1:
            problem = f"has the sequences {', '.join(patterns)}"
        raise StockpotError(
            "lines: the depth of a layer follows from one sequence of two or more numbered "
            f"blocks, as visual.transformer.resblocks.#., and this model {problem}; use "
            "task-arithmetic"
        )
    return sorted(numbered, key=_numbers)


def _is_in_sequence(
    prefix: str,
    names: list[str],
) -> bool:
    """Is a block one of the numbered ones in the middle of the model?"""
    if not _NUMBERED.search(prefix) or _AFTER.search(prefix):
        return False
    return not _lies_before(prefix, names)


def _lies_before(
    name: str,
    names: list[str],
) -> bool:
    """Does a tensor, or a block, lie before the first numbered block?

    A batch normalisation lies where its convolution lies: bn2 of a CLIP ResNet follows the conv2 of
    its stem, bn2 of an EfficientNet follows conv_head.
    """
    batch_norm = _BATCH_NORM.search(name)
    if not batch_norm:
        return bool(_BEFORE.search(name))
    number = batch_norm.group(1)
    if number == "1":
        return True
    module = name[: batch_norm.start()]
    return any(other.startswith(f"{module}.conv{number}.") for other in names)


def _numbers(name: str) -> list[int]:
    """The numbers in a name: layer1.0 comes before layer1.1 and layer2.0."""
    return [int(number) for number in _NUMBER.findall(name)]
