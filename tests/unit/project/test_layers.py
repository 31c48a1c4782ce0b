"""Packages of the library import those of lower layers alone."""

import ast
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# From the ground up: what stands first knows nothing of what follows.
LAYERS = [
    "runtime",
    "statistics",
    "metrics",
    "alpha",
    "datasets",
    "models",
    "training",
    "merging",
    "evaluation",
    "tables",
    "drawing",
    "analyses",
    "figures",
    "report",
    "config",
    "planning",
    "cli",
    "workflow",
]


def imported_packages(path: Path, package: Path) -> set[str]:
    """Packages of the library that a module imports from, wherever the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].relative_to(package).parts
            target = [*base, *(node.module.split(".") if node.module else [])]
            names |= {target[0]} if target else {alias.name for alias in node.names}
    return names


@pytest.mark.slow
def test_imports_run_downward():
    package = ROOT / "workflow_scripts" / "stockpot"
    assert {path.parent.name for path in package.glob("*/__init__.py")} == set(LAYERS)
    assert [path.name for path in package.glob("*.py")] == ["__init__.py"]
    upward = []
    for height, layer in enumerate(LAYERS):
        for path in sorted((package / layer).rglob("*.py")):
            above = imported_packages(path, package) & set(LAYERS[height + 1 :])
            upward += [f"{layer}/{path.name} imports {name}" for name in sorted(above)]
    assert upward == []
