"""An adversarial set holds only the adversary's mistakes."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.adversarial_filter import write_adversarial
from stockpot.models.card import read_card
from stockpot.models.classifier import write_card
from stockpot.runtime.errors import StockpotError
from tests.support.evaluated_models import plain_logits

pytestmark = pytest.mark.slow


def adversarial_set(folder, pool, adversary, images):
    write_adversarial(folder, {"name": "hard", "images": images}, pool, adversary)
    return read_dataset(folder)


@pytest.mark.parametrize("adversary", ["scratch", "a"])
def test_an_adversarial_set_holds_only_mistakes(
    runs, reference_set, tmp_path, adversary
):
    wrong = (
        plain_logits(runs[adversary], reference_set).argmax(1).numpy()
        != reference_set.labels
    )
    count = int(wrong.sum()) - 1
    found = adversarial_set(tmp_path, reference_set, runs[adversary], count)
    assert len(found) == count
    assert found.name == "hard"
    assert found.class_names == reference_set.class_names
    again = plain_logits(runs[adversary], found).argmax(1).numpy()
    assert (again != found.labels).all()
    rows = np.flatnonzero(wrong)[:count]
    assert (found.images == reference_set.images[rows]).all()
    assert (found.labels == reference_set.labels[rows]).all()
    card = json.loads((tmp_path / "dataset.json").read_text())
    assert card["source"]["pool_wrong"] == pytest.approx(wrong.mean())
    last = read_card(runs[adversary]).history[-1]
    share = 100 * last["held_out_k"] / last["held_out_n"]
    assert card["source"]["adversary_held_out"] == pytest.approx(share)


def test_a_pool_that_is_too_small_is_named(runs, reference_set, tmp_path):
    wrong = int(
        (
            plain_logits(runs["a"], reference_set).argmax(1).numpy()
            != reference_set.labels
        ).sum()
    )
    with pytest.raises(StockpotError, match=r"^datasets\.hard\.images: ") as error:
        adversarial_set(tmp_path / "out", reference_set, runs["a"], wrong + 1)
    for part in (
        f"{wrong + 1} wanted",
        f"only {wrong} of the 64",
        "test",
        "enlarge the pool",
    ):
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_diverged_adversary_is_named(runs, reference_set, tmp_path):
    folder = shutil.copytree(runs["scratch"], tmp_path / "hot")
    write_card(folder, replace(read_card(runs["scratch"]), status="diverged (nan)"))
    with pytest.raises(StockpotError, match="diverged"):
        adversarial_set(tmp_path / "out", reference_set, folder, 1)
