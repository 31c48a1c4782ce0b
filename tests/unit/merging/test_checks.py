"""Each kind of ingredient that cannot be mixed has one clear line; the flag measures a barrier."""

from dataclasses import replace

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.merging.checks import (
    barrier,
    check_ingredients,
    check_starts,
    weight_cosine,
)
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from tests.support.classifiers import card_of, edited_copy


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
    "same initial weights": {"start": "other"},
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
    with pytest.raises(StockpotError, match="^twin: .*same initial weights"):
        check_ingredients([scratch, twin])
    assert scratch.origin() == scratch.sha256


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
def test_a_bad_ingredient_is_named(soup_of, runs, tmp_path, edit, changes, words):
    odd = edited_copy(runs["b"], tmp_path / "odd", edit, **changes)
    with pytest.raises(StockpotError) as error:
        soup_of(runs["a"], odd)
    line = str(error.value)
    assert line.startswith("odd: ")
    assert "\n" not in line
    assert [word for word in words if word not in line] == []


def scrambled(tensors):
    """Another random start of the same architecture."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in tensors.items():
        if tensor.ndim >= 2:
            tensors[name] = 0.05 * torch.randn(tensor.shape, generator=generator)


def test_an_unknown_start_is_judged_by_distance(
    soup_of, runs, zero_shot, tmp_path, caplog
):
    near = edited_copy(runs["b"], tmp_path / "near", start="unknown")
    far = edited_copy(runs["b"], tmp_path / "far", scrambled, start="unknown")
    caplog.set_level("INFO")
    assert "barriers" not in soup_of(runs["a"], near)
    assert (
        "near: its initial weights are unknown; its weights are close to those of a"
        in caplog.text
    )
    with pytest.raises(
        StockpotError,
        match=r"^far: its initial weights are unknown, .* far from those of a",
    ):
        soup_of(runs["a"], far)


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


def barrier_by_hand(world, one, other) -> float:
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
    soup_of, runs, world, tmp_path, caplog
):
    odd = edited_copy(runs["b"], tmp_path / "odd", scrambled, start="5" * 64)
    made = soup_of(runs["a"], odd, allow_different_lineages=True)
    assert made["barriers"].keys() == {"odd"}
    points = made["barriers"]["odd"]
    assert points == pytest.approx(barrier_by_hand(world, runs["a"], odd))
    assert f"The barrier between them is {points:.1f} points: the held" in caplog.text
    assert "does not have the same initial weights" in caplog.text


def test_models_from_scratch_are_strangers_unless_allowed(soup_of, runs, tmp_path):
    twin = edited_copy(
        runs["scratch"], tmp_path / "twin", lambda t: t["head.bias"].add_(1)
    )
    with pytest.raises(
        StockpotError, match="^twin: it does not have the same initial weights"
    ):
        soup_of(runs["scratch"], twin, start=runs["scratch"])
    made = soup_of(
        runs["scratch"], twin, start=runs["scratch"], allow_different_lineages=True
    )
    assert made["barriers"] == {"twin": 0.0}, "a bias that is the same for all classes"


def test_a_barrier_is_how_far_the_middle_lies_below_the_mean():
    counts = {frozenset("a"): 80, frozenset("b"): 60, frozenset("ab"): 25}
    assert (
        barrier(lambda r: (counts[frozenset(r["ingredients"])], 100), "a", "b") == 45.0
    )


def test_towers_of_another_line_are_named(soup_of, runs, tmp_path):
    odd = edited_copy(runs["b"], tmp_path / "odd", scrambled)
    assert soup_of(runs["a"], runs["b"], towers_only=True)["towers_only"]
    with pytest.raises(
        StockpotError, match=r"^odd: its tower is far from that of a \(cosine"
    ):
        soup_of(runs["a"], odd, towers_only=True)


def test_check_starts_needs_no_weights_where_cards_tell(runs):
    cards = [read_card(runs[name]) for name in ("a", "b", "linear")]
    assert check_starts(cards, None, None, allowed=False) == {}
