"""Definitions of a module as they are read from its text."""

import pytest

from stockpot.runtime.code_reading import read_module

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("exception", "counts"),
    [("NothingToShowError", True), ("DivergedError", True), ("ValueError", False)],
)
def test_messages_of_exceptions_count_only_where_they_are_results(
    tmp_path, exception, counts
):
    """These sentences stand in a table or in the card of a run."""
    digests = []
    for message in ("one", "two"):
        file = tmp_path / f"{message}.py"
        file.write_text(f"def f():\n    raise {exception}('{message}')\n")
        digests.append(read_module(file).definitions["f"].digest)
    assert (digests[0] != digests[1]) == counts
