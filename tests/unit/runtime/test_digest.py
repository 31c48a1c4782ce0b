"""Digests of plain data."""

import json
import random

import pytest

from stockpot.runtime.digest import canonical, sha256, sha256_file, short

pytestmark = pytest.mark.slow


def with_shuffled_keys(value, rng):
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        return {key: with_shuffled_keys(entry, rng) for key, entry in items}
    return (
        [with_shuffled_keys(entry, rng) for entry in value]
        if isinstance(value, list)
        else value
    )


def test_key_order_does_not_count_but_everything_else_does(config):
    for seed in range(5):
        assert canonical(with_shuffled_keys(config, random.Random(seed))) == canonical(
            config
        )
        assert sha256(with_shuffled_keys(config, random.Random(seed))) == sha256(config)
    assert sha256([1, 2]) != sha256([2, 1])
    assert sha256({"lr": 1, "wd": 2}) != sha256({"lr": 2, "wd": 1})
    assert sha256({"a": {"b": 1}}) != sha256({"a": 1, "b": 1})
    assert sha256("1") != sha256(1)


def test_canonical_is_json_and_refuses_what_json_has_not():
    value = {"b": [1, None, "ä"], "a": 0.1}
    assert json.loads(canonical(value)) == value
    with pytest.raises(ValueError, match="Out of range float values"):
        canonical(float("nan"))
    with pytest.raises(TypeError):
        canonical({1, 2})


def test_digests_are_those_of_the_standard(tmp_path):
    """Printed by: printf '{"a":1}' | sha256sum."""
    expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert sha256({"a": 1}) == expected
    assert short({"a": 1}) == expected[:8]
    (tmp_path / "x").write_text('{"a":1}')
    assert sha256_file(tmp_path / "x") == expected
