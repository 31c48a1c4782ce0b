"""End-to-end training: what moves, and what its own options do."""

import pytest
import torch

from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.models.load import load_classifier
from stockpot.training.run import run
from tests.support.short_runs import run_spec
from tests.support.small_training import moved_tensors, train_run

pytestmark = pytest.mark.slow


def test_end_to_end_training_moves_tower_and_head(runs, zero_shot):
    start, end = Weights(zero_shot), Weights(runs["a"])
    moved = [name for name in end.names if not torch.equal(start[name], end[name])]
    assert {"head.weight", "head.bias", "visual.proj", "visual.conv1.weight"} <= set(
        moved
    )
    assert end.shapes() == start.shapes()


def test_a_frozen_head_stays_and_the_tower_moves(world, zero_shot, tmp_path):
    train_run(world, zero_shot, tmp_path / "out", freeze_head=True)
    found = moved_tensors(tmp_path / "out", zero_shot)
    assert found
    assert not any(name.startswith("head.") for name in found)


def test_lp_ft_starts_from_the_linear_classifier(world, zero_shot, runs, tmp_path):
    card = train_run(
        world, runs["linear"], tmp_path / "out", lr=1e-30, weight_decay=0.0
    )
    assert moved_tensors(tmp_path / "out", runs["linear"]) == set()
    assert card.start == read_card(zero_shot).sha256, (
        "the line began with the zero-shot model"
    )


def test_l2_sp_holds_a_run_back(world, zero_shot, runs, tmp_path):
    train_run(world, zero_shot, tmp_path / "held", l2_sp=10.0)
    start = Weights(zero_shot)

    def distance(folder):
        end = Weights(folder)
        return sum(float((end[n] - start[n]).square().sum()) for n in end.names)

    assert distance(tmp_path / "held") < 0.9 * distance(runs["a"])


def test_joint_training_sees_the_second_set(world, zero_shot, runs, tmp_path):
    """With no share of it, it does not matter what it holds; with all of it, nothing else does."""
    found = {}
    for share in (0.0, 1.0):
        for second in ("sketch", "test"):
            spec = {
                **run_spec("a"),
                "second_dataset": "second",
                "second_dataset_fraction": share,
            }
            folder = tmp_path / f"{share} {second}"
            sets = world["train"], world["held-out"], zero_shot, folder, "code"
            run(spec, *sets, second_dataset=world[second])
            found[share, second] = read_card(folder).sha256
    assert found[0.0, "sketch"] == found[0.0, "test"]
    assert found[1.0, "sketch"] != found[1.0, "test"]


def test_bf16_is_the_towers_arithmetic_and_nothing_else(
    world, zero_shot, runs, tmp_path
):
    model, _ = load_classifier(zero_shot)
    seen = []
    model.visual.register_forward_hook(
        lambda module, given, features: seen.append(features.dtype)
    )
    x = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole = model(x)
    model.autocast = True
    halves = model(x)
    assert seen == [torch.float32, torch.bfloat16]
    assert halves.dtype == torch.float32
    # Of eight bits; the logit scale makes 100 of a cosine.
    assert 0 < (halves - whole).abs().max() < 1

    train_run(world, zero_shot, tmp_path, precision="bf16")
    start, one, other = Weights(zero_shot), Weights(runs["a"]), Weights(tmp_path)
    assert all(other[name].dtype == torch.float32 for name in other.names)
    moved, apart = (
        sum(float((one[n] - w[n]).double().square().sum()) for n in one.names) ** 0.5
        for w in (start, other)
    )
    assert 0 < apart < 0.3 * moved
