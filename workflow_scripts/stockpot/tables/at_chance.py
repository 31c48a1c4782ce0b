"""The sentence on a zero-shot model that guesses: in the overview, and again at the run's end."""

import re
from pathlib import Path

PHRASE = "no better than guessing"


def at_chance(name: str, dataset: str, value: float, n: int, classes: int) -> str:
    """The sentence.

    Args:
        name: Of the model.
        dataset: Where it guesses.
        value: Its accuracy there, in [0, 1].
        n: How many images tell.
        classes: Among which it answers.
    """
    return (
        f"{name} is {PHRASE} on {dataset}: {100 * value:.1f} % of {n:,} images, where one of "
        f"{classes:,} classes has {100 / classes:.1f} %. Prompts, class names or model do not fit."
    )


def said_in(overview: Path) -> list[str]:
    """The sentences of this kind in an overview of a study; none where there is no such file."""
    try:
        lines = overview.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    # Markdown has a backslash before punctuation.
    return [re.sub(r"\\(.)", r"\1", line).strip() for line in lines if PHRASE in line]
