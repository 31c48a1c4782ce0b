"""MonoSoup against its formula, on one update."""

import math

import pytest
import torch

from stockpot.merging import methods
from stockpot.runtime.errors import StockpotError
from tests.support.merge_methods import SHAPES, Tensors, random_context


def mono_by_hand(before, after):
    """The formulas of the method's text, written out with numpy."""
    import numpy as np

    w0, w1 = (t.double().flatten(1).numpy() for t in (before, after))
    u, s, v = np.linalg.svd(w1 - w0, full_matrices=False)
    p = s / s.sum()
    rank = math.exp(-sum(x * math.log(x) for x in p if x > 0))
    k = min(len(s), math.ceil(rank - 1e-9))
    energy = (s[:k] ** 2).sum() / (s**2).sum()
    r = (s[k] / s[0]) ** 2 if k < len(s) else 0.0
    low = r + (1 - r) * math.sqrt(max(0.0, 1 - energy))
    high_part = (u[:, :k] * s[:k]) @ v[:k]
    low_part = (w1 - w0) - high_part
    return torch.from_numpy(w0 + (1 - low) * high_part + low * low_part).reshape(
        before.shape
    )


def test_mono_soup_is_its_formula(random_models):
    found = dict(
        methods.load("mono-soup")(
            {"a": "sha-a"}, random_context(random_models, "mono-soup")
        )
    )
    assert list(found) == sorted(SHAPES)
    start, end = random_models["start"], random_models["sha-a"]
    for name, tensor in found.items():
        expected = (
            mono_by_hand(start[name], end[name]) if end[name].ndim > 1 else end[name]
        )
        assert torch.allclose(tensor, expected, atol=1e-9), name


def test_mono_soup_weakens_the_weak_part():
    generator = torch.Generator().manual_seed(3)
    models = {
        sha: Tensors({"w": torch.randn(12, 20, generator=generator).double()})
        for sha in ("start", "sha-a")
    }
    ((_, found),) = methods.load("mono-soup")(
        {"a": "sha-a"}, random_context(models, "mono-soup")
    )
    start, end = models["start"]["w"], models["sha-a"]["w"]
    assert torch.allclose(found, mono_by_hand(start, end), atol=1e-9)
    assert (found - start).norm() < 0.95 * (end - start).norm()


def test_the_split_of_a_spectrum():
    from stockpot.merging.methods.mono_soup import rank_and_low_weight

    equal = torch.ones(4, dtype=torch.float64)
    assert rank_and_low_weight(equal) == (4, pytest.approx(0)), (
        "an effective rank of 4: all is strong"
    )
    one = torch.tensor([5.0, 0, 0], dtype=torch.float64)
    assert rank_and_low_weight(one) == (1, pytest.approx(0))
    # Shares 0.8, 0.1, 0.1: entropy 0.639, rank 1.895, so k = 2; P = 65/66, r = (1/8)^2.
    k, low = rank_and_low_weight(torch.tensor([8.0, 1, 1], dtype=torch.float64))
    assert k == 2
    assert low == pytest.approx(1 / 64 + 63 / 64 * math.sqrt(1 / 66))


def test_mono_soup_keeps_what_has_not_moved_and_convolutions(random_models):
    from stockpot.merging.methods.mono_soup import reweight_update

    before = random_models["start"]["head.weight"]
    assert torch.equal(reweight_update(before, before), before)
    kernel = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    moved = kernel + 0.1 * torch.randn(
        4, 3, 2, 2, generator=torch.Generator().manual_seed(1)
    )
    found = reweight_update(kernel, moved)
    assert found.dtype == torch.float32
    assert found.shape == kernel.shape
    assert torch.allclose(found.double(), mono_by_hand(kernel, moved), atol=1e-6)


def test_mono_soup_takes_one_model(random_models):
    with pytest.raises(
        StockpotError, match=r"^soups\.x: mono-soup takes one .*not 2 \(a, b\)"
    ):
        list(
            methods.load("mono-soup")(
                {"a": "sha-a", "b": "sha-b"}, random_context(random_models, "mono-soup")
            )
        )
