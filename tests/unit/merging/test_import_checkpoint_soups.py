"""Soups of checkpoints whose start is unknown."""

import numpy as np
import pytest
import torch

from stockpot.datasets.dataset import read_dataset, write_dataset
from stockpot.evaluation.engine import Engine
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging import methods
from stockpot.merging.make_merge import make_soup
from stockpot.merging.recipe import single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from tests.support import third_party_checkpoints as foreign
from tests.support.adopted_checkpoints import CLASSES, adopt, save_checkpoint

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def context_of(tiny_start, tmp_path):
    """A function: folders of ingredients, options -> what the workflow's soup would look at."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, foreign.SIDE, foreign.SIDE, 3)).astype(np.uint8)
    write_dataset(tmp_path / "data", "held-out", pixels, np.arange(30) % 5, CLASSES, {})

    def made(*folders, **given):
        spec = {
            "name": "x",
            "method": "uniform",
            **defaults(methods.options("uniform")),
        }
        spec |= {"precision": "fp32", "batch_size": 50, "store_logits": False, **given}
        data = read_dataset(tmp_path / "data")
        return FolderContext(spec, [tiny_start, *folders], data, [], tmp_path / "store")

    return made


@pytest.fixture
def adopted_folders(tuned_classifier, tuned_soup, tiny_start, tmp_path):
    torch.manual_seed(9)
    stranger = foreign.ModelWrapper()
    made = {}
    for name, model in (
        ("one", tuned_classifier),
        ("two", tuned_soup),
        ("stranger", stranger),
    ):
        made[name] = tmp_path / name
        adopt(save_checkpoint(model, tmp_path / f"{name}.pt"), tiny_start, made[name])
    return made


def test_a_soup_of_adopted_models_passes_by_their_weights(
    adopted_folders, tiny_start, context_of, caplog
):
    caplog.set_level("INFO")
    ends = [adopted_folders["one"], adopted_folders["two"]]
    made = make_soup([read_card(folder) for folder in ends], context_of(*ends))
    assert made["ingredient_names"].keys() == {"one", "two"}
    assert "barriers" not in made
    assert (
        "its initial weights are unknown; its weights are close to those of one"
        in caplog.text
    )
    weights = {read_card(f).sha256: Weights(f) for f in (tiny_start, *ends)}
    shas = [read_card(folder).sha256 for folder in ends]
    data = context_of()._held_out
    mean = Engine(weights, "fp32").logits(uniform(shas), data)
    alone = Engine(weights, "fp32").logits(single(shas[0]), data)
    assert mean.shape == (30, 5)
    assert not torch.allclose(mean, alone, atol=1e-3)


def test_with_the_zero_shot_model_they_are_compared_too(
    adopted_folders, tiny_start, context_of
):
    ends = [tiny_start, adopted_folders["one"]]
    made = make_soup(
        [read_card(folder) for folder in ends], context_of(adopted_folders["one"])
    )
    assert len(made["ingredients"]) == 2


def test_a_stranger_is_refused_unless_that_is_allowed(adopted_folders, context_of):
    ends = [adopted_folders["one"], adopted_folders["stranger"]]
    cards = [read_card(folder) for folder in ends]
    with pytest.raises(
        StockpotError,
        match=r"^stranger: its initial weights are unknown, and its weights are "
        r"far from those of one \(cosine -?0\.",
    ) as error:
        make_soup(cards, context_of(*ends))
    assert "allow_different_lineages: true" in str(error.value)
    made = make_soup(cards, context_of(*ends, allow_different_lineages=True))
    assert made["barriers"].keys() == {"stranger"}
