"""Plug-ins by file name: a module in a package's folder is found under its own name."""

import ast
import importlib
from functools import cache
from pathlib import Path

from .errors import StockpotError


def names(package_file: str) -> list[str]:
    """Names of the modules beside a package's ``__init__.py``, with - for _.

    A module whose name begins with _ is a helper.
    """
    files = Path(package_file).parent.glob("[!_]*.py")
    return sorted(p.stem.replace("_", "-") for p in files)


def load(package: str, package_file: str, name: str, function: str, what: str):
    """``function`` of the module ``name``. Raises StockpotError naming what there is."""
    known = names(package_file)
    if name not in known:
        raise StockpotError(f"unknown {what} '{name}'; there are {', '.join(known)}")
    return getattr(importlib.import_module(f"{package}.{name.replace('-', '_')}"), function)


def options(package_file: str, name: str) -> dict[str, dict]:
    """A module's literal ``OPTIONS``: key of the config -> JSON schema; {} where it has none.

    An option whose schema has no ``default`` must be given. Where a schema says
    ``{"from": "alpha.selectors", "name": "DEFAULT"}`` it has what that package has by that name,
    or what its function of that name returns.
    """
    return _with_names(literal(package_file, name, "OPTIONS") or {})


def _with_names(schema):
    """The schema with what it takes ``from`` packages of this library."""
    if isinstance(schema, list):
        return [_with_names(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if set(schema) == {"from", "name"}:
        library = __package__.partition(".")[0]
        value = getattr(importlib.import_module(f"{library}.{schema['from']}"), schema["name"])
        return value() if callable(value) else value
    return {key: _with_names(part) for key, part in schema.items()}


@cache
def literal(package_file: str, name: str, variable: str):
    """The literal that a module assigns to a variable; None where it assigns none.

    Read without importing, since planning must not load what the module computes with.
    """
    path = Path(package_file).parent / f"{name.replace('-', '_')}.py"
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == variable:
            return ast.literal_eval(node.value)
    return None


def defaults(options: dict[str, dict]) -> dict:
    """The values of the options that need not be given."""
    return {name: schema["default"] for name, schema in options.items() if "default" in schema}
