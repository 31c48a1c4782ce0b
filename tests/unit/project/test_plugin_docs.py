"""Merge methods, analyses and selectors are in the docs, with options of the first two."""

import json

from tests.support.paths import ROOT

OPTION_COLUMNS = ("plug-in", "key", "default", "may be", "is")


def option_rows(text: str) -> list[dict[str, str]]:
    """The table below "## Options": a row per option, column -> cell without its backquotes."""
    rows = []
    for line in text.split("## Options")[1].splitlines():
        if line.startswith("| `"):
            cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
            rows.append(dict(zip(OPTION_COLUMNS, cells, strict=True)))
    return rows


def listed_names(text: str) -> list[str]:
    """The first name in backquotes of each row of a table that begins with one."""
    return [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]


def test_every_option_of_a_merge_method_is_in_the_docs():
    from stockpot.merging import methods

    rows = option_rows((ROOT / "docs" / "guide" / "methods.md").read_text())
    listed = {(row["plug-in"], row["key"]) for row in rows}
    assert listed == {
        (name, key) for name in methods.names() for key in methods.options(name)
    }
    assert all(row["is"] for row in rows)


def test_every_merge_method_is_in_the_docs():
    from stockpot.merging import methods

    table = (ROOT / "docs" / "guide" / "methods.md").read_text().split("\n## ")[0]
    assert sorted(set(listed_names(table)) - {"method"}) == methods.names()


def test_every_analysis_selector_and_option_is_in_the_docs():
    from stockpot import analyses
    from stockpot.alpha import selectors

    text = (ROOT / "docs" / "guide" / "analyses.md").read_text()
    first, _, rest = text.partition("## Ways to choose alpha")
    assert sorted(set(listed_names(first)) - {"analysis"}) == analyses.names()
    assert all(
        f"`{name}`" in rest.split("## Statistics")[0] for name in selectors.names()
    )
    documented = {
        (row["plug-in"], row["key"]): [row["default"], row["is"]]
        for row in option_rows(text)
    }
    expected = {}
    for name in analyses.names():
        for key, schema in analyses.options(name).items():
            default = json.dumps(schema["default"])
            expected[name, key] = [default, schema["description"]]
    assert documented == expected
