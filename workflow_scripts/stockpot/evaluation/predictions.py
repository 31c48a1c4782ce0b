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


def predictions(logits: torch.Tensor, labels: torch.Tensor, keep_logits: bool) -> Predictions:
    """From logits [n, classes] and labels [n]; ties go to the first class."""
    logits = logits.float()
    predicted = logits.argmax(1)
    return Predictions(
        predicted=predicted,
        correct=predicted == labels,
        confidence=functional.softmax(logits, 1).amax(1),
        loss=functional.cross_entropy(logits, labels, reduction="none"),
        logits=logits if keep_logits else None,
    )
