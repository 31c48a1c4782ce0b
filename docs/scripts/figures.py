"""Draw the figures of docs/ again from the tables beside them: all, or those that are named.

After a change of colours, `make docs-figures` needs no study and takes a minute. The samples need
images, so only `make docs` makes them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from matplotlib.figure import Figure

from stockpot import figures
from stockpot.drawing.style import save
from stockpot.tables.measurements import read_table

DOCS = Path(__file__).parents[1]
# Figures of the objects study.
OBJECTS_FIGURES = ("effective-robustness", "alpha", "soups", "shifts", "methods")
# Tables that figures of a study read; their files have these names.
STUDY_TABLES = ("measurements", "fits", "robustness")


def in_docs() -> list[Path]:
    """List all figures of docs/ that tables beside them determine.

    Returns:
        PNG files.
    """
    results = DOCS / "results"
    objects = [results / "objects" / f"{name}.png" for name in OBJECTS_FIGURES]
    analyses = sorted(results.glob("*.png"))
    return [*objects, results / "methods" / "methods.png", *analyses]


def draw(path: Path) -> Figure:
    """Draw a figure of docs/ from the tables beside it.

    Args:
        path: The PNG file.

    Returns:
        The figure.
    """
    name = path.stem
    folder = path.parent
    # "growing-seeds" is the figure "growing" of another entry of the config.
    plugin = name if name in figures.names() else name.rpartition("-")[0]
    tables = {}
    if folder.name == "results":
        # A figure without a table of its own draws that of another analysis.
        has_table = (folder / f"{name}.csv").exists()
        analysis = name if has_table else figures.draws(name)
        tables["table"] = read_table(folder / f"{analysis}.csv")
    else:
        for table in STUDY_TABLES:
            tables[table] = read_table(folder / f"{table}.csv")
    figure, _ = figures.load(plugin)(tables, {})
    return figure


def main(names: list[str]) -> None:
    """Draw figures again.

    Args:
        names: Names of figures, as "growing"; empty for all.
    """
    for path in in_docs():
        if not names or path.stem in names:
            save(draw(path), path)


if __name__ == "__main__":
    main(sys.argv[1:])
