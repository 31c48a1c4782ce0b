"""Coefficients of a mix: one number, or one per part of the model.

A coefficient that differs between parts maps beginnings of tensor names to numbers. For a
tensor the longest beginning counts that fits its name; "" fits every name:

    {"": 0.5, "visual.transformer.resblocks.0.": 0.1}

Every such map has an entry for "".
"""

import re
from collections.abc import Callable, Iterable, Mapping

Coefficient = float | dict[str, float]

_BLOCK = re.compile(r".*?\.\d+\.")


def at(coefficient: Coefficient, name: str) -> float:
    """The number for one tensor, or for one beginning of names."""
    if not isinstance(coefficient, dict):
        return coefficient
    return coefficient[
        max((part for part in coefficient if name.startswith(part)), key=len)
    ]


def shares(
    coefficients: Mapping[str, Coefficient], name: str
) -> list[tuple[float, str]]:
    """(number, ingredient) of all that are part of one tensor, in the order of their names.

    Numbers of 0 are left out, so such an ingredient need not have the tensor; if all are 0, they
    stay.
    """
    found = [(at(coefficients[key], name), key) for key in sorted(coefficients)]
    return [pair for pair in found if pair[0] != 0] or found


def combined(function: Callable[..., float], *coefficients: Coefficient) -> Coefficient:
    """``function`` of several coefficients, part by part; one number where all parts agree."""
    parts = sorted({part for c in coefficients if isinstance(c, dict) for part in c})
    if not parts:
        return function(*coefficients)
    found = {
        part: function(*(at(c, part) for c in coefficients)) for part in ["", *parts]
    }
    return simplified(found)


def simplified(coefficient: dict[str, float]) -> Coefficient:
    """The same coefficient without parts that only repeat what a shorter beginning says."""
    kept = {"": coefficient[""]}
    for part in sorted(coefficient, key=len):
        if at(kept, part) != coefficient[part]:
            kept[part] = coefficient[part]
    return kept[""] if len(kept) == 1 else dict(sorted(kept.items()))


def block(name: str) -> str:
    """The beginning that the tensors of one block of the model share.

    Up to the first number for what is repeated ("visual.transformer.resblocks.3."), else up
    to the module ("visual.conv1."); a tensor that is no module's is a block of its own.
    """
    repeated = _BLOCK.match(name)
    if repeated:
        return repeated.group()
    module, dot, _ = name.rpartition(".")
    return name if module.count(".") == 0 and module != "head" else module + dot


def blocks(names: Iterable[str]) -> list[str]:
    """The blocks of a model, in the order of the names."""
    return list(dict.fromkeys(block(name) for name in names))
