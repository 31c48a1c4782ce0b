"""The command ``stockpot``, and the package that is installed with it."""

import re
import sys
import tomllib

import pytest

from stockpot import cli
from tests.support.interpreter import python
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_a_study_is_named_by_its_files_and_settings(tmp_path, capsys):
    file = tmp_path / "study.yaml"
    file.write_text("study: mine\n", "utf-8")
    assert cli.main(["study-name"]) == 0
    assert cli.main(["study-name", "results/x.csv", "--configfile", str(file)]) == 0
    assert (
        cli.main(["study-name", "--configfile", str(file), "--config", "study=other"])
        == 0
    )
    assert capsys.readouterr().out.split() == ["objects", "mine", "other"]


def test_an_error_is_one_line(tmp_path, capsys):
    (tmp_path / "study.yaml").write_text("study: [\n", "utf-8")
    assert cli.main(["study-name", "--configfile", str(tmp_path / "study.yaml")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


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


def test_the_build_tool_is_the_one_that_is_pinned():
    """It is installed with the dependencies, so that installing the library needs no network."""
    assert set(PROJECT["build-system"]["requires"]) <= set(
        (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    )


def test_the_dependencies_are_written_once(monkeypatch):
    """Setuptools reads requirements.txt, which therefore holds requirements alone."""
    from setuptools.config.pyprojecttoml import read_configuration

    monkeypatch.chdir(ROOT)
    project = read_configuration(ROOT / "pyproject.toml")["project"]
    wanted = [line for line in project["dependencies"] if line.startswith("torch==")]
    assert len(wanted) == 1
    assert len(project["dependencies"]) > 20
    assert sys.version_info >= (3, 11)
    assert project["requires-python"] == ">=3.11"
