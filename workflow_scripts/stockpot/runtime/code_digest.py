"""Digests: of plain data, of files and of code."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def canonical(value) -> str:
    """JSON with sorted keys and no spaces; the same data gives the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value):
    """The same data with sorted keys: what does not depend on the order in a file."""
    return json.loads(canonical(value))


def sha256(value) -> str:
    """Hex digest of plain data (dicts, lists, strings, numbers, None)."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def short(value) -> str:
    """The first 8 hex digits: enough to name a folder."""
    return sha256(value)[:8]


def sha256_file(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(*entries: str) -> str:
    """Digest of scripts, or modules of this package, and of all that they import from it.

    entries: paths relative to the folder of the scripts ("finetune.py",
    "stockpot/training/loop.py"). Comments, docstrings and blank lines do not count, so only
    a change of the code changes the digest.
    """
    return _code_digest(PACKAGE.parent, entries)


@cache
def _code_digest(scripts: Path, entries: tuple[str, ...]) -> str:
    found = set()
    for entry in entries:
        _collect((scripts / entry).resolve(), found)
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(f"{path.relative_to(scripts)}\0{_read(path)[0]}\0".encode())
    return digest.hexdigest()[:16]


def _collect(path: Path, found: set[Path]) -> None:
    if path not in found:
        found.add(path)
        packages = [
            folder / "__init__.py" for folder in path.parents if folder.is_relative_to(PACKAGE)
        ]
        for imported in (*_read(path)[1], *packages):
            _collect(imported, found)


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Digest of the syntax tree without docstrings, so that layout and remarks are not in it, and
    the files of this package that a script or module imports with ``from``, at any depth."""
    tree = ast.parse(path.read_bytes())
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        elif isinstance(node, ast.ImportFrom):
            imported += _files(path, node)
        elif isinstance(node, ast.Assign) and ast.unparse(node) == "EVERY_MODULE_COUNTS = True":
            # Its modules are chosen by a name that only a job knows.
            imported += sorted(path.parent.glob("*.py"))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(imported)


def _files(path: Path, node: ast.ImportFrom) -> list[Path]:
    """What of this package a file imports there: modules, and the ``__init__.py`` of packages."""
    names = (node.module or "").split(".")
    if node.level:
        base = path.parents[node.level - 1].joinpath(*names)
    elif names[0] == PACKAGE.name:
        base = PACKAGE.joinpath(*names[1:])
    else:
        return []
    named = (base, *(base / alias.name for alias in node.names))
    files = [file for name in named for file in (name.with_suffix(".py"), name / "__init__.py")]
    return [file for file in files if file.is_relative_to(PACKAGE) and file.is_file()]
