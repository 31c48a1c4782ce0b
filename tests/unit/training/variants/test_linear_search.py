"""The search draws its trials as in the paper and keeps the best one."""

import pytest
import torch

from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.training.loop import count_correct
from stockpot.training.run import run
from stockpot.training.variants import linear_search
from tests.support.short_runs import run_spec


@pytest.mark.parametrize("regulariser", linear_search.STRENGTH)
def test_trials_are_drawn_as_in_the_paper(regulariser):
    spec = {"trials": 300, "trials_seed": 0, "regulariser": regulariser}
    points = linear_search.draw_trials(spec)
    assert {p["batch_size"] for p in points} == {64, 128, 256}
    assert 1e-6 <= min(p["lr"] for p in points) < 1e-5
    assert 1e-1 < max(p["lr"] for p in points) <= 1
    names = {name for p in points for name in p} - {"lr", "batch_size"}
    assert names == (
        {regulariser.replace("-", "_")} if regulariser != "none" else set()
    )
    assert linear_search.draw_trials({**spec, "trials": 10}) == points[:10]


def test_the_best_trial_on_the_held_out_set_is_kept(world, zero_shot, tmp_path):
    spec = {**run_spec("linear"), "variant": "linear-search", "trials": 6}
    spec |= {"regulariser": "weight-decay", "trials_seed": 0, "epochs": 2}
    run(spec, world["train"], world["held-out"], zero_shot, tmp_path, "code")
    card, start = read_card(tmp_path), read_card(zero_shot)
    assert [row["trial"] for row in card.history] == list(range(6))
    assert len({row["held_out_k"] for row in card.history}) > 1
    assert card.tower_sha256 == start.tower_sha256
    assert card.start == start.sha256

    from stockpot.datasets.dataset import read_dataset
    from stockpot.models.load import load_classifier
    from stockpot.training.images import image_batches

    model, _ = load_classifier(tmp_path)
    held_out = image_batches(read_dataset(world["held-out"]), card, 1, "cpu")
    best = max(row["held_out_k"] for row in card.history)
    assert count_correct(model, held_out, "cpu") == best
    assert not torch.equal(
        Weights(tmp_path)["head.weight"], Weights(zero_shot)["head.weight"]
    )
