"""What one model says about every example of one data set, computed from its logits."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Predictions:
    """What a model says about n examples.

    Attributes:
        predicted: int64 [n], the class index that the model answers.
        correct: bool [n], whether that answer is right.
        confidence: float32 [n], the largest probability.
        loss: float32 [n], cross-entropy with the label, in nats.
        logits: float32 [n, classes], or None where they were not kept.
    """

    predicted: torch.Tensor
    correct: torch.Tensor
    confidence: torch.Tensor
    loss: torch.Tensor
    logits: torch.Tensor | None = None

    @property
    def n(self) -> int:
        """Number of examples.

        Returns:
            n.
        """
        return len(self.correct)

    @property
    def k(self) -> int:
        """Number of examples that the model gets right.

        Returns:
            k, at most n.
        """
        return int(self.correct.sum())

    def of(self, rows: torch.Tensor) -> "Predictions":
        """Select some examples.

        Args:
            rows: int64 [m], indices of the examples, in the order wanted.

        Returns:
            Predictions of these m examples.
        """
        return Predictions(
            predicted=self.predicted[rows],
            correct=self.correct[rows],
            confidence=self.confidence[rows],
            loss=self.loss[rows],
            logits=None if self.logits is None else self.logits[rows],
        )


def predictions(
    logits: torch.Tensor,
    labels: torch.Tensor,
    *,
    keep_logits: bool,
    accepted: Sequence[list[int]] = (),
    videos: Sequence[int] = (),
) -> Predictions:
    """Compute predictions from logits; of equal logits the first class is the answer.

    Args:
        logits: [images, classes].
        labels: int64 [images].
        keep_logits: Whether the result has the logits, too.
        accepted: The classes that count as right, one list per image, where the label is not
            the only one. The loss is that of the label in any case.
        videos: Number of the video that each image is a frame of. Of each video only the worst
            frame counts (pm-k of Shankar et al., ICCV 2021).

    Returns:
        One row per image, or one per video in the order of their numbers.
    """
    logits = logits.float()
    predicted = logits.argmax(1)
    result = Predictions(
        predicted=predicted,
        correct=_correct(predicted, labels, accepted),
        confidence=functional.softmax(logits, 1).amax(1),
        loss=functional.cross_entropy(logits, labels, reduction="none"),
        logits=logits if keep_logits else None,
    )
    if len(videos) == 0:
        return result
    # pm-k: a video counts as right only if the model is right on every frame near it.
    worst = _worst_frames(result.correct, result.loss, torch.tensor(videos))
    return result.of(worst)


def _correct(
    predicted: torch.Tensor,
    labels: torch.Tensor,
    accepted: Sequence[list[int]],
) -> torch.Tensor:
    """Whether each answer is the label, or one of the accepted classes: bool [n]."""
    if len(accepted) == 0:
        return predicted == labels
    pairs = zip(predicted.tolist(), accepted, strict=True)
    return torch.tensor([answer in right_classes for answer, right_classes in pairs])


def _worst_frames(
    correct: torch.Tensor,
    loss: torch.Tensor,
    videos: torch.Tensor,
) -> torch.Tensor:
    """int64 [videos]: the index of each video's worst frame.

    A wrong answer is worse than a right one; among equals the larger loss is worse.
    """
    # Stable sorts by the least important key first order the frames by (video, correct, loss).
    order = torch.argsort(loss, stable=True, descending=True)
    wrong_first = torch.argsort(correct[order].int(), stable=True)
    order = order[wrong_first]
    by_video = torch.argsort(videos[order], stable=True)
    order = order[by_video]
    # The first frame of each video in this order is its worst.
    video_starts = torch.ones(len(order), dtype=torch.bool)
    ordered_videos = videos[order]
    video_starts[1:] = ordered_videos[1:] != ordered_videos[:-1]
    return order[video_starts]
