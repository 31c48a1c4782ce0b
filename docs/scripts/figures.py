"""Draw the figures of docs/ again from the tables beside them: all, or those named.

After a change of colours, `make docs-figures` needs no study and takes a minute.
The samples need images, so that `make docs` alone makes them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from matplotlib.figure import Figure

from stockpot import figures
from stockpot.drawing.style import save
from stockpot.tables.measurements import read_table

DOCS = Path(__file__).parents[1]
OF_OBJECTS = ("effective-robustness", "alpha", "soups", "shifts", "methods")
# Keys of the tables that figures of a study read -> files.
STUDY_TABLES = {"measurements": "measurements", "fits": "fits", "rho": "robustness"}


def in_docs() -> list[Path]:
    """Every figure of docs/ that tables beside it determine."""
    results = DOCS / "results"
    objects = [results / "objects" / f"{name}.png" for name in OF_OBJECTS]
    analyses = sorted(results.glob("*.png"))
    return [*objects, results / "methods" / "methods.png", *analyses]


def draw(path: Path) -> Figure:
    """A figure of docs/, drawn from the tables beside it."""
    name, folder = path.stem, path.parent
    # "growing-seeds" is the figure "growing" of another entry of the config.
    module = name if name in figures.names() else name.rpartition("-")[0]
    if folder.name == "results":
        entry = name if (folder / f"{name}.csv").exists() else figures.draws(name)
        tables = {"table": read_table(folder / f"{entry}.csv")}
    else:
        tables = {
            key: read_table(folder / f"{file}.csv")
            for key, file in STUDY_TABLES.items()
        }
    return figures.load(module)(tables, {})[0]


def main(wanted: list[str]) -> None:
    """wanted: names of figures, as "growing"; none means all."""
    for path in in_docs():
        if not wanted or path.stem in wanted:
            save(draw(path), path)


if __name__ == "__main__":
    main(sys.argv[1:])
