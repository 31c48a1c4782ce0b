"""Print the table of cross-dataset soups from the four studies of ``make cross``, as Markdown."""

import sys
from pathlib import Path

import pandas as pd

TASKS = ("objects", "digits", "textures", "colours")
INTRODUCTION = """# Cross-dataset soups

`make cross` makes this page. One mini-CLIP is fine-tuned on each of four tasks, with the task's
zero-shot head frozen. For every choice of runs, the towers are averaged. The average is tested on
the reference set of each task, with the zero-shot head of that task (Model soups, appendix; PAINT).

A cell has the accuracy in percent with its 95 % Clopper-Pearson interval. n is {n}.
**Bold** marks tasks that none of the ingredients has seen. The last column has the mean difference
to the zero-shot model on these tasks, in points.

| ingredients | {tasks} | unseen tasks, against zero-shot |
| :-- | {rule} | --: |
"""


def main(studies: Path) -> None:
    """Print the page.

    Args:
        studies: Folder of all studies, results/studies.
    """
    tables = {
        task: read_reference(studies / f"cross-{task}" / "seed0") for task in TASKS
    }
    sizes = []
    for task, table in tables.items():
        sizes.append(f"{int(table['n'].iloc[0])} ({task})")
    introduction = INTRODUCTION.format(
        n=", ".join(sizes),
        tasks=" | ".join(TASKS),
        rule=" | ".join(["--:"] * len(TASKS)),
    )
    print(introduction, end="")
    # A linear classifier has the tower of the zero-shot model, so it is no row of its own.
    models = [model for model in tables["objects"].index if model != "linear"]
    for model in sorted(models, key=sort_key):
        print(model_row(model, tables))


def sort_key(model: str) -> tuple[bool, int, str]:
    """Return the key by which models are sorted.

    Args:
        model: Name of a model.

    Returns:
        The zero-shot model comes first, then models of fewer runs.
    """
    return model != "zero-shot", len(seen_tasks(model)), model


def model_row(model: str, tables: dict[str, pd.DataFrame]) -> str:
    """Write the row of one model.

    Args:
        model: Name of the model.
        tables: Task -> accuracies on its reference set by model.

    Returns:
        A line of Markdown.
    """
    seen = seen_tasks(model)
    cells = []
    differences = []  # to the zero-shot model, on tasks that no ingredient has seen
    for task, table in tables.items():
        row = table.loc[model]
        accuracy = f"{100 * row['value']:.1f}"
        interval = f"[{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
        cell = f"{accuracy} {interval}"
        if task in seen:
            cells.append(cell)
        else:
            cells.append(f"**{cell}**")
            differences.append(row["value"] - table.loc["zero-shot", "value"])
    mean = ""
    if seen and differences:
        mean = f"{100 * sum(differences) / len(differences):+.1f}"
    ingredients = ", ".join(seen) or "none: zero-shot"
    return f"| {ingredients} | {' | '.join(cells)} | {mean} |"


def seen_tasks(model: str) -> list[str]:
    """List the tasks that the ingredients of a model were trained on.

    Args:
        model: Name of the model, in which the tasks stand with "-" between them.

    Returns:
        Tasks in the order of the table.
    """
    return [task for task in TASKS if task in model.split("-")]


def read_reference(study: Path) -> pd.DataFrame:
    """Read the accuracies on the reference set of a study.

    Args:
        study: Folder of a study's seed.

    Returns:
        Columns value, low, high and n among others, indexed by model.
    """
    table = pd.read_csv(study / "measurements.csv", keep_default_na=False)
    is_reference = table["role"] == "reference"
    # Models of a sweep would come several times.
    is_no_sweep = table["sweep"] == ""
    return table[is_reference & is_no_sweep].set_index("model")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
