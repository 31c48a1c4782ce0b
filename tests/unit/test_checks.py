"""Each kind of ingredient that cannot be mixed has one clear line; the flag measures a barrier."""

from dataclasses import replace

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging import methods
from stockpot.merging.checks import barrier, check_starts, weight_cosine
from stockpot.merging.export import materialize_recipe
from stockpot.merging.make_merge import make_soup, write_merge
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights, write_classifier
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults

SPEC = {"precision": "fp32", "batch_size": 50, "store_logits": True}


def copy_of(folder, out, edit=None, **changes):
    """A Classifier with edited tensors and an edited card."""
    weights = Weights(folder)
    tensors = {name: weights[name].clone() for name in weights.names}
    if edit:
        edit(tensors)
    write_classifier(out, replace(weights.card, name=out.name, **changes), tensors)
    return out


@pytest.fixture
def soup(world, zero_shot, runs, tmp_path):
    """A function: folders of ingredients -> the soup that the workflow would make of them."""

    def make(*folders, start=zero_shot, method="uniform", **given):
        spec = {
            "name": "x",
            "method": method,
            **defaults(methods.options(method)),
            **SPEC,
            **given,
        }
        held_out, train = read_dataset(world["held-out"]), read_dataset(world["train"])
        context = FolderContext(
            spec, [start, *folders], held_out, [train], tmp_path / "store"
        )
        return make_soup([read_card(folder) for folder in folders], context)

    return make


def test_runs_of_one_start_make_a_soup(soup, runs):
    made = soup(runs["a"], runs["b"], runs["linear"])
    assert made["ingredient_names"].keys() == {"a", "b", "linear"}
    assert "barriers" not in made


def test_fisher_merging_takes_models_with_batch_normalisation(world, runs, tmp_path):
    """Timm builds its models in training mode, in which BatchNorm refuses gradients one by one."""
    spec = {
        "name": "x",
        "method": "fisher",
        **defaults(methods.options("fisher")),
        "images": 4,
    }
    sets = [read_dataset(world[name]) for name in ("held-out", "train")]
    context = FolderContext(spec, [runs["scratch"]], sets[0], sets[1:], tmp_path)
    assert not context.model()[0].training
    card = read_card(runs["scratch"])
    found = dict(methods.load("fisher")({"scratch": card.sha256}, context))
    weights = Weights(runs["scratch"])
    for name in weights.names:
        assert torch.allclose(found[name], weights[name], rtol=1e-6), name


def poison(tensors):
    tensors["visual.proj"][1, 2] = torch.nan


def widen(tensors):
    tensors["visual.proj"] = torch.cat([tensors["visual.proj"]] * 2)


def halve(tensors):
    tensors["visual.proj"] = tensors["visual.proj"].half()


def lose(tensors):
    del tensors["visual.proj"]


@pytest.mark.parametrize(
    ("edit", "changes", "words"),
    [
        (poison, {}, ["visual.proj", "not finite", "NaN"]),
        (widen, {}, ["visual.proj", "[256, 64]", "that of a F32 [128, 64]"]),
        (halve, {}, ["visual.proj", "F16", "that of a F32"]),
        (lose, {}, ["visual.proj", "missing"]),
        (
            None,
            {"start": "5" * 64},
            [
                "does not have the same initial weights as a",
                "allow_different_lineages: true",
            ],
        ),
        (
            None,
            {"class_names": [f"class {i}" for i in range(16)]},
            ["class names", "that of a"],
        ),
        (None, {"normalise": False}, ["normalise", "that of a"]),
        (None, {"mean": [0.1, 0.2, 0.3]}, ["mean", "that of a"]),
        (None, {"image_size": 64}, ["image size", "that of a"]),
        (None, {"architecture": {"library": "timm"}}, ["architecture", "that of a"]),
    ],
)
def test_a_bad_ingredient_is_named(soup, runs, tmp_path, edit, changes, words):
    odd = copy_of(runs["b"], tmp_path / "odd", edit, **changes)
    with pytest.raises(StockpotError) as error:
        soup(runs["a"], odd)
    line = str(error.value)
    assert line.startswith("odd: ")
    assert "\n" not in line
    assert [word for word in words if word not in line] == []


def test_a_diverged_ingredient_is_named_and_left_out(soup, runs, tmp_path, caplog):
    out = tmp_path / "hot"
    write_classifier(
        out, replace(read_card(runs["b"]), name="hot", status="diverged (nan)"), {}
    )
    made = soup(runs["a"], out)
    assert list(made["ingredient_names"]) == ["a"]
    assert "hot is left out: this run diverged (nan)" in caplog.text


def scrambled(tensors):
    """Another random start of the same architecture."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in tensors.items():
        if tensor.ndim >= 2:
            tensors[name] = 0.05 * torch.randn(tensor.shape, generator=generator)


def test_an_unknown_start_is_judged_by_distance(
    soup, runs, zero_shot, tmp_path, caplog
):
    near = copy_of(runs["b"], tmp_path / "near", start="unknown")
    far = copy_of(runs["b"], tmp_path / "far", scrambled, start="unknown")
    caplog.set_level("INFO")
    assert "barriers" not in soup(runs["a"], near)
    assert (
        "near: its initial weights are unknown; its weights are close to those of a"
        in caplog.text
    )
    with pytest.raises(
        StockpotError,
        match=r"^far: its initial weights are unknown, .* far from those of a",
    ):
        soup(runs["a"], far)


def test_related_is_the_cosine_of_the_towers_matrices(runs, zero_shot):
    a, b = Weights(runs["a"]), Weights(zero_shot)
    flat = [
        torch.cat(
            [
                w[n].double().flatten()
                for n in w.names
                if n[:7] == "visual." and w[n].ndim >= 2
            ]
        )
        for w in (a, b)
    ]
    expected = torch.nn.functional.cosine_similarity(*flat, dim=0)
    assert weight_cosine(a, b) == pytest.approx(expected.item(), abs=1e-9)
    assert weight_cosine(a, b) > 0.9


def by_hand(world, one, other) -> float:
    """Points that the mean of two models' weights lies below their mean accuracy."""
    data, hits = read_dataset(world["held-out"]), []
    (model, card), (second, _) = load_classifier(one), load_classifier(other)
    states = model.state_dict(), second.state_dict()
    mean = {name: (states[0][name] + states[1][name]) / 2 for name in states[0]}
    images = Normaliser(card.mean, card.std)(torch.from_numpy(data.images.copy()))
    for state in ({n: t.clone() for n, t in states[0].items()}, states[1], mean):
        model.load_state_dict(state)
        with torch.no_grad():
            hits.append(int((model(images).argmax(1).numpy() == data.labels).sum()))
    return 100 * ((hits[0] + hits[1]) / 2 - hits[2]) / len(data)


@pytest.mark.slow
def test_the_flag_mixes_strangers_and_tells_the_barrier(
    soup, runs, world, tmp_path, caplog
):
    odd = copy_of(runs["b"], tmp_path / "odd", scrambled, start="5" * 64)
    made = soup(runs["a"], odd, allow_different_lineages=True)
    assert made["barriers"].keys() == {"odd"}
    points = made["barriers"]["odd"]
    assert points == pytest.approx(by_hand(world, runs["a"], odd))
    assert f"The barrier between them is {points:.1f} points: the held" in caplog.text
    assert "does not have the same initial weights" in caplog.text


def test_models_from_scratch_are_strangers_unless_allowed(soup, runs, tmp_path):
    twin = copy_of(runs["scratch"], tmp_path / "twin", lambda t: t["head.bias"].add_(1))
    with pytest.raises(
        StockpotError, match="^twin: it does not have the same initial weights"
    ):
        soup(runs["scratch"], twin, start=runs["scratch"])
    made = soup(
        runs["scratch"], twin, start=runs["scratch"], allow_different_lineages=True
    )
    assert made["barriers"] == {"twin": 0.0}, "a bias that is the same for all classes"


def test_a_barrier_is_how_far_the_middle_lies_below_the_mean():
    counts = {frozenset("a"): 80, frozenset("b"): 60, frozenset("ab"): 25}
    assert (
        barrier(lambda r: (counts[frozenset(r["ingredients"])], 100), "a", "b") == 45.0
    )


def test_towers_of_another_line_are_named(soup, runs, tmp_path):
    odd = copy_of(runs["b"], tmp_path / "odd", scrambled)
    assert soup(runs["a"], runs["b"], towers_only=True)["towers_only"]
    with pytest.raises(
        StockpotError, match=r"^odd: its tower is far from that of a \(cosine"
    ):
        soup(runs["a"], odd, towers_only=True)


@pytest.mark.parametrize("method", ["ties", "dare", "fisher", "mono-soup"])
def test_weights_of_towers_have_the_starts_head(
    world, zero_shot, runs, tmp_path, method
):
    """Also where the ingredients' heads belong to other classes, as of another task."""

    def other_head(tensors):
        tensors["head.weight"], tensors["head.bias"] = torch.ones(3, 64), torch.zeros(3)

    foreign = copy_of(
        runs["a"], tmp_path / "foreign", other_head, class_names=["a", "b", "c"]
    )
    spec = {"name": "x", "method": method, **defaults(methods.options(method)), **SPEC}
    spec |= {"towers_only": True} | ({"images": 8} if method == "fisher" else {})
    sets = read_dataset(world["held-out"]), [read_dataset(world["train"])]
    folders = [foreign] if method == "mono-soup" else [foreign, runs["b"]]
    context = FolderContext(spec, [zero_shot, *folders], *sets, tmp_path / "store")
    card = write_merge(
        tmp_path / "out", [read_card(folder) for folder in folders], context
    )
    out, start = Weights(tmp_path / "out"), Weights(zero_shot)
    assert card.class_names == start.card.class_names
    assert torch.allclose(out["head.weight"], start["head.weight"], atol=1e-6)
    assert not torch.equal(out["visual.proj"], start["visual.proj"])


def test_a_soup_of_towers_can_be_exported(soup, zero_shot, runs, tmp_path):
    foreign = copy_of(runs["b"], tmp_path / "foreign", start="7" * 64)
    made = soup(runs["a"], foreign, towers_only=True)
    ingredients = {
        w.card.sha256: w for w in map(Weights, (zero_shot, runs["a"], foreign))
    }
    materialize_recipe(tmp_path / "out", made, ingredients, "x")
    out = Weights(tmp_path / "out")
    assert torch.equal(out["head.weight"], Weights(zero_shot)["head.weight"])
    mean = (Weights(runs["a"])["visual.proj"] + Weights(runs["b"])["visual.proj"]) / 2
    assert torch.allclose(out["visual.proj"], mean, atol=1e-7)


def test_outputs_are_mixed_whatever_the_start_and_the_architecture(soup, runs):
    made = soup(
        runs["a"],
        runs["scratch"],
        method="logit-ensemble",
        coefficients={"a": 3, "scratch": 1},
    )
    shas = {name: read_card(runs[name]).sha256 for name in ("a", "scratch")}
    assert made["ingredients"] == {shas["a"]: 0.75, shas["scratch"]: 0.25}


def test_check_starts_needs_no_weights_where_cards_tell(runs):
    cards = [read_card(runs[name]) for name in ("a", "b", "linear")]
    assert check_starts(cards, None, None, allowed=False) == {}
