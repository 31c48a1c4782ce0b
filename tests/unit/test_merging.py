"""Merging: the algebra of recipes, the arithmetic of tensors, checks and methods."""

import hashlib
import itertools
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from stockpot.merging import linear, methods
from stockpot.merging.checks import check_ingredients
from stockpot.merging.linear import mix, mix_into, mix_many, tower_coefficients
from stockpot.merging.make_merge import make_soup
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import Card, read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.digest import canonical
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from tests.support.tensors import mixed, tensor_digest

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


# Recipes.


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


# Tensors.


@pytest.fixture
def ingredients():
    """Five models of two tensors, with weights of very different sizes."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: {
            "w": torch.randn(17, 9, generator=generator) * 10**i,
            "v": torch.randn(5, generator=generator),
        }
        for i, name in enumerate("edcba")
    }


def build(recipe, ingredients) -> dict:
    return dict(mixed(recipe["ingredients"], ingredients, ["w", "v"]))


def same(a, b) -> bool:
    return tensor_digest(a) == tensor_digest(b)


@pytest.mark.parametrize("name", list("abcde"))
def test_a_model_alone_is_itself_byte_for_byte(ingredients, name):
    assert same(build(single(name), ingredients), ingredients[name])
    other = single("a" if name != "a" else "b")
    assert same(
        build(interpolate(other, single(name), 1), ingredients), ingredients[name]
    )
    assert same(
        build(interpolate(single(name), other, 0), ingredients), ingredients[name]
    )


def test_a_coefficient_of_one_keeps_what_arithmetic_would_not():
    special = torch.tensor([-0.0, torch.inf, 1e-45, torch.nan])
    found = mix([(1.0, special)])
    assert found.view(torch.int32).tolist() == special.view(torch.int32).tolist()


def test_any_order_of_ingredients_gives_the_same_bytes(ingredients):
    expected = build(uniform(list("abcde")), ingredients)
    for order in itertools.islice(itertools.permutations("abcde"), 0, 120, 7):
        shuffled = {name: ingredients[name] for name in order}
        coefficients = dict.fromkeys(order, 1 / 5)
        assert same(dict(mixed(coefficients, shuffled, ["w", "v"])), expected)
        assert same(build(uniform(list(order)), shuffled), expected)


def test_the_order_of_the_sum_is_that_of_the_names():
    """Shown by numbers whose sum depends on the order, even in double precision."""
    models = {
        name: {"w": torch.tensor([x])} for name, x in zip("abc", (1e30, 1.0, -1e30))
    }
    for order in itertools.permutations("abc"):
        found = dict(
            mixed(dict.fromkeys(order, 2.0), {n: models[n] for n in order}, ["w"])
        )
        assert found["w"].item() == 0.0


def test_the_mix_is_the_sum_in_double_precision(ingredients):
    recipe = interpolate(single("a"), uniform(["b", "c", "d"]), 0.3)
    found = build(recipe, ingredients)
    for name in ("w", "v"):
        parts = [
            c * ingredients[n][name].double() for n, c in recipe["ingredients"].items()
        ]
        expected = torch.stack(parts).sum(0)
        assert found[name].dtype == torch.float32
        assert torch.allclose(found[name].double(), expected, rtol=2**-23, atol=0)


def test_two_models_mix_as_lerp_does(ingredients):
    found = build(interpolate(single("a"), single("b"), 0.25), ingredients)
    for name in found:
        expected = torch.lerp(ingredients["a"][name], ingredients["b"][name], 0.25)
        scale = max(ingredients[n][name].abs().max() for n in "ab")
        assert (found[name] - expected).abs().max() <= 4 * 2**-24 * scale


def test_a_running_mean_of_tensors_is_the_mean(ingredients):
    soup, tensors = single("a"), dict(ingredients["a"])
    for k, name in enumerate("bcde", 1):
        soup = interpolate(soup, single(name), 1 / (k + 1))
        tensors = {
            n: (k * t + ingredients[name][n]) / (k + 1) for n, t in tensors.items()
        }
    batch = build(uniform(list("abcde")), ingredients)
    for name, tensor in batch.items():
        scale = max(ingredients[n][name].abs().max() for n in "abcde")
        assert torch.allclose(
            build(soup, ingredients)[name], tensor, rtol=1e-6, atol=1e-7 * scale
        )
        assert (tensors[name] - tensor).abs().max() <= 8 * 2**-23 * scale


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_mix_has_the_ingredients_type(dtype):
    a, b = torch.tensor([1.0, 2.0], dtype=dtype), torch.tensor([3.0, 4.0], dtype=dtype)
    found = mix([(0.5, a), (0.5, b)])
    assert found.dtype == dtype
    assert found.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("step", [1, 7, 64, 10**6])
def test_the_steps_of_a_sum_leave_no_trace(ingredients, monkeypatch, step):
    coefficients = uniform(list("abcde"))["ingredients"]
    expected = dict(mixed(coefficients, ingredients, ["w", "v"]))
    monkeypatch.setattr(linear, "SUM_CHUNK", step)
    found = dict(mixed(coefficients, ingredients, ["w", "v"]))
    assert same(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("pairs", [{"a": 0.3, "b": 0.7}, {"a": 1.0}])
def test_a_mix_in_place_is_the_mix_in_the_targets_type(ingredients, dtype, pairs):
    parts = [(c, ingredients[name]["w"].T) for name, c in pairs.items()]
    target = torch.full((9, 17), torch.nan, dtype=dtype)
    mix_into(target, parts)
    assert torch.equal(target, mix(parts).to(dtype))


@pytest.mark.parametrize("threads", [1, 3])
def test_many_tensors_are_mixed_at_once(threads):
    generator = torch.Generator().manual_seed(0)
    models = [
        [torch.randn(n, 70_000, generator=generator) for n in (1, 0, 3, 2)]
        for _ in "ab"
    ]
    jobs = [
        (torch.full_like(a, torch.nan), [(0.3, a), (0.7, b)]) for a, b in zip(*models)
    ]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        mix_many(jobs)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(target, mix(pairs)) for target, pairs in jobs)


def test_an_error_in_one_of_many_tensors_is_not_lost():
    good = (torch.zeros(2), [(0.5, torch.ones(2)), (0.5, torch.ones(2))])
    with pytest.raises(ValueError, match="9 numbers cannot be mixed with 2"):
        mix_many(
            [
                good,
                (torch.zeros(2), [(0.5, torch.ones(2)), (0.5, torch.ones(3, 3))]),
                good,
            ]
        )


def test_a_tower_that_all_share_is_not_summed(runs, zero_shot):
    folders = {"zero": zero_shot, **{name: runs[name] for name in ("a", "linear")}}
    cards = {name: read_card(folder) for name, folder in folders.items()}
    assert tower_coefficients({"zero": 0.3, "linear": 0.7}, cards) == {"linear": 1.0}
    shares = {"zero": 0.25, "linear": 0.25, "a": 0.5}
    assert tower_coefficients(shares, cards) == shares


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_integers_are_copied(dtype):
    counter = torch.tensor([1, 0]).to(dtype)
    found = mix([(0.3, counter), (0.7, counter.clone())])
    assert found.dtype == dtype
    assert torch.equal(found, counter)


def test_mixing_leaves_the_ingredients_alone(ingredients):
    before = {name: tensor_digest(tensors) for name, tensors in ingredients.items()}
    build(uniform(list("abcde")), ingredients)
    assert {
        name: tensor_digest(tensors) for name, tensors in ingredients.items()
    } == before


def test_a_mix_comes_in_parts_a_few_ahead_of_who_asks(ingredients, monkeypatch):
    """With one thread one part is mixed while another is written, and a third waits."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr("stockpot.merging.linear.WRITE_CHUNK", 2)
    begun, plain = [], linear._mix_range
    monkeypatch.setattr(
        linear, "_mix_range", lambda *a: begun.append(a[3]) or plain(*a)
    )
    recipe, name = uniform(list("abcde"))["ingredients"], "w"
    stream = linear.iterate_mix(recipe, ingredients, [name])
    assert next(stream)[0] == name
    assert len(begun) <= 3
    parts = [part for _, part in linear.iterate_mix(recipe, ingredients, [name])]
    assert {len(part) for part in parts[:-1]} == {2}
    expected = mix([(0.2, ingredients[key][name]) for key in "abcde"])
    assert torch.equal(torch.cat(parts), expected.reshape(-1))
    assert len(parts) > 3


def test_mixing_files_is_mixing_tensors(runs):
    shas = {read_card(runs[name]).sha256: Weights(runs[name]) for name in "ab"}
    recipe = uniform(list(shas))
    first, second = shas.values()
    for name, tensor in mixed(recipe["ingredients"], shas, first.names):
        assert torch.allclose(
            tensor, (first[name] + second[name]) / 2, rtol=1e-6, atol=1e-8
        )


# Checks.


def card_of(name, **changes) -> Card:
    sha = hashlib.sha256(name.encode()).hexdigest()
    settings = {
        "kind": "end-to-end",
        "architecture": {"library": "timm", "name": "x"},
        "class_names": ["cat", "dog"],
        "normalise": True,
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "image_size": 32,
        "start": "zero",
        "sha256": sha,
    }
    return Card(name, **{**settings, **changes})


def test_models_of_one_start_can_be_mixed(runs, zero_shot):
    check_ingredients(
        [read_card(zero_shot), *(read_card(runs[n]) for n in ("a", "b", "linear"))]
    )
    check_ingredients([card_of("one")])
    check_ingredients(
        [card_of("one"), card_of("two"), card_of("start", start="", sha256="zero")]
    )


ODD = {
    "architecture": {"architecture": {"library": "timm", "name": "y"}},
    "class names": {"class_names": ["dog", "cat"]},
    "normalise": {"normalise": False},
    "same weights": {"start": "other"},
    "diverged": {"status": "diverged (the loss became nan in epoch 1, step 2)"},
}


@pytest.mark.parametrize("position", [1, 2])
@pytest.mark.parametrize("what", ODD)
def test_the_odd_ingredient_is_named(what, position):
    cards = [card_of(name) for name in ("one", "two")]
    cards.insert(position, card_of("odd", **ODD[what]))
    with pytest.raises(StockpotError, match=f"^odd: .*{what}"):
        check_ingredients(cards)


def test_a_model_from_scratch_is_the_odd_one(runs):
    scratch = read_card(runs["scratch"])
    with pytest.raises(StockpotError, match="^scratch: "):
        check_ingredients([read_card(runs["a"]), scratch])


def test_two_models_from_scratch_do_not_share_a_start(runs):
    """Both starts are random, so an empty start is no common one."""
    scratch = read_card(runs["scratch"])
    twin = replace(scratch, name="twin", sha256="other")
    with pytest.raises(StockpotError, match="^twin: .*same weights"):
        check_ingredients([scratch, twin])
    assert scratch.origin() == scratch.sha256


# Methods. A synthetic held-out set of 1000 examples stands in for models and images.

N = 1000
LETTERS = {name: f"sha-{name}" for name in "abcdef"}


def by_table(seed):
    """Any soup is right on some number of examples, without rhyme or reason."""

    def held_out(recipe):
        text = f"{seed} {canonical(recipe)}"
        return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 20 + 500, N

    return held_out


def find(method, ingredients, held_out):
    spec = {"name": "x", **defaults(methods.options(method))}
    return methods.load(method)(ingredients, methods.Context(spec, held_out))


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
        by_table(seed),
    )
    found = find("greedy", ingredients, held_out)
    assert found["members"] == reference_greedy(ingredients, held_out)
    expected = uniform([ingredients[n] for n in found["members"]])
    assert {key: found[key] for key in ("rule", "ingredients")} == expected


@given(st.integers(0, 10**9))
def test_greedy_never_falls_and_starts_from_the_best(seed):
    held_out = by_table(seed)
    found = find("greedy", LETTERS, held_out)
    alone = {name: held_out(single(sha))[0] for name, sha in LETTERS.items()}
    best = max(alone.values())
    assert alone[found["members"][0]] == best
    assert held_out({key: found[key] for key in ("rule", "ingredients")})[0] >= best
    kept = [row["soup_k"] for row in found["trace"] if row["accepted"]]
    assert kept == sorted(kept)
    assert kept[0] == best


@given(st.integers(0, 10**9))
def test_the_trace_of_greedy_is_complete(seed):
    held_out = by_table(seed)
    found = find("greedy", LETTERS, held_out)
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
    held_out = by_table(seed)
    assert canonical(find("greedy", shuffled, held_out)) == canonical(
        find("greedy", LETTERS, held_out)
    )


def test_greedy_accepts_ties():
    found = find("greedy", LETTERS, lambda recipe: (700, N))
    assert found["members"] == sorted(LETTERS), "in the order of their names"
    assert all(row["accepted"] for row in found["trace"])


def count_without(bad, recipe):
    return (600 - 1 * any(sha in bad for sha in recipe["ingredients"]), N)


def test_greedy_rejects_what_hurts_by_one_example():
    found = find("greedy", LETTERS, partial(count_without, {"sha-a", "sha-d"}))
    assert found["members"] == ["b", "c", "e", "f"]
    assert [row["candidate"] for row in found["trace"] if not row["accepted"]] == [
        "a",
        "d",
    ]


def test_greedy_of_hopeless_models_keeps_one():
    """Even when nothing is right on the held-out set."""
    found = find("greedy", {"a": "sha-a"}, lambda recipe: (0, N))
    assert found["members"] == ["a"]
    assert found["ingredients"] == {"sha-a": 1.0}


def test_uniform_and_ensemble_look_at_no_held_out_set():
    def forbidden(recipe):
        raise AssertionError("the held-out set was used")

    assert find("uniform", LETTERS, forbidden) == uniform(list(LETTERS.values()))
    ensemble = find("logit-ensemble", LETTERS, forbidden)
    assert ensemble == uniform(list(LETTERS.values()), rule="logit-ensemble")


# Soups.


class Tensors(dict):
    """Tensors by name, as ``Weights`` gives them."""

    @property
    def names(self):
        return sorted(self)

    def shapes(self):
        return {
            name: (list(self[name].shape), str(self[name].dtype)) for name in self.names
        }


def soup_context(spec, held_out=None):
    tensors = Tensors({"head.weight": torch.ones(2, 3)})
    return methods.Context(spec, held_out, weights=lambda sha256: tensors)


def test_a_soup_tells_what_it_is():
    cards = [card_of(name) for name in "ab"]
    soup = make_soup(cards, soup_context({"name": "mean", "method": "uniform"}))
    shas = {card.name: card.sha256 for card in cards}
    assert soup == {
        **uniform(list(shas.values())),
        "name": "mean",
        "method": "uniform",
        "ingredient_names": shas,
    }
    canonical(
        make_soup(
            cards,
            soup_context({"name": "g", "method": "uniform"}, lambda recipe: (5, 10)),
        )
    )


def test_a_diverged_ingredient_is_left_out(caplog):
    cards = [
        card_of("a"),
        card_of("hot", status="diverged (nan)", sha256=""),
        card_of("b"),
    ]
    soup = make_soup(cards, soup_context({"name": "mean", "method": "uniform"}))
    assert soup["ingredient_names"] == {
        c.name: c.sha256 for c in cards if c.status == "ok"
    }
    assert len(soup["ingredients"]) == 2
    assert "hot is left out" in caplog.text
    assert "diverged (nan)" in caplog.text


def test_a_soup_of_diverged_runs_is_an_error():
    cards = [card_of(name, status="diverged (nan)") for name in "ab"]
    with pytest.raises(StockpotError, match=r"^soups\.mean: every ingredient diverged"):
        make_soup(cards, soup_context({"name": "mean", "method": "uniform"}))


def test_a_soup_of_strangers_is_an_error():
    cards = [card_of("a"), card_of("odd", start="elsewhere")]
    with pytest.raises(StockpotError, match="^odd: "):
        make_soup(cards, soup_context({"name": "mean", "method": "uniform"}))


def test_an_unknown_method_is_named():
    with pytest.raises(StockpotError, match="'slurp'; there are .*greedy.*uniform"):
        make_soup([card_of("a")], soup_context({"name": "x", "method": "slurp"}))
