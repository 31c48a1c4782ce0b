"""The time that is left, as a line of progress says it."""

import pytest

from stockpot.runtime import progress_log

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("done", "steps", "seconds", "said"),
    [
        (10, 20, 10, "10 s left"),
        (10, 70, 60, "6 min left"),
        (1, 1001, 60, "16 h 40 min left"),
    ],
)
def test_the_time_left(monkeypatch, done, steps, seconds, said):
    beat = progress_log.ProgressLogger(steps, 0, 1)
    for _ in range(done):
        beat.step(32, 0, 0.5)
    monkeypatch.setattr(
        progress_log.time, "monotonic", lambda: beat.started_at + seconds
    )
    assert beat.pace() == f"{32 * done / seconds:.0f} images/s  {said}"
