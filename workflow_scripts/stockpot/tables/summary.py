"""One table over the seeds of a study."""

from typing import Any

import pandas as pd

from .display import points_with_interval, to_markdown
from .findings import CRITERIA

TITLE = "Do the papers' claims hold here?"


def summary(
    findings: dict[str, pd.DataFrame],
    main_tables: dict[str, str],
) -> str:
    """Write the findings side by side, then the main table of every seed.

    A cell gives the value in points with its interval, and yes or no: does the finding hold?
    The alpha that an oracle chose may differ between seeds; the cell names it.

    Args:
        findings: Seed -> the table of ``findings.findings``.
        main_tables: Seed -> its main table in Markdown.

    Returns:
        Markdown, below the heading ``TITLE``.
    """
    cells_by_seed = {}
    # A dict keeps the order in which the seeds name the findings.
    keys: dict[tuple[str, str, str], None] = {}
    for seed, seed_table in findings.items():
        cells = _cells(seed_table)
        cells_by_seed[seed] = cells
        keys |= dict.fromkeys(cells)
    rows = []
    for key in keys:
        # A seed may lack a finding: its models may have diverged.
        texts = [cells.get(key, "") for cells in cells_by_seed.values()]
        rows.append([*key, *texts])
    table = pd.DataFrame(rows, columns=["finding", "model", "dataset", *findings])
    supported_count = 0
    total = 0
    for seed_table in findings.values():
        supported_count += int(seed_table["supported"].sum())
        total += len(seed_table)
    criteria_list = "".join(f"- {criterion}\n" for criterion in CRITERIA)
    sections = [
        f"# {TITLE}\n",
        f"{supported_count} of {total} do, by the criteria below the table. A cell has the "
        "difference in points of accuracy, its interval, and whether the claim holds. Oracle: "
        "chosen on the test sets.\n",
        to_markdown(table),
        '"Yes" means:\n',
        criteria_list,
    ]
    for seed, main_table in main_tables.items():
        sections.append(f"## {seed}\n\n{main_table}")
    return "\n".join(sections)


def _cells(table: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """(finding, model, data set) -> what the table of one seed says."""
    cells = {}
    for row in table.itertuples():
        subject = _subject(row.compared)
        key = (row.finding, subject, row.dataset)
        cells[key] = _cell(row)
    return cells


def _subject(compared: str) -> str:
    """What a row is about, without the alpha that was chosen."""
    model, _, _ = compared.partition(" - ")
    name, _, _ = model.partition(" alpha=")
    return name


def _chosen_alpha(compared: str) -> str:
    """The alpha in a name such as "base alpha=0.4 - base"; "" without one."""
    if " alpha=" not in compared:
        return ""
    pieces = compared.split(" alpha=")
    alpha, _, _ = pieces[1].partition(" ")
    return alpha


def _cell(row: Any) -> str:
    """Value, interval, alpha and verdict of one row, as far as it has them."""
    verdict = "**no**"
    if row.supported:
        verdict = "yes"
    if pd.isna(row.value):
        return verdict
    if pd.isna(row.low):
        value = f"{100 * row.value:+.1f}"
    else:
        value = points_with_interval(row.value, row.low, row.high)
    alpha = _chosen_alpha(row.compared)
    if alpha:
        value += f" at alpha {alpha}"
    return f"{value}: {verdict}"
