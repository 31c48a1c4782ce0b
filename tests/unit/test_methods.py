"""Merge methods against their formulas, on tensors small enough to check by hand."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.merging import linear, methods
from stockpot.merging.coefficients import coefficient_at
from stockpot.merging.fisher_information import fisher_diagonal
from stockpot.merging.geometry import gram_matrices, mean_cosine, sum_per_block
from stockpot.merging.methods.lines import scales_by_depth
from stockpot.merging.methods.model_stock import ratio
from stockpot.merging.methods.slerp import slerp_coefficients
from stockpot.merging.outputs import mix_outputs
from stockpot.merging.recipe import single, uniform
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from stockpot.training.loop import Batches
from tests.support.tensors import mixed

NAMES = {
    "visual.conv1.weight": (3, 2),
    "visual.blocks.0.w": (4,),
    "visual.blocks.1.w": (2, 2),
    "visual.ln_post.bias": (5,),
    "head.weight": (2, 3),
}


class Tensors(dict):
    """Tensors by name, as ``Weights`` gives them."""

    @property
    def names(self):
        return sorted(self)


def random_model(seed: int) -> Tensors:
    generator = torch.Generator().manual_seed(seed)
    return Tensors(
        {
            n: torch.randn(*shape, generator=generator).double()
            for n, shape in NAMES.items()
        }
    )


@pytest.fixture
def models():
    return {
        "start": random_model(0),
        **{f"sha-{n}": random_model(i + 1) for i, n in enumerate("abcd")},
    }


def context(models, method, held_out=None, **given) -> methods.Context:
    spec = {"name": "x", "method": method, **defaults(methods.options(method)), **given}
    return methods.Context(spec, held_out, "start", models.__getitem__)


def merged(models, method, names="abcd", **given) -> tuple[dict, dict]:
    """The recipe of a method and the tensors it describes."""
    ingredients = {name: f"sha-{name}" for name in names}
    recipe = methods.load(method)(ingredients, context(models, method, **given))
    return recipe, dict(mixed(recipe["ingredients"], models, NAMES))


def close(a: dict, b: dict) -> bool:
    return all(torch.allclose(a[name], b[name], rtol=0, atol=1e-12) for name in NAMES)


def updates(models, names="abcd"):
    return [
        {n: models[f"sha-{name}"][n] - models["start"][n] for n in NAMES}
        for name in names
    ]


# In weight space.


def test_task_arithmetic_is_its_formula(models):
    _, found = merged(models, "task-arithmetic", scale=0.3)
    expected = {
        n: models["start"][n] + 0.3 * sum(update[n] for update in updates(models))
        for n in NAMES
    }
    assert close(found, expected)


def test_task_arithmetic_at_one_over_k_is_the_uniform_soup(models):
    _, found = merged(models, "task-arithmetic", scale=0.25)
    _, soup = merged(models, "uniform")
    assert close(found, soup)


@pytest.mark.parametrize("granularity", ["tensor", "block", "model"])
def test_model_stock_is_its_formula(models, granularity):
    """T = N cos / (1 + (N - 1) cos), with the mean cosine of all pairs of updates."""
    _, found = merged(models, "model-stock", granularity=granularity)
    groups = {"model": [list(NAMES)]}.get(granularity, [[name] for name in NAMES])
    for group in groups:
        flat = [torch.cat([u[n].reshape(-1) for n in group]) for u in updates(models)]
        pairs = [
            float(torch.dot(a, b) / (a.norm() * b.norm()))
            for a, b in itertools.combinations(flat, 2)
        ]
        mean_cosine = max(sum(pairs) / len(pairs), 0)
        t = 4 * mean_cosine / (1 + 3 * mean_cosine)
        for name in group:
            mean = sum(models[f"sha-{n}"][name] for n in "abcd") / 4
            expected = t * mean + (1 - t) * models["start"][name]
            assert torch.allclose(found[name], expected, rtol=0, atol=1e-9)


def test_model_stock_in_numbers():
    """Two runs at 60 degrees keep two thirds; equal ones all, orthogonal ones nothing."""
    assert ratio(0.5, 2) == pytest.approx(2 / 3)
    assert ratio(1.0, 5) == 1.0
    assert ratio(0.0, 5) == 0.0
    assert ratio(-0.2, 5) == 0.0


@given(st.floats(0.0, 1.0), st.floats(0.05, 3.0))
def test_slerp_keeps_the_norm_of_vectors_of_one_norm(t, angle):
    first, second = slerp_coefficients(math.cos(angle), t)
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([math.cos(angle), math.sin(angle)])
    mix = first * a.double() + second * b.double()
    assert mix.norm().item() == pytest.approx(1, abs=1e-6)
    assert torch.atan2(mix[1], mix[0]).item() == pytest.approx(t * angle, abs=1e-6)


@given(st.floats(0.0, 1.0), st.floats(1e-9, 0.02))
def test_slerp_at_a_small_angle_is_close_to_linear(t, angle):
    first, second = slerp_coefficients(math.cos(angle), t)
    assert first == pytest.approx(1 - t, abs=1e-4)
    assert second == pytest.approx(t, abs=1e-4)


def test_slerp_goes_from_one_end_to_the_other(models):
    for t, end in ((0.0, "sha-a"), (1.0, "sha-b")):
        assert close(merged(models, "slerp", "ab", t=t)[1], models[end])
    assert close(
        merged(models, "slerp", "a", t=0.0, from_start=True)[1], models["start"]
    )
    _, found = merged(models, "slerp", "ab", t=0.3)
    name = "visual.conv1.weight"
    a, b = models["sha-a"][name], models["sha-b"][name]
    angle = math.acos(float((a * b).sum() / (a.norm() * b.norm())))
    expected = (math.sin(0.7 * angle) * a + math.sin(0.3 * angle) * b) / math.sin(angle)
    assert torch.allclose(found[name], expected, rtol=0, atol=1e-12)


def test_slerp_of_more_than_two_is_refused(models):
    with pytest.raises(
        StockpotError, match=r"soups\.x: slerp goes between two models, not 3"
    ):
        merged(models, "slerp", "abc")


@pytest.mark.parametrize("t", [0.1, 0.5])
@pytest.mark.parametrize("zero", ["start", "sha-a"])
def test_slerp_mixes_tensors_of_zeros_linearly(models, zero, t):
    """The bias of a zero-shot head is zero: half way to it is half of it, not 0.7071 of it."""
    name = "visual.ln_post.bias"
    models[zero][name] = torch.zeros_like(models[zero][name])
    _, found = merged(models, "slerp", "a", t=t, from_start=True)
    expected = (1 - t) * models["start"][name] + t * models["sha-a"][name]
    assert torch.allclose(found[name], expected, rtol=0, atol=1e-15)


def test_lines_scales_updates_by_depth(models):
    recipe, found = merged(models, "lines", "a", first_block=0.2, last_block=1.0)
    shares = {
        "visual.conv1.weight": 0.2,
        "visual.blocks.0.w": 0.2,
        "visual.blocks.1.w": 1.0,
        "visual.ln_post.bias": 1.0,
        "head.weight": 1.0,
    }
    (update,) = updates(models, "a")
    assert close(found, {n: models["start"][n] + shares[n] * update[n] for n in NAMES})
    assert all(
        coefficient_at(recipe["ingredients"]["sha-a"], n) == shares[n] for n in NAMES
    )


def test_lines_with_one_share_is_wise_ft(models):
    recipe, _ = merged(models, "lines", "a", first_block=0.5, last_block=0.5)
    assert recipe["ingredients"] == {"sha-a": 0.5, "start": 0.5}


# Tensors of a few layers in open_clip's and timm's names, and the share of the update that each
# keeps from a first of 0 to a last of 1.
DEPTHS = {
    "CLIP's ViT": {
        "class_embedding": 0,
        "positional_embedding": 0,
        "conv1.weight": 0,
        "ln_pre.bias": 0,
        "transformer.resblocks.0.ln_1.bias": 0,
        "transformer.resblocks.1.ln_1.bias": 0.5,
        "transformer.resblocks.2.ln_1.bias": 1,
        "ln_post.bias": 1,
        "proj": 1,
    },
    "CLIP's ResNet": {
        "conv1.weight": 0,
        "bn1.bias": 0,
        "conv2.weight": 0,
        "bn2.bias": 0,
        "conv3.weight": 0,
        "bn3.running_mean": 0,
        "layer1.0.bn2.bias": 0,
        "layer1.1.conv1.weight": 1 / 3,
        "layer2.0.bn3.bias": 2 / 3,
        "layer2.1.bn3.bias": 1,
        "attnpool.q_proj.weight": 1,
    },
    "ConvNeXt": {
        "trunk.stem.0.weight": 0,
        "trunk.stem.1.bias": 0,
        "trunk.stages.0.blocks.0.gamma": 0,
        "trunk.stages.1.blocks.2.gamma": 1 / 3,
        "trunk.stages.2.downsample.0.bias": 2 / 3,
        "trunk.stages.3.blocks.1.gamma": 1,
        "trunk.head.norm.bias": 1,
        "head.proj.weight": 1,
    },
    "SigLIP's ViT": {
        "trunk.pos_embed": 0,
        "trunk.cls_token": 0,
        "trunk.reg_token": 0,
        "trunk.patch_embed.proj.weight": 0,
        "trunk.norm_pre.bias": 0,
        "trunk.blocks.0.norm1.bias": 0,
        "trunk.blocks.1.norm1.bias": 0.5,
        "trunk.blocks.2.norm1.bias": 1,
        "trunk.norm.bias": 1,
        "trunk.attn_pool.latent": 1,
    },
    "a trunk with tensors of its own on both sides": {
        "trunk.pos_embed": 0,
        "trunk.blocks.0.w": 0,
        "trunk.blocks.1.w": 1,
        "trunk.scale": 1,
    },
    "a deep stem": {
        "conv1.0.weight": 0,
        "conv1.6.weight": 0,
        "bn1.bias": 0,
        "layer1.0.conv1.weight": 0,
        "layer2.0.conv1.weight": 0.5,
        "layer3.0.conv1.weight": 1,
    },
    "EfficientNet": {
        "conv_stem.weight": 0,
        "bn1.bias": 0,
        "blocks.0.0.bn2.bias": 0,
        "blocks.1.0.bn2.bias": 0.5,
        "blocks.2.0.bn2.bias": 1,
        "conv_head.weight": 1,
        "bn2.bias": 1,
    },
    "ten blocks and more": {f"blocks.{i}.w": i / 10 for i in range(11)},
    "a hybrid": {
        "patch_embed.backbone.stages.0.w": 0,
        "patch_embed.backbone.stages.1.w": 0,
        "blocks.0.w": 0,
        "blocks.1.w": 1,
        "final_conv.kxk.0.weight": 1,
    },
}


@pytest.mark.parametrize("architecture", DEPTHS)
def test_lines_knows_the_depth_of_every_tensor(architecture):
    expected = {f"visual.{name}": share for name, share in DEPTHS[architecture].items()}
    expected |= {"head.weight": 1, "head.bias": 1}
    found = scales_by_depth(list(expected), 0.0, 1.0)
    assert {
        name: coefficient_at({"": 1.0} | found, name) for name in expected
    } == pytest.approx(expected)
    assert list(scales_by_depth(list(expected)[::-1], 0.0, 1.0)) == list(found)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["s1.b1.conv1.weight", "s2.b1.conv1.weight"], "this model has none"),
        (["blocks.0.w"], "this model has none"),
        (
            ["blocks.0.w", "blocks.1.w", "other.0.w"],
            "visual.blocks.#., visual.other.#.",
        ),
    ],
)
def test_lines_refuses_a_model_that_does_not_tell_its_depth(names, words):
    with pytest.raises(StockpotError, match="lines: the depth") as error:
        scales_by_depth([f"visual.{name}" for name in names], 0.0, 1.0)
    assert words in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    "method", ["uniform", "task-arithmetic", "model-stock", "lines"]
)
def test_symmetric_methods_do_not_see_the_order(models, method):
    results = [merged(models, method, names) for names in ("abcd", "dbca")]
    (first, a), (second, b) = results
    assert first == second
    assert all(torch.equal(a[name], b[name]) for name in NAMES)


# Geometry.


@settings(max_examples=25)
@given(
    st.integers(1, 5),
    st.integers(0, 99),
    st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_gram_is_the_inner_products_of_updates(k, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    stack = [
        {"w": torch.randn(7, generator=generator).to(dtype), "count": torch.tensor(3)}
        for _ in range(k + 1)
    ]
    start, *weights = stack
    found = gram_matrices(weights, start, ["count", "w"])
    rows = torch.stack([w["w"].double() - start["w"].double() for w in weights])
    assert list(found) == ["w"]
    assert torch.allclose(found["w"], rows @ rows.T)


def test_pieces_of_a_tensor_add_up(monkeypatch, models):
    whole = gram_matrices([models["sha-a"], models["sha-b"]], models["start"], NAMES)
    plain = linear.iterate_chunks
    monkeypatch.setattr(
        "stockpot.merging.geometry.iterate_chunks", lambda s, n: plain(s, n, step=2)
    )
    pieces = gram_matrices([models["sha-a"], models["sha-b"]], models["start"], NAMES)
    assert all(torch.allclose(whole[name], pieces[name]) for name in NAMES)


def test_blocks_are_the_sums_of_their_tensors():
    one = torch.ones(2, 2, dtype=torch.float64)
    found = sum_per_block({"a.0.w": one, "a.0.b": 2 * one, "a.1.w": one})
    assert torch.equal(found["a.0."], 3 * one)
    assert torch.equal(found["a.1."], one)


def test_the_cosine_of_nothing():
    assert mean_cosine(torch.zeros(2, 2, dtype=torch.float64)) == 0.0
    assert mean_cosine(torch.ones(1, 1, dtype=torch.float64)) == 1.0


# In output space.

LOGITS = {
    "a": torch.tensor([[2.0, 0.0, 1.0]] * 400),
    "b": torch.tensor([[0.0, 1.0, 3.0]] * 400),
}


def test_a_logit_ensemble_is_the_mean_of_logits():
    found = mix_outputs(uniform(["a", "b"], rule="logit-ensemble"), LOGITS)
    assert torch.equal(found[0], torch.tensor([1.0, 0.5, 2.0]))


def test_a_softmax_ensemble_is_the_mean_of_probabilities():
    found = mix_outputs(uniform(["a", "b"], rule="softmax-ensemble"), LOGITS)
    expected = (LOGITS["a"].softmax(1) + LOGITS["b"].softmax(1)) / 2
    assert torch.allclose(found.softmax(1), expected)


def test_random_interpolation_takes_each_model_at_its_share():
    recipe = {"rule": "random-interpolation", "ingredients": {"a": 0.25, "b": 0.75}}
    found = mix_outputs(recipe, LOGITS)
    from_a = (found == LOGITS["a"]).all(1)
    assert (from_a | (found == LOGITS["b"]).all(1)).all()
    assert 60 < from_a.sum() < 140
    assert torch.equal(mix_outputs(recipe, LOGITS), found), "the same again"


def counts(recipe) -> tuple[int, int]:
    """B and c help each other; d hurts; ensembles are one better than soups."""
    members = set(recipe["ingredients"])
    k = 50 + 2 * ("sha-b" in members) + ("sha-c" in members) - 5 * ("sha-d" in members)
    return k + (recipe["rule"] != "linear"), 100


@pytest.mark.parametrize(
    ("method", "rule"), [("greedy", "linear"), ("greedy-ensemble", "logit-ensemble")]
)
def test_greedy_methods_select_alike_and_mix_each_in_its_way(models, method, rule):
    recipe, _ = merged(models, method, held_out=counts)
    assert (
        recipe["members"] == ["b", "c"] + ["a"] * (method != "greedy")
        or recipe["rule"] == rule
    )
    assert recipe["rule"] == rule
    assert [row["candidate"] for row in recipe["trace"]] == ["b", "c", "a", "d"]
    assert "d" not in recipe["members"]


def test_a_greedy_ensemble_of_one_is_the_model(models):
    recipe, _ = merged(models, "greedy-ensemble", "a", held_out=counts)
    assert {key: recipe[key] for key in ("rule", "ingredients")} == single("sha-a")


def test_random_orders_follow_from_their_seed(models):
    orders = [
        [
            row["candidate"]
            for row in merged(
                models, "greedy", held_out=counts, order="random", seed=seed
            )[0]["trace"]
        ]
        for seed in (0, 0, 1, 2, 3)
    ]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 1
    assert all(sorted(order) == list("abcd") for order in orders)


# Number by number.


def merged_weights(models, method, names="abcd", **given) -> dict:
    ingredients = {name: f"sha-{name}" for name in names}
    return dict(methods.load(method)(ingredients, context(models, method, **given)))


def test_ties_by_hand():
    """Two updates of five numbers; the larger two of each are kept (density 0.4)."""
    start = Tensors(w=torch.full((5,), 10.0).double())
    updates = torch.tensor(
        [[3.0, -2.0, 0.5, 0.1, 1.0], [1.0, 4.0, -0.2, 0.3, 2.0]]
    ).double()
    models = {"start": start}
    models |= {f"sha-{n}": Tensors(w=start["w"] + u) for n, u in zip("ab", updates)}
    found = merged_weights(models, "ties", "ab", density=0.4, scale=0.5)["w"]
    # Kept: 3, -2 of the first; 4, 2 of the second. Signs: +, + (4 beats 2), 0, 0, +.
    assert found.tolist() == [10 + 0.5 * 3, 10 + 0.5 * 4, 10, 10, 10 + 0.5 * 2]


def test_ties_takes_the_mean_of_those_that_agree():
    start = Tensors(w=torch.zeros(2).double())
    rows = [[1.0, 1.0], [3.0, -4.0], [-1.0, -2.0]]
    models = {"start": start}
    models |= {
        f"sha-{n}": Tensors(w=torch.tensor(u).double()) for n, u in zip("abc", rows)
    }
    found = merged_weights(models, "ties", "abc", density=1.0)["w"]
    assert found.tolist() == [2.0, -3.0]


def test_ties_of_everything_from_one_model_is_the_model(models):
    assert close(merged_weights(models, "ties", "a", density=1.0), models["sha-a"])


def test_dare_without_dropping_is_the_uniform_soup(models):
    assert close(merged_weights(models, "dare", drop=0.0), merged(models, "uniform")[1])


def test_dare_drops_at_its_rate_and_keeps_the_mean():
    size = 20_000
    start = Tensors(w=torch.zeros(size).double())
    models = {"start": start, "sha-a": Tensors(w=torch.ones(size).double())}
    found = merged_weights(models, "dare", "a", drop=0.75)["w"]
    assert set(found.tolist()) == {0.0, 4.0}
    assert found.mean().item() == pytest.approx(1, abs=0.05)
    again = merged_weights(models, "dare", "a", drop=0.75)["w"]
    other = merged_weights(models, "dare", "a", drop=0.75, seed=1)["w"]
    assert torch.equal(found, again)
    assert not torch.equal(found, other)


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_number_by_number_the_order_does_not_count(models, method):
    a, b = (merged_weights(models, method, names) for names in ("abcd", "cadb"))
    assert all(torch.equal(a[name], b[name]) for name in NAMES)


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_counters_are_those_of_the_start_and_types_stay(method):
    def model(value):
        return Tensors(
            w=torch.full((3,), value, dtype=torch.bfloat16),
            count=torch.tensor(int(value)),
        )

    models = {"start": model(1.0), "sha-a": model(2.0), "sha-b": model(4.0)}
    found = merged_weights(models, method, "ab")
    assert found["count"].item() == 1
    assert found["w"].dtype == torch.bfloat16


# Fisher merging.


def classifier(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3)).double()


def fisher_context(models, **given):
    """A context whose model and images are small enough for a loop over examples."""
    images = torch.randn(
        20, 3, 2, 2, generator=torch.Generator().manual_seed(9)
    ).double()
    batches = Batches(images, torch.zeros(20, dtype=torch.long), lambda x, generator: x)
    found = context(models, "fisher", **given)
    found.model = lambda part: (classifier(0), batches)
    return found


def by_example(model, images, labels) -> dict:
    """The squared gradients of one example after the other."""
    sums = {}
    for image, label in zip(images, labels):
        model.zero_grad()
        model(image[None]).log_softmax(1)[0, label].backward()
        for name, p in model.named_parameters():
            sums[name] = sums.get(name, 0) + p.grad.square() / len(images)
    return sums


def test_the_fisher_information_is_squared_example_by_example():
    model = classifier(1)
    images = torch.randn(
        20, 3, 2, 2, generator=torch.Generator().manual_seed(9)
    ).double()
    found = fisher_diagonal(model, images, torch.Generator().manual_seed(0), chunk=7)
    generator = torch.Generator().manual_seed(0)
    drawn = [
        torch.multinomial(model(part).softmax(1).detach(), 1, generator=generator)[:, 0]
        for part in images.split(7)
    ]
    expected = by_example(model, images, torch.cat(drawn))
    assert all(torch.allclose(found[name], expected[name], rtol=1e-9) for name in found)


def fisher_models(seeds):
    models = {"start": Tensors(classifier(0).state_dict())}
    for name, seed in zip("abc", seeds):
        models[f"sha-{name}"] = Tensors(classifier(seed).state_dict())
    return models


def test_fisher_with_equal_information_is_plain_interpolation():
    """A floor above all information makes it equal."""
    models = fisher_models([1, 2, 3])
    ingredients = {name: f"sha-{name}" for name in "abc"}
    merge = methods.load("fisher")
    found = dict(merge(ingredients, fisher_context(models, floor=1e9)))
    for name in found:
        mean = sum(models[f"sha-{n}"][name] for n in "abc") / 3
        assert torch.allclose(found[name], mean, rtol=0, atol=1e-12)


def test_fisher_weights_every_number_by_its_information():
    models = fisher_models([1, 2])
    images = torch.randn(
        20, 3, 2, 2, generator=torch.Generator().manual_seed(9)
    ).double()
    information = {}
    for name in ("sha-a", "sha-b"):
        model = classifier(0)
        model.load_state_dict(models[name])
        information[name] = fisher_diagonal(
            model, images, torch.Generator().manual_seed(0)
        )
    found = dict(
        methods.load("fisher")({"a": "sha-a", "b": "sha-b"}, fisher_context(models))
    )
    for name in found:
        f = {sha: information[sha][name].clamp_min(1e-8) for sha in information}
        above = sum(f[sha] * models[sha][name] for sha in f)
        assert torch.allclose(found[name], above / sum(f.values()), rtol=1e-9)
    again = dict(
        methods.load("fisher")({"b": "sha-b", "a": "sha-a"}, fisher_context(models))
    )
    assert all(torch.equal(found[name], again[name]) for name in found)


# MonoSoup.


def mono_by_hand(before, after):
    """The formulas of the method's text, written out with numpy."""
    import numpy as np

    w0, w1 = (t.double().flatten(1).numpy() for t in (before, after))
    u, s, v = np.linalg.svd(w1 - w0, full_matrices=False)
    p = s / s.sum()
    rank = math.exp(-sum(x * math.log(x) for x in p if x > 0))
    k = min(len(s), math.ceil(rank - 1e-9))
    energy = (s[:k] ** 2).sum() / (s**2).sum()
    r = (s[k] / s[0]) ** 2 if k < len(s) else 0.0
    low = r + (1 - r) * math.sqrt(max(0.0, 1 - energy))
    high_part = (u[:, :k] * s[:k]) @ v[:k]
    low_part = (w1 - w0) - high_part
    return torch.from_numpy(w0 + (1 - low) * high_part + low * low_part).reshape(
        before.shape
    )


def test_mono_soup_is_its_formula(models):
    found = dict(
        methods.load("mono-soup")({"a": "sha-a"}, context(models, "mono-soup"))
    )
    assert list(found) == sorted(NAMES)
    start, end = models["start"], models["sha-a"]
    for name, tensor in found.items():
        expected = (
            mono_by_hand(start[name], end[name]) if end[name].ndim > 1 else end[name]
        )
        assert torch.allclose(tensor, expected, atol=1e-9), name


def test_mono_soup_weakens_the_weak_part():
    generator = torch.Generator().manual_seed(3)
    models = {
        sha: Tensors({"w": torch.randn(12, 20, generator=generator).double()})
        for sha in ("start", "sha-a")
    }
    ((_, found),) = methods.load("mono-soup")(
        {"a": "sha-a"}, context(models, "mono-soup")
    )
    start, end = models["start"]["w"], models["sha-a"]["w"]
    assert torch.allclose(found, mono_by_hand(start, end), atol=1e-9)
    assert (found - start).norm() < 0.95 * (end - start).norm()


def test_the_split_of_a_spectrum():
    from stockpot.merging.methods.mono_soup import rank_and_low_weight

    equal = torch.ones(4, dtype=torch.float64)
    assert rank_and_low_weight(equal) == (4, pytest.approx(0)), (
        "an effective rank of 4: all is strong"
    )
    one = torch.tensor([5.0, 0, 0], dtype=torch.float64)
    assert rank_and_low_weight(one) == (1, pytest.approx(0))
    # Shares 0.8, 0.1, 0.1: entropy 0.639, rank 1.895, so k = 2; P = 65/66, r = (1/8)^2.
    k, low = rank_and_low_weight(torch.tensor([8.0, 1, 1], dtype=torch.float64))
    assert k == 2
    assert low == pytest.approx(1 / 64 + 63 / 64 * math.sqrt(1 / 66))


def test_mono_soup_keeps_what_has_not_moved_and_convolutions(models):
    from stockpot.merging.methods.mono_soup import reweight_update

    before = models["start"]["head.weight"]
    assert torch.equal(reweight_update(before, before), before)
    kernel = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    moved = kernel + 0.1 * torch.randn(
        4, 3, 2, 2, generator=torch.Generator().manual_seed(1)
    )
    found = reweight_update(kernel, moved)
    assert found.dtype == torch.float32
    assert found.shape == kernel.shape
    assert torch.allclose(found.double(), mono_by_hand(kernel, moved), atol=1e-6)


def test_mono_soup_takes_one_model(models):
    with pytest.raises(
        StockpotError, match=r"^soups\.x: mono-soup takes one .*not 2 \(a, b\)"
    ):
        list(
            methods.load("mono-soup")(
                {"a": "sha-a", "b": "sha-b"}, context(models, "mono-soup")
            )
        )


# WiSE-FT at one point.


def test_wise_ft_at_one_alpha_or_one_per_part(models):
    _, found = merged(models, "wise-ft", "ab", alpha=0.25)
    mean = {n: (models["sha-a"][n] + models["sha-b"][n]) / 2 for n in NAMES}
    for name in NAMES:
        assert torch.allclose(
            found[name], 0.75 * models["start"][name] + 0.25 * mean[name]
        )
    parts = {"": 0.5, "head.": 1.0, "visual.blocks.0.": 0.0}
    _, found = merged(models, "wise-ft", "ab", alpha=parts)
    assert torch.allclose(found["head.weight"], mean["head.weight"])
    assert torch.equal(found["visual.blocks.0.w"], models["start"]["visual.blocks.0.w"])
    half = (models["start"]["visual.blocks.1.w"] + mean["visual.blocks.1.w"]) / 2
    assert torch.allclose(found["visual.blocks.1.w"], half)


def test_an_alpha_for_no_part_of_the_model_is_an_error(models):
    with pytest.raises(StockpotError) as error:
        merged(models, "wise-ft", "a", alpha={"": 0.5, "visual.block.0.": 0.1})
    for word in ("soups.x.alpha", "'visual.block.0.'", "visual.blocks.0."):
        assert word in str(error.value)


def test_shares_of_an_ensemble_are_in_proportion(models):
    ingredients = {name: f"sha-{name}" for name in "ab"}
    given = context(models, "softmax-ensemble", coefficients={"a": 3, "b": 1})
    recipe = methods.load("softmax-ensemble")(ingredients, given)
    assert recipe == {
        "rule": "softmax-ensemble",
        "ingredients": {"sha-a": 0.75, "sha-b": 0.25},
    }
