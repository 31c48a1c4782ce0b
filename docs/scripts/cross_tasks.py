"""The table of cross-dataset soups from the four studies of ``make cross``, as Markdown."""

import sys
from pathlib import Path

import pandas as pd

TASKS = ("objects", "digits", "textures", "colours")
INTRODUCTION = """# Cross-dataset soups

Made by `make cross`. One mini-CLIP is fine-tuned on each of four tasks under that task's frozen
zero-shot head; the backbones of every choice of runs are averaged, and the average is tested on
each task's reference set under the task's zero-shot head (Model soups, appendix; PAINT). **Bold**:
a task that none of the members has seen; the last column is the mean over these of the difference
to the zero-shot model, in points. Accuracy in percent with its 95 %
Clopper-Pearson interval, n = {n}.

| members | {tasks} | left out, against zero-shot |
| :-- | {rule} | --: |
"""


def main(studies: Path) -> None:
    tables = {task: reference(studies / f"cross-{task}" / "seed0") for task in TASKS}
    n = ", ".join(
        f"{int(table['n'].iloc[0])} ({task})" for task, table in tables.items()
    )
    print(
        INTRODUCTION.format(n=n, tasks=" | ".join(TASKS), rule=" | ".join(["--:"] * 4)),
        end="",
    )
    models = [model for model in tables["objects"].index if model != "linear"]
    for model in sorted(models, key=lambda m: (m != "zero-shot", len(members(m)), m)):
        seen, cells, left = members(model), [], []
        for task, table in tables.items():
            row = table.loc[model]
            cell = f"{100 * row['value']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
            cells.append(cell if task in seen else f"**{cell}**")
            left += (
                [] if task in seen else [row["value"] - table.loc["zero-shot", "value"]]
            )
        mean = f"{100 * sum(left) / len(left):+.1f}" if seen and left else ""
        print(
            f"| {', '.join(seen) or 'none: zero-shot'} | {' | '.join(cells)} | {mean} |"
        )


def members(model: str) -> list[str]:
    return [task for task in TASKS if task in model.split("-")]


def reference(study: Path) -> pd.DataFrame:
    """Accuracies on the study's reference set, by model."""
    table = pd.read_csv(study / "measurements.csv", keep_default_na=False)
    return table[(table["role"] == "reference") & (table["curve"] == "")].set_index(
        "model"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
