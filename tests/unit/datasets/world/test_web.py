"""Tests batches of the rendered web."""

from stockpot.datasets.world.web import web_batch


def test_web_batches_follow_from_seed_and_step():
    images, texts = web_batch(32, 0, 5)
    again = web_batch(32, 0, 5)
    assert images.tobytes() == again[0].tobytes()
    assert texts == again[1]
    for other in (web_batch(32, 1, 5), web_batch(32, 0, 6)):
        assert {i.tobytes() for i in images}.isdisjoint(i.tobytes() for i in other[0])
