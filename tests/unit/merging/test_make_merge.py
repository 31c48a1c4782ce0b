"""Soups of ingredients: what a soup tells, and which ingredients it leaves out."""

from dataclasses import replace

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging import methods
from stockpot.merging.export import materialize_recipe
from stockpot.merging.make_merge import make_soup, write_merge
from stockpot.merging.recipe import uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights, write_classifier
from stockpot.runtime.digest import canonical
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from tests.support.classifiers import ENGINE_SPEC, card_of, edited_copy


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


def test_runs_of_one_start_make_a_soup(soup_of, runs):
    made = soup_of(runs["a"], runs["b"], runs["linear"])
    assert made["ingredient_names"].keys() == {"a", "b", "linear"}
    assert "barriers" not in made


def test_a_diverged_ingredient_is_named_and_left_out(soup_of, runs, tmp_path, caplog):
    out = tmp_path / "hot"
    write_classifier(
        out, replace(read_card(runs["b"]), name="hot", status="diverged (nan)"), {}
    )
    made = soup_of(runs["a"], out)
    assert list(made["ingredient_names"]) == ["a"]
    assert "hot is left out: this run diverged (nan)" in caplog.text


@pytest.mark.parametrize("method", ["ties", "dare", "fisher", "mono-soup"])
def test_weights_of_towers_have_the_starts_head(
    world, zero_shot, runs, tmp_path, method
):
    """Also where the ingredients' heads belong to other classes, as of another task."""

    def other_head(tensors):
        tensors["head.weight"], tensors["head.bias"] = torch.ones(3, 64), torch.zeros(3)

    foreign = edited_copy(
        runs["a"], tmp_path / "foreign", other_head, class_names=["a", "b", "c"]
    )
    spec = {
        "name": "x",
        "method": method,
        **defaults(methods.options(method)),
        **ENGINE_SPEC,
    }
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


def test_a_soup_of_towers_can_be_exported(soup_of, zero_shot, runs, tmp_path):
    foreign = edited_copy(runs["b"], tmp_path / "foreign", start="7" * 64)
    made = soup_of(runs["a"], foreign, towers_only=True)
    ingredients = {
        w.card.sha256: w for w in map(Weights, (zero_shot, runs["a"], foreign))
    }
    materialize_recipe(tmp_path / "out", made, ingredients, "x")
    out = Weights(tmp_path / "out")
    assert torch.equal(out["head.weight"], Weights(zero_shot)["head.weight"])
    mean = (Weights(runs["a"])["visual.proj"] + Weights(runs["b"])["visual.proj"]) / 2
    assert torch.allclose(out["visual.proj"], mean, atol=1e-7)


def test_outputs_are_mixed_whatever_the_start_and_the_architecture(soup_of, runs):
    made = soup_of(
        runs["a"],
        runs["scratch"],
        method="logit-ensemble",
        coefficients={"a": 3, "scratch": 1},
    )
    shas = {name: read_card(runs[name]).sha256 for name in ("a", "scratch")}
    assert made["ingredients"] == {shas["a"]: 0.75, shas["scratch"]: 0.25}
