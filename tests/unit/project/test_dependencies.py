"""Versions of all dependencies agree, and are written once."""

import sys
import tomllib
from importlib import metadata

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


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


def pins(lines: list[str]) -> list[str]:
    return sorted(line.split(" #")[0].strip() for line in lines if "==" in line)


def test_the_conda_environment_has_our_versions():
    environment = yaml.safe_load((ROOT / "envs" / "stockpot.yaml").read_text())
    packages = next(
        entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)
    )
    assert pins(packages) == pins((ROOT / "requirements.txt").read_text().splitlines())


def test_every_package_that_is_installed_with_ours_is_pinned():
    pinned, wanted, seen = set(), [], set()
    for file in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        lines = pins((ROOT / file).read_text().splitlines())
        pinned |= {canonicalize_name(line.split("==")[0]) for line in lines}
        wanted += (
            [] if file == "constraints.txt" else [Requirement(line) for line in lines]
        )
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in metadata.requires(name) or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    wanted.append(needed)
    assert {name for name, _ in seen} - pinned == set()
