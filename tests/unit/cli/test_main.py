"""The command stockpot: its help, and its start."""

import re

import pytest

from stockpot import cli
from tests.support.interpreter import python


def test_every_command_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^ +{name}\s+\w", shown, re.M) for name in cli.COMMANDS)


@pytest.mark.process
def test_it_starts_without_heavy_libraries():
    loaded = python(
        "import json, sys; import stockpot.cli; print(json.dumps(list(sys.modules)))"
    )
    assert {"torch", "pandas", "matplotlib", "snakemake"} & set(loaded) == set()
