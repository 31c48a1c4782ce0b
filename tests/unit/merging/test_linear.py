"""The arithmetic of mixed tensors: precision, order, types, and parts."""

import itertools

import pytest
import torch

from stockpot.merging import linear
from stockpot.merging.linear import mix, mix_into, mix_many, tower_coefficients
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from tests.support.tensors import mixed, tensor_digest


@pytest.fixture
def five_models():
    """Five models of two tensors, with weights of very different sizes."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: {
            "w": torch.randn(17, 9, generator=generator) * 10**i,
            "v": torch.randn(5, generator=generator),
        }
        for i, name in enumerate("edcba")
    }


def mixed_tensors(recipe, ingredients) -> dict:
    return dict(mixed(recipe["ingredients"], ingredients, ["w", "v"]))


def same_tensors(a, b) -> bool:
    return tensor_digest(a) == tensor_digest(b)


@pytest.mark.parametrize("name", list("abcde"))
def test_a_model_alone_is_itself_byte_for_byte(five_models, name):
    assert same_tensors(mixed_tensors(single(name), five_models), five_models[name])
    other = single("a" if name != "a" else "b")
    assert same_tensors(
        mixed_tensors(interpolate(other, single(name), 1), five_models),
        five_models[name],
    )
    assert same_tensors(
        mixed_tensors(interpolate(single(name), other, 0), five_models),
        five_models[name],
    )


def test_a_coefficient_of_one_keeps_what_arithmetic_would_not():
    special = torch.tensor([-0.0, torch.inf, 1e-45, torch.nan])
    found = mix([(1.0, special)])
    assert found.view(torch.int32).tolist() == special.view(torch.int32).tolist()


def test_any_order_of_ingredients_gives_the_same_bytes(five_models):
    expected = mixed_tensors(uniform(list("abcde")), five_models)
    for order in itertools.islice(itertools.permutations("abcde"), 0, 120, 7):
        shuffled = {name: five_models[name] for name in order}
        coefficients = dict.fromkeys(order, 1 / 5)
        assert same_tensors(dict(mixed(coefficients, shuffled, ["w", "v"])), expected)
        assert same_tensors(mixed_tensors(uniform(list(order)), shuffled), expected)


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


def test_the_mix_is_the_sum_in_double_precision(five_models):
    recipe = interpolate(single("a"), uniform(["b", "c", "d"]), 0.3)
    found = mixed_tensors(recipe, five_models)
    for name in ("w", "v"):
        parts = [
            c * five_models[n][name].double() for n, c in recipe["ingredients"].items()
        ]
        expected = torch.stack(parts).sum(0)
        assert found[name].dtype == torch.float32
        assert torch.allclose(found[name].double(), expected, rtol=2**-23, atol=0)


def test_two_models_mix_as_lerp_does(five_models):
    found = mixed_tensors(interpolate(single("a"), single("b"), 0.25), five_models)
    for name in found:
        expected = torch.lerp(five_models["a"][name], five_models["b"][name], 0.25)
        scale = max(five_models[n][name].abs().max() for n in "ab")
        assert (found[name] - expected).abs().max() <= 4 * 2**-24 * scale


def test_a_running_mean_of_tensors_is_the_mean(five_models):
    soup, tensors = single("a"), dict(five_models["a"])
    for k, name in enumerate("bcde", 1):
        soup = interpolate(soup, single(name), 1 / (k + 1))
        tensors = {
            n: (k * t + five_models[name][n]) / (k + 1) for n, t in tensors.items()
        }
    batch = mixed_tensors(uniform(list("abcde")), five_models)
    for name, tensor in batch.items():
        scale = max(five_models[n][name].abs().max() for n in "abcde")
        assert torch.allclose(
            mixed_tensors(soup, five_models)[name], tensor, rtol=1e-6, atol=1e-7 * scale
        )
        assert (tensors[name] - tensor).abs().max() <= 8 * 2**-23 * scale


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_mix_has_the_ingredients_type(dtype):
    a, b = torch.tensor([1.0, 2.0], dtype=dtype), torch.tensor([3.0, 4.0], dtype=dtype)
    found = mix([(0.5, a), (0.5, b)])
    assert found.dtype == dtype
    assert found.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("step", [1, 7, 64, 10**6])
def test_the_steps_of_a_sum_leave_no_trace(five_models, monkeypatch, step):
    coefficients = uniform(list("abcde"))["ingredients"]
    expected = dict(mixed(coefficients, five_models, ["w", "v"]))
    monkeypatch.setattr(linear, "SUM_CHUNK", step)
    found = dict(mixed(coefficients, five_models, ["w", "v"]))
    assert same_tensors(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("pairs", [{"a": 0.3, "b": 0.7}, {"a": 1.0}])
def test_a_mix_in_place_is_the_mix_in_the_targets_type(five_models, dtype, pairs):
    parts = [(c, five_models[name]["w"].T) for name, c in pairs.items()]
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


def test_mixing_leaves_the_ingredients_alone(five_models):
    before = {name: tensor_digest(tensors) for name, tensors in five_models.items()}
    mixed_tensors(uniform(list("abcde")), five_models)
    assert {
        name: tensor_digest(tensors) for name, tensors in five_models.items()
    } == before


def test_a_mix_comes_in_parts_a_few_ahead_of_who_asks(five_models, monkeypatch):
    """With one thread one part is mixed while another is written, and a third waits."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr("stockpot.merging.linear.WRITE_CHUNK", 2)
    begun, plain = [], linear._mix_range
    monkeypatch.setattr(
        linear, "_mix_range", lambda *a: begun.append(a[3]) or plain(*a)
    )
    recipe, name = uniform(list("abcde"))["ingredients"], "w"
    stream = linear.iterate_mix(recipe, five_models, [name])
    assert next(stream)[0] == name
    assert len(begun) <= 3
    parts = [part for _, part in linear.iterate_mix(recipe, five_models, [name])]
    assert {len(part) for part in parts[:-1]} == {2}
    expected = mix([(0.2, five_models[key][name]) for key in "abcde"])
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
