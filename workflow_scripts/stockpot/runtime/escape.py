"""Text from outside made inert for the place where it is shown.

Others write class names, labels, file names, settings of checkpoints and names of published models.
Each function makes such a text safe for one kind of output.
"""

import html as _html
import json
import re

# C0 and C1 controls, line separators, marks that change the direction of what follows, and what
# nobody sees; joiners (U+200C, U+200D) are parts of words and of emoji.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")  # bytes of a file name that is not UTF-8
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
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "±": r"$\pm$", "α": r"$\alpha$", "−": "$-$", "\u00a0": "~",
}  # fmt: skip


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
    risky = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if risky else value


def from_spreadsheet(value: object) -> object:
    """The text that ``spreadsheet`` was given; any other value as it is."""
    quoted = isinstance(value, str) and value.startswith("'")
    return value[1:] if quoted and spreadsheet(value[1:]) != value[1:] else value
