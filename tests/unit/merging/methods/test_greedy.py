"""The greedy soup and ensemble against the paper, on counts in place of images."""

import hashlib
import itertools
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.merging.recipe import single, uniform
from stockpot.runtime.digest import canonical
from tests.support.merge_methods import (
    LETTERS,
    helpful_and_harmful,
    merge_letters,
    recipe_and_tensors,
)


@pytest.mark.parametrize(
    ("method", "rule"), [("greedy", "linear"), ("greedy-ensemble", "logit-ensemble")]
)
def test_greedy_methods_select_alike_and_mix_each_in_its_way(
    random_models, method, rule
):
    recipe, _ = recipe_and_tensors(random_models, method, held_out=helpful_and_harmful)
    assert (
        recipe["members"] == ["b", "c"] + ["a"] * (method != "greedy")
        or recipe["rule"] == rule
    )
    assert recipe["rule"] == rule
    assert [row["candidate"] for row in recipe["trace"]] == ["b", "c", "a", "d"]
    assert "d" not in recipe["members"]


def test_a_greedy_ensemble_of_one_is_the_model(random_models):
    recipe, _ = recipe_and_tensors(
        random_models, "greedy-ensemble", "a", held_out=helpful_and_harmful
    )
    assert {key: recipe[key] for key in ("rule", "ingredients")} == single("sha-a")


def test_random_orders_follow_from_their_seed(random_models):
    orders = [
        [
            row["candidate"]
            for row in recipe_and_tensors(
                random_models,
                "greedy",
                held_out=helpful_and_harmful,
                order="random",
                seed=seed,
            )[0]["trace"]
        ]
        for seed in (0, 0, 1, 2, 3)
    ]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 1
    assert all(sorted(order) == list("abcd") for order in orders)


HELD_OUT = 1000


def counts_by_table(seed):
    """Any soup is right on some number of examples, without rhyme or reason."""

    def held_out(recipe):
        text = f"{seed} {canonical(recipe)}"
        return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 20 + 500, HELD_OUT

    return held_out


def reference_greedy(ingredients, held_out):
    """Recipe 1 of Model soups, word for word."""
    order = sorted(ingredients, key=lambda n: (-held_out(single(ingredients[n]))[0], n))
    soup = []
    for name in order:
        tried = [ingredients[n] for n in [*soup, name]]
        best = held_out(uniform([ingredients[n] for n in soup]))[0] if soup else 0
        if held_out(uniform(tried))[0] >= best:
            soup.append(name)
    return soup


@given(st.integers(0, 10**9), st.integers(1, 6))
def test_greedy_is_the_papers(seed, count):
    ingredients, held_out = (
        dict(itertools.islice(LETTERS.items(), count)),
        counts_by_table(seed),
    )
    found = merge_letters("greedy", ingredients, held_out)
    assert found["members"] == reference_greedy(ingredients, held_out)
    expected = uniform([ingredients[n] for n in found["members"]])
    assert {key: found[key] for key in ("rule", "ingredients")} == expected


@given(st.integers(0, 10**9))
def test_greedy_never_falls_and_starts_from_the_best(seed):
    held_out = counts_by_table(seed)
    found = merge_letters("greedy", LETTERS, held_out)
    alone = {name: held_out(single(sha))[0] for name, sha in LETTERS.items()}
    best = max(alone.values())
    assert alone[found["members"][0]] == best
    assert held_out({key: found[key] for key in ("rule", "ingredients")})[0] >= best
    kept = [row["soup_k"] for row in found["trace"] if row["accepted"]]
    assert kept == sorted(kept)
    assert kept[0] == best


@given(st.integers(0, 10**9))
def test_the_trace_of_greedy_is_complete(seed):
    held_out = counts_by_table(seed)
    found = merge_letters("greedy", LETTERS, held_out)
    trace = found["trace"]
    assert sorted(row["candidate"] for row in trace) == sorted(LETTERS)
    order = [row["alone_k"] for row in trace]
    assert order == sorted(order, reverse=True)
    members = []
    for row in trace:
        assert row["alone_k"] == held_out(single(LETTERS[row["candidate"]]))[0]
        tried = uniform([LETTERS[name] for name in [*members, row["candidate"]]])
        assert (row["soup_k"], row["n"]) == held_out(tried)
        members += [row["candidate"]] if row["accepted"] else []
    assert members == found["members"]


@pytest.mark.slow
@given(st.integers(0, 10**9), st.randoms())
def test_greedy_does_not_see_the_order_of_its_ingredients(seed, random):
    shuffled = dict(random.sample(list(LETTERS.items()), len(LETTERS)))
    held_out = counts_by_table(seed)
    assert canonical(merge_letters("greedy", shuffled, held_out)) == canonical(
        merge_letters("greedy", LETTERS, held_out)
    )


def test_greedy_accepts_ties():
    found = merge_letters("greedy", LETTERS, lambda recipe: (700, HELD_OUT))
    assert found["members"] == sorted(LETTERS), "in the order of their names"
    assert all(row["accepted"] for row in found["trace"])


def count_without(bad, recipe):
    return (600 - 1 * any(sha in bad for sha in recipe["ingredients"]), HELD_OUT)


def test_greedy_rejects_what_hurts_by_one_example():
    found = merge_letters("greedy", LETTERS, partial(count_without, {"sha-a", "sha-d"}))
    assert found["members"] == ["b", "c", "e", "f"]
    assert [row["candidate"] for row in found["trace"] if not row["accepted"]] == [
        "a",
        "d",
    ]


def test_greedy_of_hopeless_models_keeps_one():
    """Even when nothing is right on the held-out set."""
    found = merge_letters("greedy", {"a": "sha-a"}, lambda recipe: (0, HELD_OUT))
    assert found["members"] == ["a"]
    assert found["ingredients"] == {"sha-a": 1.0}
