"""What was meant by a name that is not there."""

import difflib
from collections.abc import Iterable

from .escape import one_line

NAMES_SHOWN = 20
CHARACTERS_SHOWN = 220


def suggestion(name: object, known: Iterable[str]) -> str:
    """ "did you mean 'base'? there are base, linear": the closest names first, then what there is.

    Args:
        name: What was given.
        known: What could have been given.
    """
    names = sorted(known)
    close = closest(name, names)
    if not close:
        return f"there are {listed(names)}"
    meant = " or ".join(repr(one_line(found, 60)) for found in close)
    return f"did you mean {meant}? there are {listed(names)}"


def closest(name: object, known: Iterable[str], most: int = 2) -> list[str]:
    """The known names that are spelled most like this one; none where nothing is alike."""
    by_lower_case = {text.lower(): text for text in map(str, known)}
    found = difflib.get_close_matches(str(name).lower()[:200], by_lower_case, most, 0.7)
    return [by_lower_case[text] for text in found]


def listed(names: Iterable[str]) -> str:
    """Names as a list of bounded length, which may end in "and 64 more"; "none" of no names."""
    names = list(names)
    shown, length = [], 0
    for name in names[:NAMES_SHOWN]:
        text = one_line(name, 60)
        length += len(text) + 2
        if shown and length > CHARACTERS_SHOWN:
            break
        shown.append(text)
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "") or "none"
