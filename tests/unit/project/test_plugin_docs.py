"""Every plug-in and its options are in the docs."""

import json

from tests.support.paths import ROOT


def test_every_option_of_a_merge_method_is_in_the_docs():
    from stockpot.merging import methods

    rows = (
        (ROOT / "docs" / "guide" / "methods.md")
        .read_text()
        .split("## Options")[1]
        .splitlines()
    )
    cells = [
        [cell.strip(" `") for cell in row.split("|")]
        for row in rows
        if row[:3] == "| `"
    ]
    listed = {(method, key) for _, method, key, *_ in cells}
    assert listed == {
        (name, key) for name in methods.names() for key in methods.options(name)
    }
    assert all(text for _, _, _, _, _, text, _ in cells)


def test_every_merge_method_is_in_the_docs():
    from stockpot.merging import methods

    table = (ROOT / "docs" / "guide" / "methods.md").read_text().split("\n## ")[0]
    listed = [
        line.split("`")[1] for line in table.splitlines() if line.startswith("| `")
    ]
    assert sorted(set(listed) - {"method"}) == methods.names()


def test_every_analysis_selector_and_option_is_in_the_docs():
    from stockpot import analyses
    from stockpot.alpha import selectors

    text = (ROOT / "docs" / "guide" / "analyses.md").read_text()
    first, _, rest = text.partition("## Ways to choose alpha")
    listed = [
        line.split("`")[1] for line in first.splitlines() if line.startswith("| `")
    ]
    assert sorted(set(listed) - {"analysis"}) == analyses.names()
    assert all(
        f"`{name}`" in rest.split("## Statistics")[0] for name in selectors.names()
    )
    rows = [
        line
        for line in text.split("## Options")[1].splitlines()
        if line.startswith("| `")
    ]
    cells = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]
    options = {
        (name, key): analyses.options(name)[key]
        for name in analyses.names()
        for key in analyses.options(name)
    }
    assert {(name, key): [default, text] for name, key, default, _, text in cells} == {
        place: [json.dumps(schema["default"]), schema["description"]]
        for place, schema in options.items()
    }
