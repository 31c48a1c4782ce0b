"""The page of errands names files that exist."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT


def errands() -> list[list[str]]:
    """Errand, files to open, what to look for, what comes then: a row each."""
    text = (ROOT / "docs" / "develop" / "errands.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_there_are_seven_errands_of_two_files_at_most():
    rows = errands()
    assert len(rows) == 7
    assert all(len(row) == 4 for row in rows)
    assert all(1 <= len(re.findall(r"`[^`]+`", row[1])) <= 2 for row in rows)


@pytest.mark.parametrize("errand", errands(), ids=lambda row: row[0])
def test_every_file_of_an_errand_is_there(errand):
    """And what to look for is in one of them."""
    _, opened, wanted, then = errand
    files = re.findall(r"`([^`]+)`", opened)
    copied = re.findall(r"`(\w+\.py)`", wanted)
    texts = []
    for file in files:
        names = copied if file.endswith("<name>.py") else [Path(file).name]
        folder = (ROOT / file).parent
        if file.endswith("<name>.csv"):
            names = [Path(name).stem + ".csv" for name in copied]
        assert names, file
        assert all((folder / name).is_file() for name in names), file
        texts += [(folder / name).read_text() for name in names]
    for symbol in re.findall(r"`(\w+)`", wanted):
        assert any(
            re.search(rf"^(def |class |){symbol}\b", text, re.M) for text in texts
        ), symbol
    targets = (ROOT / "Makefile").read_text()
    for reference in re.findall(r"`([^`]+)`", then):
        if reference.startswith("make "):
            assert f"\n{reference.split()[1]}:" in targets
        else:
            assert (ROOT / reference).is_file(), reference
