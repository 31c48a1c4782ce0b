"""Text from outside made inert for the files that people read.

Each function makes such a text safe for one kind of file; see ``runtime.escape``.
"""

import html as _html
import json
import re
from typing import Any

from ..runtime.escape import one_line

# A text is cut off after this many characters.
LONGEST = 10_000
# This is markup in Markdown wherever it stands. Intervals, such as [1.2, 3.4], are not.
_INTERVAL = r"\[[-+\d., %]+\](?![(\[]|: *[^ ]*:)"
_INLINE = r"[\\`*\[\]{}<>|~$&]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\."
# What is markup at the beginning of a line: headings, lists, rules.
_BLOCK = r"^#|^[-+=]+(?=\s|$)|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$)"
_MARKDOWN = re.compile(f"(?P<kept>{_INTERVAL})|{_INLINE}|{_BLOCK}")
_ENTITIES = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
}
# Spreadsheets run what begins like this, some after blanks and in the wide forms of Asian fonts.
_FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?|[+-]?(inf|nan)")
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "α": r"$\alpha$",
    "−": "$-$",
    "\u00a0": "~",
}


def html(text: object) -> str:
    """Escape a text for an element or a quoted attribute of an HTML page.

    Args:
        text: Anything; it is shown as ``str`` shows it.

    Returns:
        One line of HTML.
    """
    return _html.escape(one_line(text, LONGEST), quote=True)


def markdown(text: object) -> str:
    """Escape a text for a paragraph or a table cell of Markdown.

    Nothing in the result is markup, HTML or a link. What needs no escaping stays as it is:
    numbers, intervals, names with hyphens, and underscores within a word.

    Args:
        text: Anything; it is shown as ``str`` shows it.

    Returns:
        One line of Markdown.
    """
    return _MARKDOWN.sub(_as_text, one_line(text, LONGEST).strip())


def _as_text(match: re.Match) -> str:
    """Markup of Markdown as text that shows it."""
    markup = match.group()
    # An interval is no link, although it has brackets.
    if match.group("kept"):
        return markup
    if markup in _ENTITIES:
        return _ENTITIES[markup]
    return "\\" + markup


def latex(text: object) -> str:
    """Escape a text for a cell of a LaTeX table or for a paragraph.

    Nothing in the result is a command or mathematics.

    Args:
        text: Anything; it is shown as ``str`` shows it.

    Returns:
        One line of LaTeX.
    """
    shown = one_line(text, LONGEST)
    escaped = "".join(_LATEX.get(character, character) for character in shown)
    # A bracket or a star after the end of a row would be an argument of the end.
    if escaped.startswith(("[", "*")):
        return f"{{{escaped[0]}}}{escaped[1:]}"
    return escaped


def json_for_script(value: Any) -> str:
    """Write plain data as JSON that may stand inside a ``<script>`` element.

    Args:
        value: The data.

    Returns:
        The JSON, without any character that HTML could take for markup.
    """
    text = json.dumps(
        value,
        ensure_ascii=True,
        allow_nan=False,
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def spreadsheet(value: object) -> object:
    """Make a cell of a CSV file that no spreadsheet takes for a formula.

    Args:
        value: The cell.

    Returns:
        A text that looks like a formula has an apostrophe in front, by which spreadsheets know
        that a text follows; ``from_spreadsheet`` takes it away. All else is as it was.
    """
    if not isinstance(value, str):
        return value
    if _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def from_spreadsheet(value: object) -> object:
    """Undo ``spreadsheet``.

    Args:
        value: A cell of a CSV file.

    Returns:
        The text that ``spreadsheet`` was given; any other value as it is.
    """
    if not isinstance(value, str) or not value.startswith("'"):
        return value
    unquoted = value[1:]
    if spreadsheet(unquoted) == unquoted:
        # The apostrophe belongs to the text itself.
        return value
    return unquoted
