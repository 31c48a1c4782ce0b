"""The errors that a user sees."""

import pickle

from stockpot.runtime.errors import StockpotError


def test_an_error_is_a_short_line_for_each_mistake():
    error = StockpotError("a\x1b[31m: wrong", "b" * 10_000)
    first, second = str(error).split("\n")
    assert first == "a\\x1b[31m: wrong"
    assert len(second) == 500
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_text_of_an_error_is_still_bounded():
    error = StockpotError("x" * 10_000, advice="rm -f 'a\nb'")
    assert len(str(error)) < 520
    assert str(error).endswith("; rm -f 'a\\nb'")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
