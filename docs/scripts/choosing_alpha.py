"""Compare every way to choose alpha, over the sweeps of all studies and over published curves.

python docs/scripts/choosing_alpha.py results/studies FOLDER
"""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from stockpot import figures
from stockpot.alpha.selectors import compare_selectors, label, names
from stockpot.drawing.style import save
from stockpot.tables.display import to_markdown
from stockpot.tables.measurements import read_table, write_table

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"
HELD_OUT = 26_000  # images; 2 % of ImageNet's training set, as in Model soups
# Group -> studies of `make evidence`. The other tasks were evaluated after the selectors were
# written down.
STUDIES = {
    "objects": ["objects", "evidence"],
    "other tasks": ["digits", "textures", "colours"],
}
TEXT = """# Choosing alpha

`make evidence` makes this page. It compares all selectors on {sweeps} sweeps of the embedded
studies: the objects study with three seeds and with few shots, digits, textures and colours. It
also compares them on the four sweeps of 21 alphas published by WiSE-FT. No held-out accuracies of
these sweeps are known, so their reference accuracies take the place of held-out accuracies. There,
selectors that read held-out data see the numbers that they are scored with. Selectors that need
more than accuracies cannot be used on the published sweeps.

The columns of alpha have the mean over the sweeps, and the range. Regret is how many points of
accuracy the chosen alpha has less than the best alpha of the same sweep. It is measured under
shift, or on the mean of the reference and the mean of shifts, each counting half ("both"). Its
columns have the mean over the sweeps, and the worst sweep.

The one-point rule (`within-point`) is the row "within one point of the best held-out". It is the
default of `alpha: auto`, of the main table and of the analysis `low-shot`. Of the selectors that
read only the held-out set, it has the least regret, both under shift and on the mean. Alpha 0.5,
which reads no data, has less regret under shift in all three groups, and more on the mean. We added
the one-point rule after a first look at the objects study and at the published sweeps, and before
we evaluated the other tasks.

{table}
![Every way to choose alpha](choosing-alpha.png)

"""
# Published column of each column that selectors read. Values are in percent.
PUBLISHED_COLUMNS = {"held_out": "IN", "reference": "IN", "shifts": "avg_shifts"}
# Title of a column -> column of the analysis choosing-alpha.
COLUMNS = {
    "alpha": "alpha",
    "regret, shift": "regret_shifts",
    "regret, both": "regret_both",
}
# Columns that are equal if two studies share a sweep.
NUMBERS = ["selector", "alpha", "reference", "shifts"]


def main(folder: Path, out: Path) -> None:
    """Write the comparison as choosing-alpha.csv, .md, .png and .pdf.

    Args:
        folder: Folder of all studies, results/studies.
        out: Where the files go.
    """
    tables = read_tables(folder)
    if not tables:
        sys.exit(
            f"{folder} has no results of the embedded studies; `make evidence` makes them"
        )
    sweeps = without_repeated_sweeps(pd.concat(tables))
    groups = {}
    studies_of_rows = sweeps["sweep"].str.split("/").str[0]
    for group, studies in STUDIES.items():
        groups[group] = sweeps[studies_of_rows.isin(studies)]
    groups["published"] = compare_published()

    rows = [selector_row(selector, groups) for selector in names()]
    text = TEXT.format(
        sweeps=sweeps["sweep"].nunique(),
        table=to_markdown(pd.DataFrame(rows)),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "choosing-alpha.md").write_text(text)
    write_table(sweeps, out / "choosing-alpha.csv", "%.6g")
    draw = figures.load("choosing-alpha")
    figure, _ = draw({"table": sweeps}, {})
    for suffix in ("png", "pdf"):
        save(figure, out / f"choosing-alpha.{suffix}")


def read_tables(folder: Path) -> list[pd.DataFrame]:
    """Read the analyses of all seeds of the studies.

    Args:
        folder: Folder of all studies.

    Returns:
        Tables whose curves are named "study/seed curve".
    """
    tables = []
    for studies in STUDIES.values():
        for study in studies:
            pattern = "seed*/analyses/choosing-alpha.csv"
            for path in sorted((folder / study).glob(pattern)):
                table = read_table(path)
                seed = path.parents[1].name
                tables.append(table.assign(sweep=f"{study}/{seed} " + table["sweep"]))
    return tables


def without_repeated_sweeps(table: pd.DataFrame) -> pd.DataFrame:
    """Drop sweeps that studies share: the same sweep of the same seed counts once.

    Args:
        table: The analyses of all studies, with a column ``sweep``.

    Returns:
        The rows of all different sweeps.
    """

    def content(rows: pd.DataFrame) -> tuple[tuple, ...]:
        return tuple(map(tuple, rows[NUMBERS].to_numpy()))

    contents = table.groupby("sweep").apply(content)
    return table[table["sweep"].isin(contents.drop_duplicates().index)]


def compare_published() -> pd.DataFrame:
    """Apply the selectors to all published curves.

    Returns:
        As ``stockpot.alpha.selectors.compare_selectors``, with the name of the curve.
    """
    tables = []
    for path in sorted(PUBLISHED.glob("*.csv")):
        tables.append(compare_selectors(read_published(path)).assign(sweep=path.stem))
    return pd.concat(tables)


def read_published(path: Path) -> pd.DataFrame:
    """Read one published curve in the form that selectors read.

    Args:
        path: CSV file with accuracies in percent.

    Returns:
        Columns held_out, reference, shifts (accuracies from 0 to 1), alpha and n.
    """
    table = pd.read_csv(path)
    accuracies = {}
    for name, published_name in PUBLISHED_COLUMNS.items():
        accuracies[name] = table[published_name] / 100
    return pd.DataFrame(accuracies).assign(alpha=table["alpha"], n=HELD_OUT)


def selector_row(selector: str, groups: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Summarise the alphas and regrets of a selector.

    Args:
        selector: Name of the selector.
        groups: Group -> table of its sweeps.

    Returns:
        Title -> text. A cell is empty if the selector cannot be applied to the group.
    """
    row = {"selector": label(selector)}
    for group, table in groups.items():
        selected = table[table["selector"] == selector]
        for title, column in COLUMNS.items():
            row[f"{group}: {title}"] = cell_text(column, selected[column])
    return row


def cell_text(column: str, values: pd.Series) -> str:
    """Summarise one number of a selector over all sweeps of a group.

    Args:
        column: "alpha" or a regret.
        values: One value per sweep; regrets are fractions.

    Returns:
        The mean, with the range of alphas or with the worst regret in points.
    """
    if values.empty:
        return ""
    if column == "alpha":
        return f"{values.mean():.2f} ({values.min():g} to {values.max():g})"
    points = 100 * values
    return f"{points.mean():.2f}, worst {points.max():.1f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
