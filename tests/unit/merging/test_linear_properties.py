"""Merging over random shapes, types, numbers of ingredients, and tensors that share memory."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from stockpot.merging.elementwise import merge_elementwise
from stockpot.merging.export import as_stream, write_streamed
from stockpot.merging.geometry import gram_matrices
from stockpot.merging.learned_coefficients import MixedModel
from stockpot.merging.linear import mix_many
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import Card
from stockpot.models.classifier import WEIGHTS, Weights, write_classifier
from tests.support.tensors import mixed

FLOATS = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


TYPES = {**FLOATS, "F64": torch.float64, "I64": torch.int64, "U8": torch.uint8}


SHAPES = st.lists(st.integers(1, 5), max_size=4)


CARD = Card(
    "x", "x", {"library": "none"}, ["cat", "dog"], False, [0.5] * 3, [0.5] * 3, 8
)


class Tensors(dict):
    @property
    def names(self):
        return sorted(self)


@st.composite
def sets_of_models(draw, most=20, types=tuple(TYPES)):
    """A list of 1 to ``most`` models with the same tensors; some of them share memory."""
    layout = draw(
        st.lists(st.tuples(SHAPES, st.sampled_from(types)), min_size=1, max_size=4)
    )
    tied = draw(st.booleans())
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    found = []
    for _ in range(draw(st.integers(1, most))):
        model = Tensors()
        for i, (shape, kind) in enumerate(layout):
            values = 4 * torch.randn(shape, generator=generator)
            model[f"visual.{i}"] = values.abs().to(TYPES[kind])
        if tied:
            model["visual.tied"] = model["visual.0"]
            model["visual.view"] = model["visual.0"].reshape(-1)[:1]
        found.append(model)
    return found


def by_name(found):
    return {f"sha-{i:02d}": model for i, model in enumerate(found)}


@pytest.mark.slow
@given(sets_of_models(), st.data())
@settings(max_examples=60)
def test_a_mix_is_the_sum_in_float64_rounded_once(found, data):
    numbers = st.floats(-2, 2, allow_nan=False).map(lambda x: round(x, 3))
    coefficients = {name: data.draw(numbers) for name in by_name(found)}
    result = dict(mixed(coefficients, by_name(found), found[0].names))
    shares = [c for c in coefficients.values() if c != 0] or [0.0]
    kept = [m for m, c in zip(found, coefficients.values()) if c != 0] or found[:1]
    for name, tensor in result.items():
        first = kept[0][name]
        assert tensor.dtype == first.dtype
        assert tensor.shape == first.shape
        if first.is_floating_point():
            total = torch.zeros(first.shape, dtype=torch.float64)
            for c, m in zip(shares, kept):
                total.add_(m[name], alpha=c)
            assert torch.equal(tensor, total.to(first.dtype))
        else:
            assert torch.equal(tensor, first), "counters are those of the first"


@given(sets_of_models(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_any_order_gives_the_same_bytes(found, random):
    names = list(by_name(found))
    recipe = uniform(names)
    shuffled = random.sample(names, len(names))
    turned = {
        "rule": "linear",
        "ingredients": {n: recipe["ingredients"][n] for n in shuffled},
    }
    one, other = (
        dict(mixed(r["ingredients"], by_name(found), found[0].names))
        for r in (recipe, turned)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


@given(sets_of_models())
@settings(max_examples=40)
def test_tensors_that_share_memory_stay_equal_and_sources_unchanged(found):
    before = [{name: t.clone() for name, t in model.items()} for model in found]
    result = dict(
        mixed(uniform(list(by_name(found)))["ingredients"], by_name(found), found[0])
    )
    if "visual.tied" in result:
        assert torch.equal(result["visual.tied"], result["visual.0"])
        assert torch.equal(result["visual.view"], result["visual.0"].reshape(-1)[:1])
    for model, kept in zip(found, before):
        assert all(torch.equal(model[name], kept[name]) for name in model)


@given(sets_of_models(most=5), st.sampled_from(list(FLOATS.values())))
@settings(max_examples=40)
def test_a_mix_arrives_in_any_type(found, wanted):
    """As weights do in a model that computes in another precision: rounded as files would be."""
    coefficients = uniform(list(by_name(found)))["ingredients"]
    result = dict(mixed(coefficients, by_name(found), found[0].names))
    jobs, targets = [], {}
    for name, tensor in result.items():
        if tensor.is_floating_point():
            targets[name] = torch.empty(tensor.shape, dtype=wanted)
            pairs = [
                (c, by_name(found)[s][name]) for s, c in sorted(coefficients.items())
            ]
            jobs.append((targets[name], pairs))
    mix_many(jobs)
    assert all(torch.equal(t, result[name].to(wanted)) for name, t in targets.items())


@pytest.mark.slow
@given(sets_of_models(most=6))
@settings(max_examples=30)
def test_a_written_mix_is_the_mix_and_any_reader_reads_it(found):
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / str(i) for i in range(len(found))]
        for path, model in zip(folders, found):
            head = {"head.weight": torch.ones(2, 3), "head.bias": torch.zeros(2)}
            write_classifier(path, replace(CARD), dict(model) | head)
        weights = {w.card.sha256: w for w in map(Weights, folders)}
        first = next(iter(weights.values()))
        coefficients = uniform(list(weights))["ingredients"]
        out = Path(folder) / "out"
        made = dict(mixed(coefficients, weights, first.names))
        card = write_streamed(out, CARD, first.shapes(), as_stream(made.items()))
        read = load_file(out / WEIGHTS)
        assert read.keys() == made.keys()
        assert all(torch.equal(read[name], made[name]) for name in made)
        assert Weights(out, verify=True).card.sha256 == card.sha256


@given(sets_of_models(types=tuple(FLOATS)), st.floats(0, 1))
@settings(max_examples=40)
def test_the_ends_of_a_sweep_are_the_models_themselves(found, alpha):
    names = list(by_name(found))
    start, end = single(names[0]), uniform(names)
    ends = [interpolate(start, end, a)["ingredients"] for a in (0, 1)]
    assert ends == [start["ingredients"], end["ingredients"]]
    total = sum(interpolate(start, end, alpha)["ingredients"].values())
    assert abs(total - 1) < 1e-9


@pytest.mark.slow
@given(sets_of_models(most=6, types=tuple(FLOATS)))
@settings(max_examples=30)
def test_piecewise_rules_and_inner_products_follow_their_formulas(found):
    start, others = found[0], found
    names = start.names
    updates = {
        n: torch.stack([o[n].double() - start[n].double() for o in others])
        for n in names
    }
    for name, products in gram_matrices(others, start, names).items():
        flat = updates[name].reshape(len(others), -1)
        assert torch.allclose(products, flat @ flat.T, rtol=1e-9, atol=1e-9)

    def rule(base, deltas, name, begin):
        return base + deltas.mean(0)

    for name, tensor in merge_elementwise(rule, start, others, names):
        expected = start[name].double() + updates[name].mean(0)
        assert torch.equal(tensor, expected.to(start[name].dtype))


@given(sets_of_models(most=8, types=("F64",)), st.integers(0, 2**16))
@settings(max_examples=30)
def test_the_learned_gradient_is_that_of_autograd(found, seed):
    found = [Tensors({n: t for n, t in m.items() if n[-1].isdigit()}) for m in found]
    k = len(found)

    class Sum(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.visual = torch.nn.ParameterList(
                [torch.zeros_like(t) for t in found[0].values()]
            )

    parts = ["", "visual.0"]
    mix = MixedModel(Sum(), found, parts)
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(k, 2, generator=generator, dtype=torch.float64)
    targets = [torch.randn(t.shape, generator=generator) for t in found[0].values()]
    mix.fill(a)
    sum((p * t).sin().sum() for p, t in zip(mix.model.parameters(), targets)).backward()
    a.requires_grad_(True)
    loss = 0
    for i, (name, target) in enumerate(zip(found[0], targets)):
        p = sum(
            a[j, 1 if i == 0 else 0] * m[name].double() for j, m in enumerate(found)
        )
        loss = loss + (p * target.double()).sin().sum()
    loss.backward()
    assert (mix.gradient() - a.grad).norm() <= 1e-9 * (1 + a.grad.norm()) * k
