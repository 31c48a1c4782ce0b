"""WiSE-FT with ``alpha: auto`` chooses alpha on the held-out set."""

import pytest

from stockpot.alpha import selectors
from tests.support.selected_sweep import auto_recipe


@pytest.mark.parametrize(
    ("selector", "alpha"),
    [("within-point", 0.5), ("within-error", 0.6), ("held-out", 0.7)],
)
def test_auto_chooses_alpha_on_the_held_out_set_alone(selector, alpha):
    recipe, asked = auto_recipe(selector=selector)
    assert recipe["ingredients"] == {"run": alpha, "zero": pytest.approx(1 - alpha)}
    assert recipe["alpha"] == alpha
    assert recipe["selector"] == selector
    assert [point["alpha"] for point in recipe["sweep"]] == [i / 10 for i in range(11)]
    assert len(asked) == 11
    assert asked[0]["ingredients"] == {"zero": 1.0}


def test_auto_chooses_among_the_alphas_that_are_given():
    assert auto_recipe(alpha_grid=[1.0, 0.8, 0.0])[0]["alpha"] == 0.8
    assert auto_recipe()[0]["selector"] == selectors.DEFAULT
