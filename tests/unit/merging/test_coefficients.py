"""Coefficients per part of the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.merging.coefficients import (
    block_prefix,
    block_prefixes,
    coefficient_at,
    combine,
    simplify,
)
from stockpot.merging.recipe import interpolate, single
from tests.support.tensors import mixed

PARTS = ["", "a.", "a.1.", "a.10.", "a.1.w", "b", "b."]


NAMES = ["a.1.w", "a.1.b", "a.10.w", "a.2.w", "b", "b.x", "c"]


numbers = st.integers(-8, 8).map(lambda i: i / 8)


maps = st.builds(
    lambda default, parts: {"": default, **parts},
    numbers,
    st.dictionaries(st.sampled_from(PARTS[1:]), numbers),
)


coefficients = numbers | maps


def test_the_longest_beginning_counts():
    coefficient = {"": 1.0, "a.1": 2.0, "a.1.": 3.0, "a.1.w": 4.0}
    found = [
        coefficient_at(coefficient, name) for name in ("a.1.w", "a.1.b", "a.10.w", "b")
    ]
    assert found == [4.0, 3.0, 2.0, 1.0]
    assert coefficient_at(0.5, "anything") == 0.5


@given(coefficients, coefficients)
def test_a_combination_is_the_combination_of_every_tensors_numbers(a, b):
    found = combine(lambda x, y: x - 2 * y, a, b)
    assert all(
        coefficient_at(found, name)
        == coefficient_at(a, name) - 2 * coefficient_at(b, name)
        for name in NAMES
    )


@given(maps)
def test_simplified_says_the_same_and_nothing_twice(coefficient):
    found = simplify(coefficient)
    assert all(
        coefficient_at(found, name) == coefficient_at(coefficient, name)
        for name in [*NAMES, *PARTS]
    )
    if isinstance(found, dict):
        assert len(found) > 1
        for part in set(found) - {""}:
            rest = {other: number for other, number in found.items() if other != part}
            assert coefficient_at(rest, part) != found[part]


@given(numbers)
def test_a_map_of_one_number_is_the_number(x):
    assert simplify(dict.fromkeys(PARTS, x)) == x
    assert interpolate(single("s"), single("t"), {"": x, "a.": x}) == interpolate(
        single("s"), single("t"), x
    )


@pytest.mark.slow
@given(coefficients)
def test_interpolation_with_alpha_per_part(alpha):
    import torch

    ends = {
        "s": {name: torch.tensor([1.0, -2.0]) for name in NAMES},
        "t": {name: torch.tensor([3.0, 8.0]) for name in NAMES},
    }
    recipe = interpolate(single("s"), single("t"), alpha)
    for name, tensor in mixed(recipe["ingredients"], ends, NAMES):
        a = coefficient_at(alpha, name)
        assert torch.equal(tensor, (1 - a) * ends["s"][name] + a * ends["t"][name])


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "visual.transformer.resblocks.11.mlp.c_fc.weight": "visual.transformer.resblocks.11.",
        "visual.transformer.resblocks.1.ln_1.bias": "visual.transformer.resblocks.1.",
        "visual.layer1.0.conv1.weight": "visual.layer1.0.",
        "visual.stages.2.blocks.1.mlp.fc1.weight": "visual.stages.2.",
        "visual.conv1.weight": "visual.conv1.",
        "visual.ln_post.bias": "visual.ln_post.",
        "visual.class_embedding": "visual.class_embedding",
        "visual.proj": "visual.proj",
        "head.weight": "head.",
        "head.bias": "head.",
    }.items(),
)
def test_blocks_of_common_models(name, expected):
    assert block_prefix(name) == expected
    assert name.startswith(expected)


def test_the_blocks_of_the_embedded_model(zero_shot):
    from stockpot.models.classifier import Weights

    found = block_prefixes(Weights(zero_shot).names)
    assert [name for name in found if "resblocks" in name] == [
        f"visual.transformer.resblocks.{i}." for i in range(4)
    ]
    assert {"head.", "visual.conv1.", "visual.proj"} <= set(found)
