"""Tables for people of large studies, in Markdown and LaTeX."""

import pandas as pd
import pytest

from stockpot.tables.display import to_latex, to_markdown, unbroken
from stockpot.tables.main_table import overview

pytestmark = pytest.mark.slow


def test_a_table_of_more_than_a_page_is_a_longtable(many_runs_tables):
    lines = to_latex(overview(many_runs_tables["measurements"])).splitlines()
    assert lines[0].startswith(r"\begin{longtable}{ll")
    assert lines[-1] == r"\end{longtable}"
    assert lines.index(r"\endhead") == 4


def test_cells_and_column_names_of_tables_for_people():
    table = pd.DataFrame(
        {"joint_run": ["a b"], "cka_complement": ["26.8 ± 6.1"], "p": ["0.1 to 0.5"]}
    )
    head, rules, row = to_markdown(unbroken(table)).splitlines()
    assert head == "| joint run | cka complement | p |"
    assert rules == "| :-- | --: | --: |"
    assert row == "| a b | 26.8\u00a0±\u00a06.1 | 0.1\u00a0to\u00a00.5 |"
    assert "cka complement" in to_latex(table)
    assert "_" not in to_latex(table)
