"""Entries of a store that say under which key they belong."""

import torch

from stockpot.evaluation.predictions import Predictions

SECONDS, ROWS, KEYS = 4, 20_000, 3000


def numbered_entry(i: int, logits: bool) -> Predictions:
    """What belongs under the i-th key: its number in every place."""
    return Predictions(
        predicted=torch.full((ROWS,), i),
        correct=torch.full((ROWS,), bool(i % 2)),
        confidence=torch.full((ROWS,), float(i)),
        loss=torch.full((ROWS,), float(i)),
        logits=torch.full((ROWS, 2), float(i)) if logits else None,
    )
