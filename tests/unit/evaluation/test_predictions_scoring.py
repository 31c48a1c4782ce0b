"""Predictions with accepted classes and of videos."""

import numpy as np
import pytest
import torch

from stockpot.evaluation.predictions import predictions


def random_logits(n=40, classes=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, classes, generator=generator), torch.arange(n) % classes


def test_any_accepted_class_is_right_and_the_loss_is_the_labels():
    logits, labels = random_logits()
    accepted = [[int(label), (int(label) + 1) % 5] for label in labels]
    plain, found = (
        predictions(logits, labels, keep_logits=True, accepted=sets)
        for sets in ((), accepted)
    )
    best = logits.argmax(1)
    assert torch.equal(found.correct, (best == labels) | (best == (labels + 1) % 5))
    assert found.k > plain.k
    assert torch.equal(found.loss, plain.loss)
    assert torch.equal(found.predicted, plain.predicted)
    none = predictions(logits, labels, keep_logits=True, accepted=[[] for _ in labels])
    assert none.k == 0, "where no class is accepted none is right"


# Frames of two videos: wrong beats right, whatever the loss; then the largest loss.
FRAME_LOGITS = torch.tensor(
    [[5.0, 0, 0], [2.0, 0, 0], [0.1, 0, 0], [3.0, 0, 4.0], [0.0, 9.0, 0]]
)


@pytest.mark.parametrize(
    ("labels", "videos", "worst"),
    [
        ([0, 0, 0, 0, 0], [7, 7, 7, 7, 7], [4]),  # of wrong ones the largest loss
        ([0, 0, 0, 2, 1], [7, 7, 7, 7, 7], [2]),  # all right: the largest loss
        ([0, 0, 0, 2, 1], [1, 1, 0, 0, 0], [2, 1]),  # in the order of their numbers
        ([0, 0, 0, 2, 1], [1, 0, 1, 0, 1], [3, 2]),
        ([0, 0, 1, 2, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        ([0, 0, 1, 2, 1], [4, 3, 2, 1, 0], [4, 3, 2, 1, 0]),
    ],
)
def test_of_a_video_the_frame_counts_that_is_least_right(labels, videos, worst):
    found = predictions(
        FRAME_LOGITS, torch.tensor(labels), keep_logits=True, videos=videos
    )
    frames = predictions(FRAME_LOGITS, torch.tensor(labels), keep_logits=True)
    assert found.n == len(set(videos))
    for column in ("predicted", "correct", "confidence", "loss", "logits"):
        assert torch.equal(getattr(found, column), getattr(frames, column)[worst]), (
            column
        )
    assert (
        predictions(
            FRAME_LOGITS, torch.tensor(labels), keep_logits=False, videos=videos
        ).logits
        is None
    )


def test_a_wrong_frame_with_a_small_loss_beats_a_right_one_with_a_larger():
    """As can be with accepted classes: the loss is of the label, the other class is right too."""
    logits, labels = torch.tensor([[4.0, 0, 0], [1.0, 0.9, 0]]), torch.tensor([1, 1])
    accepted = [[0, 1], [1]]
    found = predictions(
        logits, labels, keep_logits=True, accepted=accepted, videos=[0, 0]
    )
    assert found.n == 1
    assert not found.correct[0]
    assert torch.equal(found.logits[0], logits[1])
    frames = predictions(logits, labels, keep_logits=True, accepted=accepted)
    assert frames.correct.tolist() == [True, False]
    assert frames.loss[0] > frames.loss[1]


@pytest.mark.parametrize("seed", range(3))
def test_videos_are_right_where_all_of_their_frames_are(seed):
    logits, labels = random_logits(60, 3, seed)
    logits[torch.arange(60), labels] += 2.5
    videos = np.random.default_rng(seed).integers(10, 25, 60)
    frames = predictions(logits, labels, keep_logits=False)
    found = predictions(logits, labels, keep_logits=False, videos=videos.tolist())
    expected = [bool(frames.correct[videos == v].all()) for v in np.unique(videos)]
    assert found.correct.tolist() == expected
    assert 0 < found.k < found.n
