"""Coefficients of a mix: one number, or one number per prefix of tensor names.

A coefficient that differs between tensors maps prefixes of tensor names to numbers. The number for
a tensor is that of the longest prefix that its name begins with. "" fits every name:

    {"": 0.5, "visual.transformer.resblocks.0.": 0.1}

Every such map has an entry for "".
"""

import re
from collections.abc import Callable, Iterable, Mapping

Coefficient = float | dict[str, float]

# Up to the first number in a name, such as "visual.transformer.resblocks.3.".
_REPEATED_BLOCK = re.compile(r".*?\.\d+\.")


def coefficient_at(
    coefficient: Coefficient,
    name: str,
) -> float:
    """Look up the number that a coefficient has for one tensor.

    Args:
        coefficient: One number, or one per prefix.
        name: Name of the tensor, or a prefix of names.

    Returns:
        The number of the longest prefix that fits.
    """
    if not isinstance(coefficient, dict):
        return coefficient
    # One fits always, as every map has an entry for "".
    fitting = [prefix for prefix in coefficient if name.startswith(prefix)]
    return coefficient[max(fitting, key=len)]


def tensor_coefficients(
    coefficients: Mapping[str, Coefficient],
    name: str,
) -> list[tuple[float, str]]:
    """List the ingredients that have a part in one tensor, with their coefficients.

    Args:
        coefficients: Ingredient -> its coefficient.
        name: Name of the tensor.

    Returns:
        (number, ingredient), in the order of the ingredients' names. Numbers of 0 are left out,
        so that such an ingredient need not have the tensor. If all are 0, all are kept, so that
        the tensor becomes zeros.
    """
    pairs = [
        (coefficient_at(coefficients[key], name), key) for key in sorted(coefficients)
    ]
    nonzero = [pair for pair in pairs if pair[0] != 0]
    return nonzero or pairs


def combine(function: Callable[..., float], *coefficients: Coefficient) -> Coefficient:
    """Apply a function to several coefficients, prefix by prefix.

    Args:
        function: Takes one number per coefficient.
        *coefficients: Numbers, or numbers per prefix.

    Returns:
        One number if the results agree for all prefixes, else one per prefix.
    """
    prefixes: set[str] = set()
    for coefficient in coefficients:
        if isinstance(coefficient, dict):
            prefixes.update(coefficient)
    if not prefixes:
        return function(*coefficients)
    # Each prefix of any coefficient gets a result; the others are looked up there.
    results = {}
    for prefix in ["", *sorted(prefixes)]:
        numbers = [coefficient_at(coefficient, prefix) for coefficient in coefficients]
        results[prefix] = function(*numbers)
    return simplify(results)


def simplify(coefficient: dict[str, float]) -> Coefficient:
    """Remove the prefixes that only repeat what a shorter prefix says.

    Args:
        coefficient: Numbers per prefix, with one for "".

    Returns:
        An equal coefficient: one number if only "" is left, else prefixes in sorted order.
    """
    kept = {"": coefficient[""]}
    # Short prefixes first, so that a longer one is compared with what already holds for it.
    for prefix in sorted(coefficient, key=len):
        if coefficient_at(kept, prefix) != coefficient[prefix]:
            kept[prefix] = coefficient[prefix]
    if len(kept) == 1:
        return kept[""]
    return dict(sorted(kept.items()))


def block_prefix(name: str) -> str:
    """Find the prefix that all tensors of one block of the model have in common.

    Args:
        name: Name of a tensor.

    Returns:
        The name up to the first number, if it has one ("visual.transformer.resblocks.3."); else
        up to the module ("visual.conv1."). A tensor outside modules is a block of its own.
    """
    repeated = _REPEATED_BLOCK.match(name)
    if repeated:
        return repeated.group()
    module, dot, _ = name.rpartition(".")
    # "visual.proj" is a parameter of the tower itself; "head.weight" belongs to the head.
    is_parameter_of_tower = "." not in module and module != "head"
    return name if is_parameter_of_tower else module + dot


def block_prefixes(names: Iterable[str]) -> list[str]:
    """List the blocks of a model.

    Args:
        names: Names of its tensors.

    Returns:
        The prefix of every block once, in the order of the names.
    """
    return list(dict.fromkeys(block_prefix(name) for name in names))
