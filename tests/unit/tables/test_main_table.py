"""The main table: its rows, its columns and its Markdown."""

from stockpot.statistics.intervals import clopper_pearson
from stockpot.tables.display import to_markdown
from stockpot.tables.main_table import overview


def test_overview_and_its_markdown(measurements):
    table = overview(measurements)
    assert list(table.columns) == ["model", "kind", "ref", "b", "a", "mean of shifts"]
    assert table["model"].tolist() == [
        "stew",
        "run, alpha 0.50",
        "run, alpha 0.25 (chosen)",
        "run, alpha 0.00 (oracle)",
        "zero-shot",
        "run",
    ]
    low, high = clopper_pearson(90, 100)
    assert table.loc[5, "ref"] == f"90.0 ± {50 * (high - low):.1f}"
    lines = to_markdown(table.replace("stew", "a|b")).splitlines()
    assert lines[1] == "| :-- | :-- | --: | --: | --: | --: |"
    assert len(lines) == 8
    assert lines[2].startswith("| a\\|b | new-rule | 80.0")


def test_overview_with_the_best_alpha_at_one_half(measurements):
    best = measurements.copy()
    best.loc[(best["alpha"] == 0.5) & (best["role"] == "held-out"), "value"] = 0.99
    assert overview(best)["model"].tolist()[:-2] == [
        "stew",
        "run, alpha 0.50 (chosen)",
        "run, alpha 0.00 (oracle)",
    ]


def test_a_column_of_the_main_table_is_one_entry(measurements, monkeypatch):
    """Its heading, its alignment and its value stand together."""
    from stockpot.tables import main_table

    usual = main_table.columns
    letters = main_table.Column("letters", lambda row: str(len(row.model)))
    names = main_table.Column("again", lambda row: row.label, left=True)
    monkeypatch.setattr(
        main_table, "columns", lambda *given: [*usual(*given), letters, names]
    )
    made = main_table.main_table(measurements)
    assert made.table["letters"].tolist()[0] == "4"
    assert made.table["again"].tolist()[0] == "stew"
    lines = made.markdown().splitlines()
    assert lines[1] == "| :-- | :-- | --: | --: | --: | --: | --: | :-- |"
    assert lines[2].endswith("| 4 | stew |")
    assert r"\begin{tabular}{llrrrrrl}" in made.latex()
