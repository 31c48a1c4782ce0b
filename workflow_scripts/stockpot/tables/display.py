"""Tables for people: Markdown and LaTeX."""

import re
from collections.abc import Callable, Collection

import pandas as pd

from . import escape

# Columns of texts, which are aligned left, in tables that do not say it themselves.
LEFT = {
    "model",
    "kind",
    "finding",
    "on",
    "sweep",
    "curve",
    "selector",
    "label",
    "group",
    "what",
}
LEFT |= {
    "dataset",
    "method",
    "run",
    "against",
    "members",
    "point",
    "joint run",
    "nothing",
}
# What our own tables write in bold: numbers, an interval, an answer, and never in a column of
# texts. No other star is markup.
_BOLD = re.compile(r"\*\*([-+−±\d.,% \u00a0\[\]]+|yes|no)\*\*")
NO_BREAK = "\u00a0"  # a space at which no line ends
PAGE = 45  # rows of a LaTeX table that fit on a page
SHORT = 40  # characters of a cell that stays in one line


def unbroken(table: pd.DataFrame, left: Collection[str] = LEFT) -> pd.DataFrame:
    """The table, where no line ends within a number and its interval, as in "26.8 ± 6.1".

    left: headings of the columns of texts.
    """
    numbers = [name for name in table if str(name).replace("_", " ") not in left]
    return table.assign(**{name: table[name].map(_unbroken) for name in numbers})


def _unbroken(cell: object) -> object:
    short = isinstance(cell, str) and len(cell) <= SHORT
    return cell.replace(" ", NO_BREAK) if short else cell


def to_markdown(table: pd.DataFrame, left: Collection[str] = LEFT) -> str:
    """A Markdown table of a data frame: columns of texts left, the others right.

    left: headings of the columns of texts. Texts are shown as they are and never obeyed;
    ``**bold**`` numbers stay bold.
    """
    heads = _heads(table)
    rules = [":--" if name in left else "--:" for name in heads]
    rows = [
        [_markdown(cell, name in left) for cell, name in zip(row, heads)]
        for row in _texts(table)
    ]
    head = [escape.markdown(name) for name in heads]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rules, *rows))


def to_latex(table: pd.DataFrame, left: Collection[str] = LEFT) -> str:
    """A LaTeX tabular with booktabs' rules, escaped; ``**bold**`` becomes bold.

    For \\input: needs \\usepackage{booktabs}. A table that is longer than a page is a longtable,
    which stands by itself, in no float, and needs \\usepackage{longtable} too. left: headings of
    the columns of texts.
    """
    heads = _heads(table)
    columns = "".join("l" if name in left else "r" for name in heads)
    head = [escape.latex(name) for name in heads]
    rows = [
        [_latex(cell, name in left) for cell, name in zip(row, heads)]
        for row in _texts(table)
    ]
    first, *body = [" & ".join(row) + r" \\" for row in (head, *rows)]
    long = len(body) > PAGE
    name = "longtable" if long else "tabular"
    heads = [r"\toprule", first, r"\midrule", *([r"\endhead"] if long else [])]
    parts = [rf"\begin{{{name}}}{{{columns}}}", *heads, *body]
    return "\n".join([*parts, r"\bottomrule", rf"\end{{{name}}}"]) + "\n"


def _heads(table: pd.DataFrame) -> list[str]:
    """Names of the columns in words; names of data sets have no underscores."""
    return [str(name).replace("_", " ") for name in table.columns]


def _texts(table: pd.DataFrame) -> list[list[str]]:
    return [
        ["" if pd.isna(cell) else str(cell) for cell in row]
        for row in table.to_numpy(object)
    ]


def _markdown(cell: str, is_text: bool) -> str:
    if is_text:
        return escape.markdown(cell)
    return _with_bold(cell, escape.markdown, "**{}**")


def _latex(cell: str, is_text: bool) -> str:
    if is_text:
        return escape.latex(cell)
    return _with_bold(cell, escape.latex, r"\textbf{{{}}}")


def _with_bold(cell: str, escaped: Callable[[str], str], bold: str) -> str:
    """A cell in which all is escaped but the stars around what our own tables emphasise."""
    parts, end = [], 0
    for match in _BOLD.finditer(cell):
        parts += [
            _padded(cell[end : match.start()], escaped),
            bold.format(escaped(match.group(1))),
        ]
        end = match.end()
    return "".join([*parts, _padded(cell[end:], escaped)])


def _padded(text: str, escaped: Callable[[str], str]) -> str:
    """Escaped, with one blank at the ends that had any."""
    inner = escaped(text.strip(" "))
    before = " " if text.startswith(" ") and inner else ""
    after = " " if text.endswith(" ") and inner else ""
    return f"{before}{inner}{after}"
