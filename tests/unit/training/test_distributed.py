"""What one of several processes of a run does: its share, its sums, its model."""

import pytest
import torch

from stockpot.runtime.errors import StockpotError
from stockpot.training.distributed import Distributed
from tests.support.small_training import small_model

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_alone_it_is_all():
    alone = Distributed()
    assert alone.is_main
    assert alone.shard(7) == (slice(7), 1.0)
    assert alone.all_reduce_sum([1.5, 2], "cpu") == [1.5, 2]
    assert alone.broadcast("x") == "x"
    model = small_model()
    assert alone.wrap(model) is model


@pytest.mark.parametrize(("count", "n"), [(2, 7), (3, 3), (4, 3), (8, 1), (1, 5)])
def test_shares_make_up_the_mean(count, n):
    losses, found = torch.rand(n, dtype=torch.float64), 0.0
    seen = set()
    for rank in range(count):
        one = Distributed()
        one.rank, one.count = rank, count
        rows, weight = one.shard(n)
        found += float(losses[rows].mean()) * weight / count
        seen |= set(range(n)[rows]) if weight else set()
    assert found == pytest.approx(float(losses.mean()))
    assert seen == set(range(n))


def test_batchnorm_needs_one_process_on_cpus():
    two = Distributed()
    two.count = 2
    with pytest.raises(StockpotError, match="BatchNorm is trained by one process"):
        two.wrap(small_model())
