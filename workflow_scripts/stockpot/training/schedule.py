"""Learning-rate schedules."""

import math


def warmup_cosine(
    step: int,
    total_steps: int,
    warmup_steps: int,
) -> float:
    """Compute the factor on the peak learning rate.

    It rises linearly from 1/warmup_steps to 1 and then falls along half a cosine to 0 (WiSE-FT
    D.2, and ``cosine_lr`` in its code).

    Args:
        step: Steps that are done.
        total_steps: Steps of the run.
        warmup_steps: Steps in which the factor rises.

    Returns:
        The factor of the next step, between 0 and 1.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    # A run that consists of its warm-up has no cosine; 1 keeps the quotient defined.
    cosine_steps = max(1, total_steps - warmup_steps)
    angle = math.pi * (step - warmup_steps) / cosine_steps
    return 0.5 * (1 + math.cos(angle))
