"""The Predictions noun: what one model says about every example of one data set."""

from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Predictions:
    """predicted: int64 [n]; correct: bool [n]; confidence, loss: float32 [n] (nats);
    logits: float32 [n, classes] or None where they were not kept."""

    predicted: torch.Tensor
    correct: torch.Tensor
    confidence: torch.Tensor
    loss: torch.Tensor
    logits: torch.Tensor | None = None

    @property
    def n(self) -> int:
        return len(self.correct)

    @property
    def k(self) -> int:
        return int(self.correct.sum())


def predictions(
    logits: torch.Tensor,
    labels: torch.Tensor,
    keep_logits: bool,
    accepted: list[list[int]] = (),
    videos: list[int] = (),
) -> Predictions:
    """From logits [images, classes] and labels [images]; ties go to the first class.

    accepted: per image the classes that count as right; the loss is that of the label. videos:
    of each image; of those of one video only the one counts that is least right (wrong before
    right, then the largest loss), so that n is the number of videos, in the order of their
    numbers (pm-k of Shankar et al., ICCV 2021).
    """
    logits = logits.float()
    predicted = logits.argmax(1)
    correct = predicted == labels
    if len(accepted):
        found = zip(predicted.tolist(), accepted, strict=True)
        correct = torch.tensor([answer in right for answer, right in found])
    made = {
        "predicted": predicted,
        "correct": correct,
        "confidence": functional.softmax(logits, 1).amax(1),
        "loss": functional.cross_entropy(logits, labels, reduction="none"),
        "logits": logits,
    }
    if len(videos):
        worst = _least_right(made["correct"], made["loss"], torch.tensor(videos))
        made = {name: column[worst] for name, column in made.items()}
    return Predictions(**(made if keep_logits else {**made, "logits": None}))


def _least_right(correct, loss, videos) -> torch.Tensor:
    """int64 [videos]: the image of each video that is wrong with the largest loss, or if none
    is wrong, that has the largest loss."""
    order = torch.arange(len(videos))
    for key, descending in ((loss, True), (correct.int(), False), (videos, False)):
        order = order[torch.argsort(key[order], stable=True, descending=descending)]
    first = torch.ones(len(order), dtype=torch.bool)
    first[1:] = videos[order][1:] != videos[order][:-1]
    return order[first]
