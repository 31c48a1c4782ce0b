"""Tables for people: Markdown and LaTeX."""

import re
from collections.abc import Callable

import pandas as pd

from ..runtime import escape

LEFT = {"model", "kind", "finding", "on", "sweep", "curve", "selector", "label", "group", "what"}
LEFT |= {"dataset", "method", "run", "against", "members", "point", "joint run", "nothing"}
# What our own tables write in bold: numbers, an interval, an answer, and never in a column of
# texts. No other star is markup.
_BOLD = re.compile(r"\*\*([-+−±\d.,% \u00a0\[\]]+|yes|no)\*\*")


def to_markdown(table: pd.DataFrame) -> str:
    """A Markdown table of a data frame: text columns left, the others right.

    Texts are shown as they are and never obeyed; ``**bold**`` numbers stay bold.
    """
    head = [escape.markdown(name) for name in table.columns]
    rules = [":--" if name in LEFT else "--:" for name in table]
    rows = [
        [_markdown(cell, name) for cell, name in zip(row, table.columns)] for row in _texts(table)
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rules, *rows))


def to_latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular with booktabs' rules, escaped; ``**bold**`` becomes bold.

    For \\input: needs \\usepackage{booktabs}.
    """
    columns = "".join("l" if name in LEFT else "r" for name in table)
    head = [escape.latex(name) for name in table.columns]
    rows = [[_latex(cell, name) for cell, name in zip(row, table.columns)] for row in _texts(table)]
    first, *body = [" & ".join(row) + r" \\" for row in (head, *rows)]
    parts = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", first, r"\midrule", *body]
    return "\n".join([*parts, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _texts(table: pd.DataFrame) -> list[list[str]]:
    return [["" if pd.isna(cell) else str(cell) for cell in row] for row in table.to_numpy(object)]


def _markdown(cell: str, column: str) -> str:
    if column in LEFT:
        return escape.markdown(cell)
    return _with_bold(cell, escape.markdown, "**{}**")


def _latex(cell: str, column: str) -> str:
    if column in LEFT:
        return escape.latex(cell)
    return _with_bold(cell, escape.latex, r"\textbf{{{}}}")


def _with_bold(cell: str, escaped: Callable[[str], str], bold: str) -> str:
    """A cell in which all is escaped but the stars around what our own tables emphasise."""
    parts, end = [], 0
    for match in _BOLD.finditer(cell):
        parts += [_padded(cell[end : match.start()], escaped), bold.format(escaped(match.group(1)))]
        end = match.end()
    return "".join([*parts, _padded(cell[end:], escaped)])


def _padded(text: str, escaped: Callable[[str], str]) -> str:
    """Escaped, with one blank at the ends that had any."""
    inner = escaped(text.strip(" "))
    before = " " if text.startswith(" ") and inner else ""
    after = " " if text.endswith(" ") and inner else ""
    return f"{before}{inner}{after}"
