"""One table over the seeds of a study."""

import pandas as pd

from .display import to_markdown
from .findings import CRITERIA

TITLE = "Do the papers' claims hold here?"


def summary(findings: dict[str, pd.DataFrame], main_tables: dict[str, str]) -> str:
    """Markdown: the findings side by side below TITLE, then every seed's main table.

    findings: seed -> the table of ``findings.findings``. main_tables: seed -> Markdown table.
    A cell gives the value in points with its interval, and yes or no: does it hold? The
    alpha that an oracle chose may differ between seeds and is named in the cell.
    """
    columns = {seed: {} for seed in findings}
    for seed, table in findings.items():
        for row in table.itertuples():
            columns[seed][row.finding, _end(row.compared), row.on] = _cell(row)
    keys = list(dict.fromkeys(key for cells in columns.values() for key in cells))
    rows = [[*key, *(cells.get(key, "") for cells in columns.values())] for key in keys]
    table = pd.DataFrame(rows, columns=["finding", "model", "on", *findings])
    holding = sum(int(t["holds"].sum()) for t in findings.values())
    total = sum(len(t) for t in findings.values())
    parts = [
        f"# {TITLE}\n",
        f"{holding} of {total} do, by the criteria below the table. Differences in points of "
        "accuracy with their intervals; oracle: chosen on the test sets.\n",
        to_markdown(table),
        "What yes means:\n",
        "".join(f"- {criterion}\n" for criterion in CRITERIA),
        *(f"## {seed}\n\n{text}" for seed, text in main_tables.items()),
    ]
    return "\n".join(parts)


def _end(compared: str) -> str:
    """What a row is about, without the alpha that was chosen."""
    return compared.split(" - ")[0].split(" alpha=")[0]


def _cell(row) -> str:
    mark = "yes" if row.holds else "**no**"
    if pd.isna(row.value):
        return mark
    chosen = (
        row.compared.split(" alpha=")[1].split(" ")[0]
        if " alpha=" in row.compared
        else ""
    )
    interval = (
        "" if pd.isna(row.low) else f" [{100 * row.low:+.1f}, {100 * row.high:+.1f}]"
    )
    at = f" at alpha {chosen}" if chosen else ""
    return f"{100 * row.value:+.1f}{interval}{at}: {mark}"
