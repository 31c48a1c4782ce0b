"""Make text from outside safe to show in a log, a terminal or an error.

Class names, labels, file names, hyperparameters of checkpoints and names of published models are
written by others. ``tables.escape`` has the forms for files that people read.
"""

import re

# C0 and C1 controls, line separators, marks that change the direction of what follows, and
# invisible characters. Joiners (U+200C, U+200D) are parts of words and of emoji, so they stay.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# Bytes of a file name that is not UTF-8, as ``surrogateescape`` decodes them.
_SURROGATES = re.compile("[\ud800-\udfff]")
_ELLIPSIS = "..."


def one_line(
    text: object,
    limit: int = 500,
) -> str:
    """Write text in one line without control characters.

    Args:
        text: Anything; its ``str`` is taken.
        limit: Largest number of characters. The middle of a longer text is left out.

    Returns:
        The line. Escapes as in Python's literals stand for control characters.
    """
    line = str(text)
    # This comes first, so that a text of gigabytes is not escaped as a whole. Two thirds of what
    # stays are the beginning of the text.
    if len(line) > limit:
        kept_length = limit - len(_ELLIPSIS)
        head_length = kept_length * 2 // 3
        tail_length = kept_length - head_length
        line = f"{line[:head_length]}{_ELLIPSIS}{line[-tail_length:]}"
    line = _CONTROLS.sub(_escape, line)
    line = _SURROGATES.sub(_escape, line)
    # Escapes may have made it longer.
    if len(line) > limit:
        return f"{line[: limit - len(_ELLIPSIS)]}{_ELLIPSIS}"
    return line


def _escape(match: re.Match[str]) -> str:
    """Return the escape of one character."""
    code = ord(match.group())
    if code == ord("\n"):
        return "\\n"
    # surrogateescape writes the byte 0x80 as U+DC80, and so on; the byte itself is shown.
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}"


def first_line(
    error: Exception,
    limit: int = 250,
) -> str:
    """Return the first line of the error of a library.

    Args:
        error: Any exception.
        limit: Largest number of characters.

    Returns:
        Text without control characters. If the error has no text, its type and arguments.
    """
    lines = str(error).strip().splitlines()
    if not lines:
        lines = [repr(error)]
    return one_line(lines[0], limit)
