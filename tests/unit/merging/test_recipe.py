"""The algebra of recipes: interpolation, uniform soups, and running means."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.runtime.digest import canonical
from stockpot.runtime.errors import StockpotError

alphas = st.floats(0, 1)


ingredient_lists = st.lists(
    st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True
)


@st.composite
def recipes(draw):
    """A linear recipe whose coefficients sum to 1."""
    ingredients = draw(ingredient_lists)
    weights = [draw(st.integers(1, 1000)) for _ in ingredients]
    coefficients = {
        name: weight / sum(weights) for name, weight in zip(ingredients, weights)
    }
    return {"rule": "linear", "ingredients": coefficients}


@given(recipes(), recipes(), alphas)
def test_interpolated_coefficients_sum_to_one(start, target, alpha):
    ingredients = interpolate(start, target, alpha)["ingredients"]
    assert abs(sum(ingredients.values()) - 1) < 1e-12
    assert all(0 < c <= 1 + 1e-12 for c in ingredients.values())
    assert set(ingredients) <= set(start["ingredients"]) | set(target["ingredients"])


@given(recipes(), recipes(), alphas)
def test_interpolation_adds_coefficients_weighted_with_alpha(start, target, alpha):
    found = interpolate(start, target, alpha)["ingredients"]
    for name in {*start["ingredients"], *target["ingredients"]}:
        a, b = (recipe["ingredients"].get(name, 0.0) for recipe in (start, target))
        assert abs(found.get(name, 0.0) - ((1 - alpha) * a + alpha * b)) < 1e-15


@given(recipes(), recipes())
def test_alpha_0_is_the_start_and_alpha_1_the_target(start, target):
    """Exactly, so that they are found under the same key."""
    assert interpolate(start, target, 0.0) == start
    assert interpolate(start, target, 1.0) == target
    assert canonical(interpolate(start, target, 0)) == canonical(start)
    assert canonical(interpolate(start, target, 1)) == canonical(target)


@given(recipes(), recipes(), alphas)
@example(single("a"), single("b"), 0.3)
def test_interpolation_from_the_other_side_gives_the_same(start, target, alpha):
    there = interpolate(start, target, 1 - alpha)["ingredients"]
    back = interpolate(target, start, 1 - (1 - alpha))["ingredients"]
    assert all(abs(there.get(n, 0) - back.get(n, 0)) < 1e-15 for n in {*there, *back})


def test_interpolation_changes_neither_start_nor_target():
    start, target = single("a"), uniform(["a", "b"])
    interpolate(start, target, 0.25)
    assert start == single("a")
    assert target == uniform(["a", "b"])


@given(ingredient_lists, st.randoms())
def test_a_uniform_soup_does_not_depend_on_the_order(ingredients, random):
    shuffled = random.sample(ingredients, len(ingredients))
    assert canonical(uniform(shuffled)) == canonical(uniform(ingredients))
    assert uniform(ingredients)["ingredients"] == dict.fromkeys(
        sorted(ingredients), 1 / len(ingredients)
    )


def test_a_uniform_soup_of_one_model_is_that_model():
    assert canonical(uniform(["a"])) == canonical(single("a"))


def test_a_repeated_ingredient_counts_repeatedly():
    assert uniform(["b", "a", "b", "b"])["ingredients"] == {"a": 0.25, "b": 0.75}


def test_interpolation_towards_a_soup_gives_one_list_of_ingredients():
    soup = uniform(["a", "b"])
    found = interpolate(single("z"), soup, 0.5)
    assert found == {"rule": "linear", "ingredients": {"a": 0.25, "b": 0.25, "z": 0.5}}
    assert list(found["ingredients"]) == ["a", "b", "z"]
    found = interpolate(single("a"), soup, 0.5)
    assert found["ingredients"] == {"a": 0.75, "b": 0.25}, (
        "the start may be in the soup"
    )
    assert interpolate(soup, soup, 0.5) == soup


def test_alpha_above_1_gives_a_negative_coefficient():
    found = interpolate(single("a"), single("b"), 1.5)["ingredients"]
    assert found == {"a": -0.5, "b": 1.5}


@pytest.mark.parametrize("swap", [False, True])
def test_recipes_that_mix_outputs_cannot_be_interpolated(swap):
    recipes_of_both = [single("a"), uniform(["a", "b"], rule="logit-ensemble")]
    with pytest.raises(
        StockpotError, match="linear and logit|logit-ensemble and linear"
    ):
        interpolate(*(recipes_of_both[::-1] if swap else recipes_of_both), 0.5)


@given(ingredient_lists)
def test_repeated_interpolation_gives_the_uniform_soup(ingredients):
    """(k soup + theta) / (k + 1), as originals compute it, in the algebra of recipes."""
    soup = single(ingredients[0])
    for k, name in enumerate(ingredients[1:], 1):
        soup = interpolate(soup, single(name), 1 / (k + 1))
    expected = uniform(ingredients)["ingredients"]
    assert soup["ingredients"].keys() == expected.keys()
    assert all(abs(soup["ingredients"][n] - expected[n]) < 1e-12 for n in expected)
