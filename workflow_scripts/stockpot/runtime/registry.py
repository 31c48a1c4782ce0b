"""Find plug-ins by file name: a module in the folder of a package is known by its own name.

What a plug-in says of itself is one object, its declaration, such as ``METHOD = Method(...)``.
"""

import ast
import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .errors import StockpotError
from .options import schemas


def names(package_file: str) -> list[str]:
    """List the plug-ins of a package.

    Args:
        package_file: The ``__init__.py`` of the package.

    Returns:
        Sorted names of the modules beside that file, with "-" for "_". A module whose name begins
        with "_" is a helper and no plug-in.
    """
    folder = Path(package_file).parent
    plugin_names = []
    for path in folder.glob("[!_.]*.py"):
        plugin_names.append(path.stem.replace("_", "-"))
    return sorted(plugin_names)


def load(
    package: str,
    package_file: str,
    name: str,
    function: str,
    what: str,
) -> Callable[..., Any]:
    """Import a plug-in and return one of its functions.

    Args:
        package: Dotted name of the package of plug-ins.
        package_file: Its ``__init__.py``.
        name: Name of the plug-in.
        function: Name of the function.
        what: Kind of plug-in, for the error, as "merge method".

    Returns:
        The function.

    Raises:
        StockpotError: If there is no such plug-in. The error lists those that there are.
    """
    known = names(package_file)
    if name not in known:
        known_text = ", ".join(known)
        raise StockpotError(f"unknown {what} '{name}'; there are {known_text}")
    module_name = name.replace("-", "_")
    module = importlib.import_module(f"{package}.{module_name}")
    return getattr(module, function)


def options(
    package: str,
    package_file: str,
    name: str,
    variable: str,
) -> dict[str, dict[str, Any]]:
    """Return the options that a plug-in declares.

    Args:
        package: Dotted name of the package of plug-ins.
        package_file: Its ``__init__.py``.
        name: Name of the plug-in.
        variable: Name of the declaration, as "METHOD".

    Returns:
        Key in the config -> its JSON schema.

    Raises:
        StockpotError: As ``declaration``.
    """
    declared = declaration(package, package_file, name, variable)
    return schemas(declared.options)


@cache
def declaration(
    package: str,
    package_file: str,
    name: str,
    variable: str,
) -> Any:
    """Return the object that a plug-in assigns to a variable at the top level of its module.

    The module itself is not imported, because planning must not load what the plug-in computes with
    (torch, pandas, matplotlib). Only some of its top-level statements are run: the assignment, and
    those that define a name which it mentions (the class of the options, imports, constants).

    Args:
        package: Dotted name of the package of plug-ins.
        package_file: Its ``__init__.py``.
        name: Name of the plug-in.
        variable: Name of the declaration, as "METHOD".

    Returns:
        The declaration.

    Raises:
        StockpotError: If the module declares nothing, or if its declaration is wrong.
    """
    module_name = name.replace("-", "_")
    path = Path(package_file).parent / f"{module_name}.py"
    statements = ast.parse(path.read_bytes()).body
    needed = _needed_statements(variable, statements)
    if not needed:
        raise StockpotError(f"{path}: declares no {variable}")
    namespace = {
        "__name__": f"{package}.{module_name}",
        "__package__": package,
    }
    reduced_module = ast.Module(needed, [])
    code = compile(
        reduced_module,
        path,
        "exec",
        dont_inherit=True,  # without the future imports of this file
    )
    try:
        exec(code, namespace)
    except ValidationError as error:
        problems = _problems(error)
        raise StockpotError(f"{path}: {variable}: {problems}") from error
    except Exception as error:
        raise StockpotError(f"{path}: {variable}: {error}") from error
    has_options = "Options" in _definitions(statements)
    names_options = "Options" in _definitions(needed)
    if has_options and not names_options:
        raise StockpotError(f"{path}: has Options that {variable} does not name")
    return namespace[variable]


def _problems(error: ValidationError) -> str:
    """Put all mistakes of a declaration into one line."""
    problems = []
    for problem in error.errors():
        field = problem["loc"][0]
        message = problem["msg"]
        problems.append(f"{field}: {message}")
    return "; ".join(problems)


def _needed_statements(
    variable: str,
    statements: list[ast.stmt],
) -> list[ast.stmt]:
    """Select the statement that defines a name, and all that define what it mentions, in order."""
    definitions = _definitions(statements)
    needed: list[ast.stmt] = []
    waiting = [variable]
    while waiting:
        name = waiting.pop()
        statement = definitions.get(name)
        if statement is not None and statement not in needed:
            needed.append(statement)
            waiting += _mentioned_names(statement)
    return [statement for statement in statements if statement in needed]


def _mentioned_names(statement: ast.stmt) -> list[str]:
    """List the names that a statement reads; fields of a class are only assigned, so not these."""
    read_names = []
    for node in ast.walk(statement):
        if not isinstance(node, ast.Name):
            continue
        if isinstance(node.ctx, ast.Load):
            read_names.append(node.id)
    return read_names


def _definitions(statements: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Map names to the top-level statements that define them; the last one counts."""
    definitions = {}
    for statement in statements:
        for name in _defined_names(statement):
            definitions[name] = statement
    return definitions


def _defined_names(statement: ast.stmt) -> list[str]:
    """List the names that a top-level statement defines."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        imported_names = []
        for alias in statement.names:
            # ``import a.b`` defines a.
            top_level = alias.name.partition(".")[0]
            imported_names.append(alias.asname or top_level)
        return imported_names
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return _names_in(statement.targets)
    if isinstance(statement, ast.AnnAssign):
        target = statement.target
        if isinstance(target, ast.Name):
            return [target.id]
    return []


def _names_in(targets: list[ast.expr]) -> list[str]:
    """List all names in the targets of an assignment."""
    found_names = []
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                found_names.append(node.id)
    return found_names


def defaults(options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the values of the options that need not be given.

    Args:
        options: Key -> JSON schema, as from ``options``.

    Returns:
        Key -> default, without the required options.
    """
    values = {}
    for key, schema in options.items():
        if "default" in schema:
            values[key] = schema["default"]
    return values
