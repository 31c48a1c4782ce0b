"""TIES on numbers small enough to check by hand."""

import torch

from tests.support.merge_methods import Tensors, all_close, merged_weights


def test_ties_by_hand():
    """Two updates of five numbers; the larger two of each are kept (density 0.4)."""
    start = Tensors(w=torch.full((5,), 10.0).double())
    updates = torch.tensor(
        [[3.0, -2.0, 0.5, 0.1, 1.0], [1.0, 4.0, -0.2, 0.3, 2.0]]
    ).double()
    models = {"start": start}
    models |= {f"sha-{n}": Tensors(w=start["w"] + u) for n, u in zip("ab", updates)}
    found = merged_weights(models, "ties", "ab", density=0.4, scale=0.5)["w"]
    # Kept: 3, -2 of the first; 4, 2 of the second. Signs: +, + (4 beats 2), 0, 0, +.
    assert found.tolist() == [10 + 0.5 * 3, 10 + 0.5 * 4, 10, 10, 10 + 0.5 * 2]


def test_ties_takes_the_mean_of_those_that_agree():
    start = Tensors(w=torch.zeros(2).double())
    rows = [[1.0, 1.0], [3.0, -4.0], [-1.0, -2.0]]
    models = {"start": start}
    models |= {
        f"sha-{n}": Tensors(w=torch.tensor(u).double()) for n, u in zip("abc", rows)
    }
    found = merged_weights(models, "ties", "abc", density=1.0)["w"]
    assert found.tolist() == [2.0, -3.0]


def test_ties_of_everything_from_one_model_is_the_model(random_models):
    assert all_close(
        merged_weights(random_models, "ties", "a", density=1.0), random_models["sha-a"]
    )
