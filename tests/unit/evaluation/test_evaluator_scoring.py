"""The evaluator with videos and accepted classes."""

import pytest
import torch

from stockpot.datasets.dataset import Scoring
from stockpot.evaluation.predictions import predictions
from stockpot.merging.recipe import single, uniform
from stockpot.models.card import read_card as read_model_card
from tests.support.scored_datasets import dataset_kept_as, evaluator_of, logits_of


@pytest.fixture(scope="module")
def folders(zero_shot, runs):
    return {"zero": zero_shot, **{name: runs[name] for name in ("a", "b")}}


@pytest.fixture(scope="module")
def videos(world_test_set, tmp_path_factory):
    """The test set as videos of four frames."""
    numbers = [7 - i // 8 for i in range(len(world_test_set))]
    folder = tmp_path_factory.mktemp("videos")
    return dataset_kept_as(
        world_test_set, folder / "videos", "videos", Scoring(videos=numbers)
    )


@pytest.fixture(scope="module")
def shas(folders):
    return {name: read_model_card(folder).sha256 for name, folder in folders.items()}


@pytest.mark.slow
def test_an_ensemble_of_videos_mixes_frames(
    folders, shas, videos, world_test_set, tmp_path
):
    """Of each member the store has another frame."""
    evaluator = evaluator_of(folders, tmp_path)
    alone = [evaluator.predictions(single(shas[name]), videos)[1] for name in folders]
    assert {one.n for one in alone} == {8}
    recipe = uniform(list(shas.values()), rule="logit-ensemble")
    _, found = evaluator_of(folders, tmp_path).predictions(recipe, videos)
    mean = torch.stack(
        [logits_of(folder, world_test_set) for folder in folders.values()]
    ).mean(0)
    labels = torch.from_numpy(world_test_set.labels)
    expected = predictions(mean, labels, keep_logits=True, videos=videos.scoring.videos)
    assert torch.allclose(found.logits, expected.logits, atol=1e-4)
    assert torch.equal(found.correct, expected.correct)
    wrong = torch.stack([one.logits for one in alone]).mean(0)
    assert not torch.allclose(found.logits, wrong, atol=1e-2), (
        "not of the members' worst frames"
    )


def test_accepted_classes_reach_the_store(
    zero_shot, shas, folders, world_test_set, tmp_path
):
    logits = logits_of(zero_shot, world_test_set)
    second = logits.topk(2).indices[:, 1].tolist()
    data = dataset_kept_as(
        world_test_set,
        tmp_path / "real",
        "real",
        Scoring(accepted=[[c] for c in second]),
    )
    _, found = evaluator_of(folders, tmp_path / "store").predictions(
        single(shas["zero"]), data
    )
    assert found.k == 0
    first = logits.argmax(1).tolist()
    data = dataset_kept_as(
        world_test_set, tmp_path / "all", "real", Scoring(accepted=[[c] for c in first])
    )
    _, found = evaluator_of(folders, tmp_path / "store").predictions(
        single(shas["zero"]), data
    )
    assert found.k == len(world_test_set)
