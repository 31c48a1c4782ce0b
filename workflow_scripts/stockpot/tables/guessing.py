"""The sentence on a zero-shot model that guesses: in the main table, and at the run's end."""

import re
from pathlib import Path

# The end of a run finds the sentence by this phrase.
PHRASE = "no better than guessing"


def at_chance(
    name: str,
    dataset: str,
    value: float,
    n: int,
    classes: int,
) -> str:
    """Write the sentence.

    Args:
        name: Of the model.
        dataset: Where it guesses.
        value: Its accuracy there, in [0, 1].
        n: Number of images on which it was measured.
        classes: Number of classes among which it answers.

    Returns:
        The sentence.
    """
    return (
        f"{name} is {PHRASE} on {dataset}: {100 * value:.1f} % of {n:,} images are right, and "
        f"guessing among {classes:,} classes gives {100 / classes:.1f} %. The prompts, the class "
        "names or the model do not fit these images."
    )


def guessing_sentences(overview: Path) -> list[str]:
    """Find the sentences of this kind below a main table.

    Args:
        overview: The Markdown file of the table.

    Returns:
        The sentences; empty where there is no such file.
    """
    try:
        lines = overview.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    sentences = []
    for line in lines:
        if PHRASE in line:
            # Markdown has a backslash before punctuation.
            sentences.append(re.sub(r"\\(.)", r"\1", line).strip())
    return sentences
