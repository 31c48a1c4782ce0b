"""Variants are found by their files, and share what their options say."""

import pytest

from stockpot.runtime.errors import StockpotError
from stockpot.training import variants

pytestmark = pytest.mark.slow


def test_variants_are_found_by_their_files():
    assert variants.names() == [
        "end-to-end",
        "from-scratch",
        "linear-classifier",
        "linear-search",
    ]
    with pytest.raises(StockpotError) as error:
        variants.load("lora")
    for word in ("training variant", "'lora'", *variants.names()):
        assert word in str(error.value)


def test_variants_that_share_an_option_say_the_same_of_it():
    said = {}
    for name in variants.names():
        for option, schema in variants.options(name).items():
            assert said.setdefault(option, schema) == schema, f"{option} of {name}"
