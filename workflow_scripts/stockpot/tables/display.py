"""Tables for people: numbers as texts, Markdown and LaTeX."""

import re
from collections.abc import Callable, Collection, Iterable

import pandas as pd

from . import escape

# Headings of columns of texts, which are aligned left, in tables that do not say it themselves.
LEFT = {
    "model",
    "other model",
    "kind",
    "finding",
    "sweep",
    "selector",
    "selector label",
    "pair type",
    "conclusion",
    "statistic",
    "dataset",
    "method",
    "run",
    "against",
    "ingredients",
    "point",
    "joint run",
    "nothing",
}
# What the project's own tables write in bold: numbers, an interval, an answer, and never in a
# column of texts. No other star is markup.
_BOLD = re.compile(r"\*\*([-+−±\d.,% \u00a0\[\]]+|yes|no)\*\*")
# A space at which no line ends.
NO_BREAK = "\u00a0"
# A LaTeX table of more rows than this does not fit on a page.
PAGE = 45
# A cell of at most this many characters stays on one line.
SHORT = 40


def percent(fraction: float) -> str:
    """Write a fraction in percent.

    Args:
        fraction: Such as 0.912.

    Returns:
        A text such as "91.2".
    """
    return f"{100 * fraction:.1f}"


def percents(fractions: Iterable[float]) -> list[str]:
    """Write fractions in percent.

    Args:
        fractions: Such as those of a column.

    Returns:
        A text such as "91.2" for each.
    """
    return [percent(fraction) for fraction in fractions]


def interval_in_points(low: float, high: float) -> str:
    """Write the interval of a difference in percentage points.

    Args:
        low: Lower end, a fraction.
        high: Upper end, a fraction.

    Returns:
        A text such as "[+0.3, +2.1]".
    """
    low_points = 100 * low
    high_points = 100 * high
    return f"[{low_points:+.1f}, {high_points:+.1f}]"


def points_with_interval(
    value: float,
    low: float,
    high: float,
) -> str:
    """Write a difference with its interval in percentage points.

    Args:
        value: The difference, a fraction.
        low: Lower end of its interval.
        high: Upper end of its interval.

    Returns:
        A text such as "+1.2 [+0.3, +2.1]".
    """
    points = 100 * value
    interval = interval_in_points(low, high)
    return f"{points:+.1f} {interval}"


def points_column(
    table: pd.DataFrame,
    value: str,
    low: str = "low",
    high: str = "high",
) -> list[str]:
    """Write a column of differences with their intervals in percentage points.

    Args:
        table: A row per difference.
        value: Column of the differences.
        low: Column of the lower ends.
        high: Column of the upper ends.

    Returns:
        A text such as "+1.2 [+0.3, +2.1]" per row.
    """
    texts = []
    for row in zip(table[value], table[low], table[high]):
        texts.append(points_with_interval(*row))
    return texts


def unbroken(
    table: pd.DataFrame,
    left: Collection[str] = LEFT,
) -> pd.DataFrame:
    """Keep a number and its interval, such as "26.8 ± 6.1", on one line.

    Args:
        table: The table.
        left: Headings of the columns of texts, which stay as they are.

    Returns:
        The table, with no-break spaces in its columns of numbers.
    """
    changed = table.copy()
    for name, heading in zip(table.columns, _headings(table)):
        if heading not in left:
            changed[name] = table[name].map(_unbroken)
    return changed


def _unbroken(cell: object) -> object:
    if isinstance(cell, str) and len(cell) <= SHORT:
        return cell.replace(" ", NO_BREAK)
    return cell


def to_markdown(
    table: pd.DataFrame,
    left: Collection[str] = LEFT,
) -> str:
    """Write a table in Markdown, columns of texts left and the others right.

    Texts are shown as they are: nothing in them is markup, except ``**bold**`` numbers.

    Args:
        table: The table.
        left: Headings of the columns of texts.

    Returns:
        Lines of Markdown.
    """
    headings = _headings(table)
    is_text_column = [name in left for name in headings]
    head = [escape.markdown(name) for name in headings]
    alignments = [":--" if is_text else "--:" for is_text in is_text_column]
    lines = [_markdown_row(head), _markdown_row(alignments)]
    for texts in _texts(table):
        cells = []
        for text, is_text in zip(texts, is_text_column):
            cells.append(_markdown(text, is_text=is_text))
        lines.append(_markdown_row(cells))
    return "".join(lines)


def _markdown_row(cells: list[str]) -> str:
    line = " | ".join(cells)
    return f"| {line} |\n"


def to_latex(
    table: pd.DataFrame,
    left: Collection[str] = LEFT,
) -> str:
    r"""Write a table in LaTeX, with the rules of booktabs; ``**bold**`` becomes bold.

    The text is for \input and needs \usepackage{booktabs}. A table that is longer than a page
    is a longtable; it stands by itself, in no float, and needs \usepackage{longtable} too.

    Args:
        table: The table; all its texts are escaped.
        left: Headings of the columns of texts.

    Returns:
        Lines of LaTeX.
    """
    headings = _headings(table)
    is_text_column = [name in left for name in headings]
    alignments = "".join("l" if is_text else "r" for is_text in is_text_column)
    head = _latex_row([escape.latex(name) for name in headings])
    body = []
    for texts in _texts(table):
        cells = []
        for text, is_text in zip(texts, is_text_column):
            cells.append(_latex(text, is_text=is_text))
        body.append(_latex_row(cells))
    is_long = len(body) > PAGE
    environment = "longtable" if is_long else "tabular"
    lines = [
        rf"\begin{{{environment}}}{{{alignments}}}",
        r"\toprule",
        head,
        r"\midrule",
    ]
    if is_long:
        # A longtable repeats what stands above this on every page.
        lines.append(r"\endhead")
    lines += [*body, r"\bottomrule", rf"\end{{{environment}}}"]
    return "\n".join(lines) + "\n"


def _latex_row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _headings(table: pd.DataFrame) -> list[str]:
    """Names of the columns in words; names of data sets have no underscores."""
    return [str(name).replace("_", " ") for name in table.columns]


def _texts(table: pd.DataFrame) -> list[list[str]]:
    """All cells as texts, row by row."""
    rows = []
    for row in table.to_numpy(object):
        rows.append([_text(cell) for cell in row])
    return rows


def _text(cell: object) -> str:
    if pd.isna(cell):
        return ""
    return str(cell)


def _markdown(cell: str, *, is_text: bool) -> str:
    if is_text:
        return escape.markdown(cell)
    return _with_bold(cell, escape.markdown, "**{}**")


def _latex(cell: str, *, is_text: bool) -> str:
    if is_text:
        return escape.latex(cell)
    return _with_bold(cell, escape.latex, r"\textbf{{{}}}")


def _with_bold(
    cell: str,
    escaped: Callable[[str], str],
    bold: str,
) -> str:
    """A cell in which all is escaped except the stars around what our tables emphasise."""
    # Between two bold texts all is escaped.
    pieces = []
    end = 0
    for match in _BOLD.finditer(cell):
        text_between = cell[end : match.start()]
        bold_text = match.group(1)
        pieces.append(_padded(text_between, escaped))
        pieces.append(bold.format(escaped(bold_text)))
        end = match.end()
    text_after = cell[end:]
    pieces.append(_padded(text_after, escaped))
    return "".join(pieces)


def _padded(text: str, escaped: Callable[[str], str]) -> str:
    """Escaped, with one blank at the ends that had any."""
    padded = escaped(text.strip(" "))
    if not padded:
        return ""
    if text.startswith(" "):
        padded = f" {padded}"
    if text.endswith(" "):
        padded = f"{padded} "
    return padded
