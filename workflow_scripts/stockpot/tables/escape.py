"""Text from outside made inert for the files that people read.

Each function makes such a text safe for one kind of file; see ``runtime.escape``.
"""

import html as _html
import json
import re

from ..runtime.escape import one_line

# Of Markdown: what is markup wherever it stands. Intervals, as [1.2, 3.4], are none of it.
_INTERVAL = r"\[[-+\d., %]+\](?![(\[]|: *[^ ]*:)"
_INLINE = r"[\\`*\[\]{}<>|~$&]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\."
_BLOCK = r"^#|^[-+=]+(?=\s|$)|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$)"
_MARKDOWN = re.compile(f"(?P<kept>{_INTERVAL})|{_INLINE}|{_BLOCK}")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
# Spreadsheets run what begins like this, some after blanks and in the wide forms of Asian fonts.
_FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?%?|[+-]?(inf|nan)")
# LaTeX: a bracket or a star after the end of a row would be an argument of it.
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
    """Text for an element or a quoted attribute of an HTML page."""
    return _html.escape(one_line(text, 10_000), quote=True)


def markdown(text: object) -> str:
    """Text for a paragraph or a table cell of Markdown: nothing in it is markup, HTML or a link.

    What needs no escaping stays as it is: numbers, intervals, names with hyphens, and underscores
    within a word.
    """
    return _MARKDOWN.sub(_as_text, one_line(text, 10_000).strip())


def _as_text(match: re.Match) -> str:
    markup = match.group()
    if match.group("kept"):
        return markup
    return _ENTITIES.get(markup) or "\\" + markup


def latex(text: object) -> str:
    """Text for a cell of a LaTeX table or for a paragraph: no command, no mathematics."""
    shown = one_line(text, 10_000)
    escaped = "".join(_LATEX.get(character, character) for character in shown)
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped


def json_for_script(value: object) -> str:
    """Plain data as JSON that may stand inside a ``<script>`` element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def spreadsheet(value: object) -> object:
    """A cell of a CSV file that no spreadsheet takes for a formula. Numbers stay as they are.

    An apostrophe in front says that a text follows; ``from_spreadsheet`` takes it away.
    """
    risky = (
        isinstance(value, str)
        and _FORMULA.match(value)
        and not _NUMBER.fullmatch(value)
    )
    return f"'{value}" if risky else value


def from_spreadsheet(value: object) -> object:
    """The text that ``spreadsheet`` was given; any other value as it is."""
    quoted = isinstance(value, str) and value.startswith("'")
    return value[1:] if quoted and spreadsheet(value[1:]) != value[1:] else value
