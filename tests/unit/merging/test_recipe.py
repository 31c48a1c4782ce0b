"""The algebra of recipes: interpolation, uniform soups, and running means."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.runtime.digest import canonical
from stockpot.runtime.errors import StockpotError

unit = st.floats(0, 1)


names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True)


@st.composite
def recipes(draw):
    """A linear recipe whose coefficients sum to 1."""
    members = draw(names)
    weights = [draw(st.integers(1, 1000)) for _ in members]
    ingredients = {
        name: weight / sum(weights) for name, weight in zip(members, weights)
    }
    return {"rule": "linear", "ingredients": ingredients}


@given(recipes(), recipes(), unit)
def test_interpolated_coefficients_sum_to_one(start, end, alpha):
    ingredients = interpolate(start, end, alpha)["ingredients"]
    assert abs(sum(ingredients.values()) - 1) < 1e-12
    assert all(0 < c <= 1 + 1e-12 for c in ingredients.values())
    assert set(ingredients) <= set(start["ingredients"]) | set(end["ingredients"])


@given(recipes(), recipes(), unit)
def test_interpolation_is_the_sum_of_its_shares(start, end, alpha):
    found = interpolate(start, end, alpha)["ingredients"]
    for name in {*start["ingredients"], *end["ingredients"]}:
        a, b = (recipe["ingredients"].get(name, 0.0) for recipe in (start, end))
        assert abs(found.get(name, 0.0) - ((1 - alpha) * a + alpha * b)) < 1e-15


@given(recipes(), recipes())
def test_the_end_points_are_the_ends(start, end):
    """Exactly, so that they are found under the same key."""
    assert interpolate(start, end, 0.0) == start
    assert interpolate(start, end, 1.0) == end
    assert canonical(interpolate(start, end, 0)) == canonical(start)
    assert canonical(interpolate(start, end, 1)) == canonical(end)


@given(recipes(), recipes(), unit)
@example(single("a"), single("b"), 0.3)
def test_interpolation_has_no_direction(start, end, alpha):
    there = interpolate(start, end, 1 - alpha)["ingredients"]
    back = interpolate(end, start, 1 - (1 - alpha))["ingredients"]
    assert all(abs(there.get(n, 0) - back.get(n, 0)) < 1e-15 for n in {*there, *back})


def test_interpolation_leaves_its_ends_alone():
    start, end = single("a"), uniform(["a", "b"])
    interpolate(start, end, 0.25)
    assert start == single("a")
    assert end == uniform(["a", "b"])


@given(names, st.randoms())
def test_a_uniform_soup_has_no_order(members, random):
    shuffled = random.sample(members, len(members))
    assert canonical(uniform(shuffled)) == canonical(uniform(members))
    assert uniform(members)["ingredients"] == dict.fromkeys(
        sorted(members), 1 / len(members)
    )


def test_a_soup_of_one_is_the_model():
    assert canonical(uniform(["a"])) == canonical(single("a"))


def test_a_repeated_ingredient_counts_repeatedly():
    assert uniform(["b", "a", "b", "b"])["ingredients"] == {"a": 0.25, "b": 0.75}


def test_interpolation_towards_a_soup_is_flat():
    soup = uniform(["a", "b"])
    found = interpolate(single("z"), soup, 0.5)
    assert found == {"rule": "linear", "ingredients": {"a": 0.25, "b": 0.25, "z": 0.5}}
    assert list(found["ingredients"]) == ["a", "b", "z"]
    found = interpolate(single("a"), soup, 0.5)
    assert found["ingredients"] == {"a": 0.75, "b": 0.25}, (
        "the start may be in the soup"
    )
    assert interpolate(soup, soup, 0.5) == soup


def test_coefficients_outside_the_segment_are_kept():
    found = interpolate(single("a"), single("b"), 1.5)["ingredients"]
    assert found == {"a": -0.5, "b": 1.5}


@pytest.mark.parametrize("swap", [False, True])
def test_outputs_cannot_be_interpolated(swap):
    ends = [single("a"), uniform(["a", "b"], rule="logit-ensemble")]
    with pytest.raises(
        StockpotError, match="linear and logit|logit-ensemble and linear"
    ):
        interpolate(*(ends[::-1] if swap else ends), 0.5)


@given(names)
def test_a_running_mean_is_the_mean(members):
    """(k soup + theta) / (k + 1), as originals compute it, in the algebra of recipes."""
    soup = single(members[0])
    for k, name in enumerate(members[1:], 1):
        soup = interpolate(soup, single(name), 1 / (k + 1))
    expected = uniform(members)["ingredients"]
    assert soup["ingredients"].keys() == expected.keys()
    assert all(abs(soup["ingredients"][n] - expected[n]) < 1e-12 for n in expected)
