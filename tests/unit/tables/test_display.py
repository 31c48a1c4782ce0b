"""Tables for people, in Markdown and LaTeX."""

import pandas as pd

from stockpot.tables.display import to_latex, to_markdown

TABLE_WITH_SPECIAL_CHARACTERS = pd.DataFrame(
    {
        "model": ["a_b", "50 % & more"],
        "dataset": ["ref", None],
        "points": ["**1.0 ± 0.1**", "α < 2"],
    }
)


def test_latex_is_escaped_and_bold():
    lines = to_latex(TABLE_WITH_SPECIAL_CHARACTERS).splitlines()
    assert lines[:2] == [r"\begin{tabular}{llr}", r"\toprule"]
    assert lines[2] == r"model & dataset & points \\"
    assert lines[4] == r"a\_b & ref & \textbf{1.0 $\pm$ 0.1} \\"
    assert lines[5] == r"50 \% \& more &  & $\alpha$ \textless{} 2 \\"
    assert lines[-1] == r"\end{tabular}"
    assert len(lines) == 8


def test_markdown_keeps_its_columns():
    lines = to_markdown(
        TABLE_WITH_SPECIAL_CHARACTERS.replace("ref", "a|b")
    ).splitlines()
    assert lines[1] == "| :-- | :-- | --: |"
    assert lines[2] == "| a_b | a\\|b | **1.0 ± 0.1** |"
    assert lines[3].count("|") == 4
