"""Learning-rate schedules."""

import math


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """Factor on the base rate: linear from 1/warmup to 1, then half a cosine to 0.

    WiSE-FT D.2 and the originals' ``cosine_lr``.
    """
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
