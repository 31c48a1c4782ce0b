"""Plug-ins by file name: a module in a package's folder is found under its own name.

What a plug-in says of itself is one object, its declaration, such as ``METHOD = Method(...)``.
"""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .errors import StockpotError
from .options import schemas


def names(package_file: str) -> list[str]:
    """Names of the modules beside a package's ``__init__.py``, with - for _.

    A module whose name begins with _ is a helper.
    """
    files = Path(package_file).parent.glob("[!_.]*.py")
    return sorted(p.stem.replace("_", "-") for p in files)


def load(package: str, package_file: str, name: str, function: str, what: str):
    """``function`` of the module ``name``. Raises StockpotError naming what there is."""
    known = names(package_file)
    if name not in known:
        raise StockpotError(f"unknown {what} '{name}'; there are {', '.join(known)}")
    return getattr(
        importlib.import_module(f"{package}.{name.replace('-', '_')}"), function
    )


def options(
    package: str, package_file: str, name: str, variable: str
) -> dict[str, dict]:
    """Key of the config -> JSON schema, of the options that a plug-in declares."""
    return schemas(declaration(package, package_file, name, variable).options)


@cache
def declaration(package: str, package_file: str, name: str, variable: str) -> Any:
    """The object that a plug-in assigns to ``variable`` at the top level of its module.

    The module itself is not imported, since planning must not load what the plug-in computes with
    (torch, pandas, matplotlib). Of its top-level statements only that assignment is run, and those
    that define a name which it mentions: the class of the options, imports, constants.

    Args:
        package: Name of the plug-ins' package.
        package_file: Its ``__init__.py``.
        name: Of the plug-in.
        variable: Name of the declaration, as METHOD.

    Raises:
        StockpotError: The module declares nothing, or what it declares is wrong.
    """
    stem = name.replace("-", "_")
    path = Path(package_file).parent / f"{stem}.py"
    statements = ast.parse(path.read_bytes()).body
    wanted = _needed_for(variable, statements)
    if not wanted:
        raise StockpotError(f"{path}: declares no {variable}")
    namespace = {"__name__": f"{package}.{stem}", "__package__": package}
    code = compile(ast.Module(wanted, []), path, "exec", dont_inherit=True)
    try:
        exec(code, namespace)
    except ValidationError as error:
        wrong = "; ".join(f"{what['loc'][0]}: {what['msg']}" for what in error.errors())
        raise StockpotError(f"{path}: {variable}: {wrong}") from error
    except Exception as error:
        raise StockpotError(f"{path}: {variable}: {error}") from error
    if "Options" in _definitions(statements) and "Options" not in _definitions(wanted):
        raise StockpotError(f"{path}: has Options that {variable} does not name")
    return namespace[variable]


def _needed_for(variable: str, statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statement that defines a name, and all that define what it mentions, in their order."""
    defined = _definitions(statements)
    needed: list[ast.stmt] = []
    waiting = [variable]
    while waiting:
        statement = defined.get(waiting.pop())
        if statement is not None and statement not in needed:
            needed.append(statement)
            waiting += _mentioned(statement)
    return [statement for statement in statements if statement in needed]


def _mentioned(statement: ast.stmt) -> list[str]:
    """Names that a statement reads; those of the fields of a class are none of them."""
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return [node.id for node in nodes if isinstance(node.ctx, ast.Load)]


def _definitions(statements: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Name -> the top-level statement that defines it."""
    return {name: statement for statement in statements for name in _defined(statement)}


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, ast.ClassDef | ast.FunctionDef):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (
                node.id for node in ast.walk(target) if isinstance(node, ast.Name)
            )
    elif isinstance(statement, ast.AnnAssign) and isinstance(
        statement.target, ast.Name
    ):
        yield statement.target.id


def defaults(options: dict[str, dict]) -> dict:
    """The values of the options that need not be given."""
    return {
        name: schema["default"]
        for name, schema in options.items()
        if "default" in schema
    }
