"""Inner products of updates, whole and in pieces, and their cosines."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.merging import linear
from stockpot.merging.geometry import gram_matrices, mean_cosine, sum_per_block
from tests.support.merge_methods import SHAPES


@settings(max_examples=25)
@given(
    st.integers(1, 5),
    st.integers(0, 99),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_gram_is_the_inner_products_of_updates(k, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    stack = [
        {"w": torch.randn(7, generator=generator).to(dtype), "count": torch.tensor(3)}
        for _ in range(k + 1)
    ]
    start, *weights = stack
    found = gram_matrices(weights, start, ["count", "w"])
    rows = torch.stack([w["w"].double() - start["w"].double() for w in weights])
    assert list(found) == ["w"]
    assert torch.allclose(found["w"], rows @ rows.T)


def test_pieces_of_a_tensor_add_up(monkeypatch, random_models):
    whole = gram_matrices(
        [random_models["sha-a"], random_models["sha-b"]], random_models["start"], SHAPES
    )
    plain = linear.iterate_chunks
    monkeypatch.setattr(
        "stockpot.merging.geometry.iterate_chunks", lambda s, n: plain(s, n, step=2)
    )
    pieces = gram_matrices(
        [random_models["sha-a"], random_models["sha-b"]], random_models["start"], SHAPES
    )
    assert all(torch.allclose(whole[name], pieces[name]) for name in SHAPES)


def test_blocks_are_the_sums_of_their_tensors():
    one = torch.ones(2, 2, dtype=torch.float64)
    found = sum_per_block({"a.0.w": one, "a.0.b": 2 * one, "a.1.w": one})
    assert torch.equal(found["a.0."], 3 * one)
    assert torch.equal(found["a.1."], one)


def test_the_cosine_of_nothing():
    assert mean_cosine(torch.zeros(2, 2, dtype=torch.float64)) == 0.0
    assert mean_cosine(torch.ones(1, 1, dtype=torch.float64)) == 1.0
