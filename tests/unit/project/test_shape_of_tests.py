"""Tests of modules lie as the modules do, in files that are short and stand alone."""

import ast
from pathlib import Path

import pytest

from tests.support.paths import ROOT, SCRIPTS

TESTS = ROOT / "tests"
UNIT = TESTS / "unit"
FILES = sorted(TESTS.rglob("test_*.py"))
# Tests of the project as a whole, which no module has to itself.
OF_THE_PROJECT = UNIT / "project"
MOST_LINES = 500


def name_of(path: Path) -> str:
    """The name of a file below tests/, as an id."""
    return path.relative_to(TESTS).as_posix()


def modules_of(package: Path) -> set[str]:
    """Modules and sub-packages of a package, without the underscores of private ones.

    Where ``__init__.py`` defines something, it counts under the name of the package.
    """
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    body = ast.parse((package / "__init__.py").read_text("utf-8")).body
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)
    own_name = {package.name} if defines else set()
    return {name.strip("_") for name in modules | packages} | own_name


def module_tested_by(file: Path) -> str | None:
    """The module that the name of a test file begins with: the longest that fits."""
    package = SCRIPTS / "stockpot" / file.parent.relative_to(UNIT)
    words = file.stem.removeprefix("test_").split("_")
    known = modules_of(package)
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((name for name in names if name in known), None)


def imported_test_files(text: str) -> list[str]:
    """Test files that a Python file imports, or takes names from."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
            # A function whose name begins with test_ would run twice.
            names += [alias.name for alias in node.names]
    return [name for name in names if name.rpartition(".")[2].startswith("test_")]


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.is_relative_to(UNIT)],
    ids=name_of,
)
def test_a_test_file_is_called_after_a_module_of_its_package(file):
    if file.parent == OF_THE_PROJECT:
        return
    assert file.parent != UNIT, "move it into the folder of the package that it tests"
    package = file.parent.relative_to(UNIT)
    assert (SCRIPTS / "stockpot" / package).is_dir(), f"there is no package {package}"
    assert module_tested_by(file), f"no module or sub-package of {package} is called so"


def test_the_longest_name_that_fits_is_the_module_that_is_tested():
    assert module_tested_by(UNIT / "runtime/test_code_digest_words.py") == "code_digest"
    assert module_tested_by(UNIT / "runtime/test_digest.py") == "digest"
    assert module_tested_by(UNIT / "datasets/test_sources.py") == "sources"
    assert module_tested_by(UNIT / "figures/test_figures_large.py") == "figures"
    assert module_tested_by(UNIT / "datasets/sources/test_own.py") == "own"
    assert module_tested_by(UNIT / "runtime/test_digested.py") is None


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_test_file_is_short(file):
    lines = len(file.read_text("utf-8").splitlines())
    assert lines <= MOST_LINES, "move a theme to test_<module>_<theme>.py"


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.py")), ids=name_of)
def test_no_file_imports_a_test_file(file):
    found = imported_test_files(file.read_text("utf-8"))
    assert found == [], "what several files need lies in tests/support"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "from tests.unit.training.test_loss import loss",
            ["tests.unit.training.test_loss"],
        ),
        ("from tests.unit.training import test_loss", ["test_loss"]),
        ("from .test_loss import loss", ["test_loss"]),
        ("import tests.unit.test_loss", ["tests.unit.test_loss"]),
        ("from tests.support.paths import ROOT", []),
    ],
)
def test_every_form_of_import_is_seen(text, names):
    assert imported_test_files(text) == names
