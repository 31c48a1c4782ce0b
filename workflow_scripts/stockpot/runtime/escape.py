"""Text from outside made inert for a log, a terminal or an error.

Others write class names, labels, file names, settings of checkpoints and names of published models.
``tables.escape`` has the forms for files that people read.
"""

import re

# C0 and C1 controls, line separators, marks that change the direction of what follows, and what
# nobody sees; joiners (U+200C, U+200D) are parts of words and of emoji.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")  # bytes of a file name that is not UTF-8


def one_line(text: object, limit: int = 500) -> str:
    """Text for a log, a terminal or an error: one line, no control characters.

    Args:
        text: Anything; ``str`` of it is taken.
        limit: Most characters; the middle of a longer text is left out.
    """
    shown = str(text)
    if len(shown) > limit:  # first, so that a text of gigabytes is not escaped whole
        head = (limit - 3) * 2 // 3
        tail = limit - 3 - head
        shown = f"{shown[:head]}...{shown[-tail:]}"
    shown = _CONTROLS.sub(_visible, shown)
    shown = _SURROGATES.sub(_visible, shown)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def _visible(match: re.Match) -> str:
    code = ord(match.group())
    if code == 0x0A:
        return "\\n"
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def first_line(error: Exception, limit: int = 250) -> str:
    """The first line of what a library's error says; its type and arguments where it says nothing.

    Args:
        error: Any exception.
        limit: The longest line, in characters.

    Returns:
        Text without controls.
    """
    lines = str(error).strip().splitlines() or [repr(error)]
    return one_line(lines[0], limit)
