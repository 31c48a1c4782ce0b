"""Spherical interpolation: its norm, its ends, and what it refuses."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stockpot.merging.methods.slerp import slerp_coefficients
from stockpot.runtime.errors import StockpotError
from tests.support.merge_methods import all_close, recipe_and_tensors


@given(st.floats(0.0, 1.0), st.floats(0.05, 3.0))
def test_slerp_keeps_the_norm_of_vectors_of_one_norm(t, angle):
    first, second = slerp_coefficients(math.cos(angle), t)
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([math.cos(angle), math.sin(angle)])
    mix = first * a.double() + second * b.double()
    assert mix.norm().item() == pytest.approx(1, abs=1e-6)
    assert torch.atan2(mix[1], mix[0]).item() == pytest.approx(t * angle, abs=1e-6)


@given(st.floats(0.0, 1.0), st.floats(1e-9, 0.02))
def test_slerp_at_a_small_angle_is_close_to_linear(t, angle):
    first, second = slerp_coefficients(math.cos(angle), t)
    assert first == pytest.approx(1 - t, abs=1e-4)
    assert second == pytest.approx(t, abs=1e-4)


def test_slerp_goes_from_one_end_to_the_other(random_models):
    for t, end in ((0.0, "sha-a"), (1.0, "sha-b")):
        assert all_close(
            recipe_and_tensors(random_models, "slerp", "ab", t=t)[1], random_models[end]
        )
    assert all_close(
        recipe_and_tensors(random_models, "slerp", "a", t=0.0, from_start=True)[1],
        random_models["start"],
    )
    _, found = recipe_and_tensors(random_models, "slerp", "ab", t=0.3)
    name = "visual.conv1.weight"
    a, b = random_models["sha-a"][name], random_models["sha-b"][name]
    angle = math.acos(float((a * b).sum() / (a.norm() * b.norm())))
    expected = (math.sin(0.7 * angle) * a + math.sin(0.3 * angle) * b) / math.sin(angle)
    assert torch.allclose(found[name], expected, rtol=0, atol=1e-12)


def test_slerp_of_more_than_two_is_refused(random_models):
    with pytest.raises(
        StockpotError, match=r"soups\.x: slerp goes between two models, not 3"
    ):
        recipe_and_tensors(random_models, "slerp", "abc")


@pytest.mark.parametrize("t", [0.1, 0.5])
@pytest.mark.parametrize("zero", ["start", "sha-a"])
def test_slerp_mixes_tensors_of_zeros_linearly(random_models, zero, t):
    """The bias of a zero-shot head is zero: half way to it is half of it, not 0.7071 of it."""
    name = "visual.ln_post.bias"
    random_models[zero][name] = torch.zeros_like(random_models[zero][name])
    _, found = recipe_and_tensors(random_models, "slerp", "a", t=t, from_start=True)
    expected = (1 - t) * random_models["start"][name] + t * random_models["sha-a"][name]
    assert torch.allclose(found[name], expected, rtol=0, atol=1e-15)
