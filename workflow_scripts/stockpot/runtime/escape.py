"""Text from outside made inert for the place where it is shown.

Others write class names, labels, file names, settings of checkpoints and names of published models.
Each function makes such a text safe for one kind of output.
"""

import html as _html
import json
import re

# C0 and C1 controls, line separators, and marks that change the direction of what follows.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # bytes of a file name that is not UTF-8
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:@^=-])")
_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")


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


def html(text: object) -> str:
    """Text for an element or a quoted attribute of an HTML page."""
    return _html.escape(one_line(text, 10_000), quote=True)


def markdown(text: object) -> str:
    """Text for a paragraph or a table cell of Markdown: nothing in it is markup or HTML."""
    escaped = _MARKDOWN.sub(r"\\\1", one_line(text, 10_000))
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def json_for_script(value: object) -> str:
    """Plain data as JSON that may stand inside a ``<script>`` element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def spreadsheet(value: object) -> object:
    """A cell of a CSV file that no spreadsheet takes for a formula. Numbers stay as they are."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def plain_text(text: object) -> str:
    """Text for matplotlib, which takes what stands between two dollars for mathematics."""
    return one_line(text, 10_000).replace("$", r"\$")
