"""WiSE-FT at one alpha for the model and at one for each part."""

import pytest
import torch

from stockpot.runtime.errors import StockpotError
from tests.support.merge_methods import SHAPES, recipe_and_tensors


def test_wise_ft_at_one_alpha_or_one_per_part(random_models):
    _, found = recipe_and_tensors(random_models, "wise-ft", "ab", alpha=0.25)
    mean = {
        n: (random_models["sha-a"][n] + random_models["sha-b"][n]) / 2 for n in SHAPES
    }
    for name in SHAPES:
        assert torch.allclose(
            found[name], 0.75 * random_models["start"][name] + 0.25 * mean[name]
        )
    parts = {"": 0.5, "head.": 1.0, "visual.blocks.0.": 0.0}
    _, found = recipe_and_tensors(random_models, "wise-ft", "ab", alpha=parts)
    assert torch.allclose(found["head.weight"], mean["head.weight"])
    assert torch.equal(
        found["visual.blocks.0.w"], random_models["start"]["visual.blocks.0.w"]
    )
    half = (random_models["start"]["visual.blocks.1.w"] + mean["visual.blocks.1.w"]) / 2
    assert torch.allclose(found["visual.blocks.1.w"], half)


def test_an_alpha_for_no_part_of_the_model_is_an_error(random_models):
    with pytest.raises(StockpotError) as error:
        recipe_and_tensors(
            random_models, "wise-ft", "a", alpha={"": 0.5, "visual.block.0.": 0.1}
        )
    for word in ("soups.x.alpha", "'visual.block.0.'", "visual.blocks.0."):
        assert word in str(error.value)
