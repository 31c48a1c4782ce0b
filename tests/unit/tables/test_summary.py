"""The summary of findings says when the claims hold."""

import pandas as pd

from stockpot.tables.summary import TITLE, summary


def test_the_summary_asks_whether_the_claims_hold_and_says_when_they_do():
    """A finding without its rule says little: "not significantly worse" holds at -0.1 points."""
    columns = ["finding", "compared", "dataset", "value", "low", "high", "supported"]
    rows = [
        [
            "fine-tuning gains at least 8 points on the reference",
            "a - b",
            "reference",
            0.1,
            0,
            0.2,
            True,
        ],
        [
            "the sweep lies above the chord (least distance, oracle)",
            "a alpha=0.5 - chord",
            "reference",
            -0.01,
            -0.02,
            0.0,
            False,
        ],
    ]
    text = summary({"seed0": pd.DataFrame(rows, columns=columns)}, {"seed0": "| a |"})
    assert text.startswith(f"# {TITLE}\n")  # which the page has as its own title
    assert text.startswith(
        "# Do the papers' claims hold here?\n\n1 of 2 do, by the criteria below"
    )
    beginnings = [
        "fine-tuning gains",
        "fine-tuning loses",
        "an inner alpha",
        "alpha 0.5 against",
        "the sweep lies above the chord",
        "a soup against",
        "above the baseline fit",
    ]
    criteria = [
        line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")
    ]
    assert len(criteria) == len(beginnings)
    for criterion, beginning in zip(criteria, beginnings):
        assert criterion.lower().startswith(beginning)
        assert ":" in criterion
    assert "at least 8 points" in text
    assert "at least 3 points" in text
    assert "at most 0.5" in text
