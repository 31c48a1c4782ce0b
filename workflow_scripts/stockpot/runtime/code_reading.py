"""What a Python file consists of: its definitions, what each computes and which names it uses.

Of a definition (a function, a class, a constant) these do not count:

- comments, docstrings, blank lines and annotations, but those of the fields of a class, which
  libraries read;
- messages: the arguments of what is raised, of exceptions, of logging and of warnings;
- descriptions of options;
- import statements, and how imported names and names of the module are called in the file: what
  they stand for counts instead.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

BODY = ""  # name of what a module does when it is imported, beside its definitions
STAR = "*"  # of ``from module import *``: what it stands for is all of that module
NOTHING = "[]"  # how statements are written none of which computes anything

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CALLED = (*_FUNCTIONS, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_LOGGERS = ("log", "logger", "logging", "warnings")
_LOG_CALLS = (
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "critical",
    "log",
    "warn",
)
# Their sentence is the table of an analysis, or stands in the card of a run.
_WRITTEN_INTO_RESULTS = ("NothingToShowError", "DivergedError")
# Keys and arguments that tell of an option.
_DESCRIPTIONS = ("description", "json_schema_extra")
# Fields of syntax nodes that change nothing in what is computed.
_SILENT_FIELDS = {"ctx", "kind", "returns", "simple", "type_comment", "type_ignores"}


class Import(NamedTuple):
    """``from ..module import name``, with a level of 2; ``import module`` has no name."""

    level: int
    module: str
    name: str = ""


class Use(NamedTuple):
    """A name of the module, or an imported one, and the attributes behind it: ``name.a.b``."""

    name: str
    attributes: tuple[str, ...] = ()


class Code(NamedTuple):
    """What a definition computes.

    digest: of its syntax tree, in which the n-th use is called ``#n``; "" where it does nothing.
    imports: what it imports itself, by the names that this has there.
    """

    digest: str
    uses: tuple[Use, ...]
    imports: dict[str, list[Import]]


class Module(NamedTuple):
    """The code of a file by definition; ``BODY`` is all else that it does.

    called: names of its functions and classes. imports: what it imports, by name. loads: the
    modules that run when it is imported.
    """

    definitions: dict[str, Code]
    called: list[str]
    imports: dict[str, list[Import]]
    loads: list[Import]


@cache
def read_module(path: Path) -> Module:
    """The definitions of a file. Raises OSError, or SyntaxError for what is no Python."""
    statements = [
        s for s in ast.parse(path.read_bytes()).body if not _is_for_type_checks(s)
    ]
    by_name: dict[str, list[ast.stmt]] = {BODY: []}
    outside = []  # statements whose imports are the module's
    for statement in statements:
        names = _defined_names(statement)
        for name in names or [BODY]:
            by_name.setdefault(name, []).append(statement)
        if not isinstance(statement, _CALLED):
            outside.append(statement)
    imports, loads = _imports(outside)
    known = by_name.keys() | imports.keys()
    definitions = {name: _code(nodes, known) for name, nodes in by_name.items()}
    # What the body imports is the module's.
    definitions[BODY] = definitions[BODY]._replace(imports={})
    return Module(
        definitions,
        [statement.name for statement in statements if isinstance(statement, _CALLED)],
        imports,
        loads,
    )


def _is_for_type_checks(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.If) and _last_name(statement.test) == "TYPE_CHECKING"
    )


def _defined_names(statement: ast.stmt) -> list[str]:
    """Names that a statement of a module defines; none of one that does anything else.

    What is named within ``if``, ``for``, ``try`` or ``with`` belongs to the body of the module.
    """
    if isinstance(statement, _CALLED):
        return [statement.name]
    if not isinstance(statement, _ASSIGNMENTS):
        return []
    # Of the targets alone: in the value, the variable of a comprehension is stored as well.
    targets = (
        statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    )
    nodes = [
        node
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name)
    ]
    return [node.id for node in nodes if isinstance(node.ctx, ast.Store)]


def _imports(
    statements: Iterable[ast.stmt],
) -> tuple[dict[str, list[Import]], list[Import]]:
    """(name -> what it may stand for, all that is loaded) of the imports in some statements."""
    named: dict[str, list[Import]] = {}
    loads = []
    for statement in _import_statements(statements):
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                what = Import(statement.level, statement.module or "", alias.name)
                loads.append(what)
                name = alias.asname or alias.name
            else:
                loads.append(Import(0, alias.name))
                first = alias.name.partition(".")[0]
                what = Import(0, alias.name if alias.asname else first)
                name = alias.asname or first
            named.setdefault(name, []).append(what)
    return named, loads


def _import_statements(
    nodes: Iterable[ast.AST],
) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in nodes:
        if isinstance(node, _IMPORTS):
            yield node
        elif not _is_for_type_checks(node):
            yield from _import_statements(ast.iter_child_nodes(node))


def _code(nodes: list[ast.stmt], known: set[str]) -> Code:
    imports, _ = _imports(nodes)
    writer = _Writer(known | imports.keys(), _bound_names(nodes))
    writer.write(nodes)
    if STAR in writer.known:
        writer.uses.append(Use(STAR))
    text = "".join(writer.parts)
    digest = hashlib.sha256(text.encode()).hexdigest() if text != NOTHING else ""
    return Code(digest, tuple(writer.uses), imports)


def _bound_names(nodes: list[ast.stmt]) -> set[str]:
    """Names that get a value somewhere within a definition, and may hide those of the module."""
    names = set()
    for node in (inner for top in nodes for inner in ast.walk(top)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest)
        elif isinstance(node, _CALLED) and node not in nodes:
            names.add(node.name)
    return names


class _Writer:
    """Writes a syntax tree as text, without what computes nothing."""

    def __init__(self, known: set[str], bound: set[str]):
        """known: names whose use counts. bound: those that are written as they are."""
        self.known = known
        self.bound = bound
        self.parts: list[str] = []
        self.uses: list[Use] = []
        self.in_class = False

    def write(self, node) -> None:
        if isinstance(node, list):
            self.parts.append("[")
            for entry in node:
                self.write(entry)
            self.parts.append("]")
        elif isinstance(node, ast.AST):
            special = getattr(self, f"write_{type(node).__name__}", None)
            (special or self.write_fields)(node)
        else:
            self.parts.append(f"{node!r},")

    def write_fields(self, node: ast.AST, *left_out: str) -> None:
        self.parts.append(f"{type(node).__name__}(")
        for field, value in ast.iter_fields(node):
            if (
                field in _SILENT_FIELDS
                or field in left_out
                or value is None
                or value == []
            ):
                continue
            before = len(self.parts)
            self.parts.append(f"{field}=")
            self.write(value)
            if (
                isinstance(value, list) and len(self.parts) == before + 3
            ):  # none computes anything
                del self.parts[before:]
        self.parts.append(")")

    def skip(self, node: ast.AST) -> None:
        """What computes nothing."""

    write_Import = write_Pass = skip

    def write_ImportFrom(self, node: ast.ImportFrom) -> None:
        if self.in_class:  # an attribute of the class
            for alias in node.names:
                self.write_use(alias.asname or alias.name, ())

    def write_Constant(self, node: ast.Constant) -> None:
        self.parts.append(f"{node.value!r},")

    def write_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.write_use(node.id, ())
        else:  # a name that gets a value is not used by that
            self.parts.append(f"{node.id},")

    def write_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.write_use(node.target.id, ())
        self.write_fields(node)

    def write_Attribute(self, node: ast.Attribute) -> None:
        names, base = [], node
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            self.write_use(base.id, tuple(reversed(names)))
        else:
            self.write_fields(node)

    def write_use(self, name: str, attributes: tuple[str, ...]) -> None:
        shown = name
        if name in self.known:
            use = Use(name, attributes)
            if use not in self.uses:
                self.uses.append(use)
            if name not in self.bound:
                shown = f"#{self.uses.index(use)}"
        self.parts.append(".".join([shown, *attributes]) + ",")

    def write_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, self.in_class = self.in_class, False
        self.write_fields(node)
        self.in_class = outer

    write_FunctionDef = write_AsyncFunctionDef = write_function

    def write_ClassDef(self, node: ast.ClassDef) -> None:
        outer, self.in_class = self.in_class, True
        self.write_fields(node)
        self.in_class = outer

    def write_arg(self, node: ast.arg) -> None:
        self.parts.append(f"{node.arg},")

    def write_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.in_class:
            self.write_fields(node)
        elif node.value is not None:
            self.write_fields(ast.Assign([node.target], node.value))

    def write_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant) and not _is_message(node.value):
            self.write_fields(node)

    def write_If(self, node: ast.If) -> None:
        if not _is_for_type_checks(node):
            self.write_fields(node)

    def write_Assert(self, node: ast.Assert) -> None:
        self.write_fields(node, "msg")

    def write_Raise(self, node: ast.Raise) -> None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        is_result = raised is not None and _last_name(raised) in _WRITTEN_INTO_RESULTS
        self.write_fields(node if is_result else ast.Raise(raised))

    def write_Call(self, node: ast.Call) -> None:
        is_exception = _last_name(node.func).endswith(("Error", "Warning", "Exception"))
        self.write_fields(node, *(("args", "keywords") if is_exception else ()))

    def write_keyword(self, node: ast.keyword) -> None:
        # The class of options that a plug-in declares is for planning; jobs get the values.
        is_planned = node.arg == "options" and _last_name(node.value).istitle()
        if node.arg not in _DESCRIPTIONS and not is_planned:
            self.write_fields(node)

    def write_Dict(self, node: ast.Dict) -> None:
        pairs = zip(node.keys, node.values, strict=True)
        kept = [(key, value) for key, value in pairs if not _is_description(key)]
        self.write_fields(
            ast.Dict([key for key, _ in kept], [value for _, value in kept])
        )


def _is_description(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value in _DESCRIPTIONS


def _is_message(node: ast.expr) -> bool:
    """A call of logging or of warnings."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return _last_name(node.func.value) in _LOGGERS and node.func.attr in _LOG_CALLS


def _last_name(node: ast.expr) -> str:
    """A name, or the last part of a dotted one; "" of all else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
