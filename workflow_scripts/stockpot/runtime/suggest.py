"""Suggest what was meant by a name that does not exist."""

import difflib
from collections.abc import Iterable

from .escape import one_line

NAMES_SHOWN = 20
CHARACTERS_SHOWN = 220
NAME_LIMIT = 60  # characters of a name that is shown
# How alike two names must be, from 0 to 1, for ``difflib.SequenceMatcher.ratio``.
LEAST_SIMILARITY = 0.7
# Characters of a name that are compared; the time grows with their square.
COMPARED_CHARACTERS = 200


def suggestion(
    name: object,
    known: Iterable[str],
) -> str:
    """Say which known names are the closest, and which there are.

    Args:
        name: The name that does not exist.
        known: The names that do.

    Returns:
        For example "did you mean 'base'? there are base, linear".
    """
    names = sorted(known)
    close_names = closest(name, names)
    if not close_names:
        return f"there are {listed(names)}"
    quoted_names = [repr(one_line(close, NAME_LIMIT)) for close in close_names]
    return f"did you mean {' or '.join(quoted_names)}? there are {listed(names)}"


def closest(
    name: object,
    known: Iterable[str],
    most: int = 2,
) -> list[str]:
    """Find the known names that are spelled most like a name, in whatever case.

    Args:
        name: The name that does not exist.
        known: The names that do.
        most: Largest number of names to return.

    Returns:
        Known names, the closest first; empty if none is similar enough.
    """
    by_lower_case = {str(text).lower(): str(text) for text in known}
    matches = difflib.get_close_matches(
        str(name).lower()[:COMPARED_CHARACTERS],
        by_lower_case,
        most,
        LEAST_SIMILARITY,
    )
    return [by_lower_case[match] for match in matches]


def listed(names: Iterable[str]) -> str:
    """Write names as a list of bounded length.

    Args:
        names: The names.

    Returns:
        Names with commas between them, which may end in "and 64 more"; "none" if there are none.
    """
    names = list(names)
    shown_names: list[str] = []
    length = 0
    for name in names[:NAMES_SHOWN]:
        text = one_line(name, NAME_LIMIT)
        length += len(text) + len(", ")
        # At least one name is shown, however long it is.
        if shown_names and length > CHARACTERS_SHOWN:
            break
        shown_names.append(text)
    hidden_count = len(names) - len(shown_names)
    text = ", ".join(shown_names)
    if hidden_count:
        text += f" and {hidden_count:,} more"
    return text or "none"
