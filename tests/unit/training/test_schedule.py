"""The schedule of the learning rate is the originals'."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.training.schedule import warmup_cosine

pytestmark = pytest.mark.slow


def cosine_lr(step, base, warmup, steps):
    """The originals' schedule (mlfoundations/wise-ft, src/models/utils.py)."""
    if step < warmup:
        return base * (step + 1) / warmup
    e, es = step - warmup, steps - warmup
    return 0.5 * (1 + math.cos(math.pi * e / es)) * base


@given(st.integers(2, 500), st.integers(1, 100))
def test_schedule_is_the_originals(steps, warmup):
    warmup = min(warmup, steps - 1)
    factors = [warmup_cosine(step, steps, warmup) for step in range(steps)]
    expected = [cosine_lr(step, 1.0, warmup, steps) for step in range(steps)]
    assert factors == pytest.approx(expected, abs=1e-12)
    assert max(factors) == factors[warmup - 1] == 1.0
    assert min(factors) > 0
    assert factors[:warmup] == sorted(factors[:warmup])
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)


def test_schedule_in_numbers():
    factors = [warmup_cosine(step, 8, 4) for step in range(9)]
    half = math.sqrt(0.5)
    expected = [0.25, 0.5, 0.75, 1, 1, (1 + half) / 2, 0.5, (1 - half) / 2, 0]
    assert factors == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 3])
def test_schedule_of_nothing_but_warmup(steps):
    assert warmup_cosine(steps - 1, steps, steps) == 1.0
    assert math.isfinite(warmup_cosine(steps, steps, steps))
