"""Read a Python file: its definitions, what each computes and which names it uses.

A definition is a function, a class or a constant at the top level of a module. Its digest does not
depend on

- comments, docstrings, blank lines and annotations, except the annotations of the fields of a
  class, because libraries read those;
- messages: the arguments of what is raised, of exceptions, of logging and of warnings;
- descriptions of options;
- import statements, and the names that a file gives to imported or own definitions. What such a
  name stands for counts instead; ``code_digest`` follows it.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

# Name of the pseudo-definition that holds what a module does when it is imported: all top-level
# statements that define nothing.
BODY = ""
# The name in ``from module import *``. It stands for everything in that module.
STAR = "*"
# How a list of statements is written if none of them computes anything.
EMPTY_LIST = "[]"

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_FUNCTION_OR_CLASS = (*_FUNCTIONS, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
)
_LOGGERS = ("log", "logger", "logging", "warnings")
_LOG_METHODS = (
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "critical",
    "log",
    "warn",
)
# Exceptions whose message is a result: the table of an analysis, or a line in the card of a run.
_WRITTEN_INTO_RESULTS = ("NothingToShowError", "DivergedError")
_EXCEPTION_SUFFIXES = ("Error", "Warning", "Exception")
# Keys of dictionaries and keyword arguments that only describe an option.
_DESCRIPTIONS = ("description", "json_schema_extra")
# Fields of syntax nodes that change nothing in what is computed.
_SILENT_FIELDS = {"ctx", "kind", "returns", "simple", "type_comment", "type_ignores"}


class Import(NamedTuple):
    """One imported name.

    Attributes:
        level: Number of leading dots; 0 for an absolute import.
        module: Dotted name after the dots.
        name: Name in ``from module import name``; empty for ``import module``.
    """

    level: int
    module: str
    name: str = ""


class Use(NamedTuple):
    """A use of a definition or of an imported name, such as ``name.first.second``.

    Attributes:
        name: First part.
        attributes: All further parts.
    """

    name: str
    attributes: tuple[str, ...] = ()


class Code(NamedTuple):
    """What a definition computes.

    Attributes:
        digest: SHA-256 of its syntax tree, in which the n-th use is called ``#n``. Empty where the
            definition does nothing.
        uses: All different uses, in the order in which they first occur.
        imports: Imports within the definition, by the name that each has there.
    """

    digest: str
    uses: tuple[Use, ...]
    imports: dict[str, list[Import]]


class Module(NamedTuple):
    """The code of a file.

    Attributes:
        definitions: Name -> code. The entry ``BODY`` is all else that the file does.
        callables: Names of its functions and classes.
        imports: Name -> the imports that it may stand for.
        loads: Imports that happen when the file is imported.
    """

    definitions: dict[str, Code]
    callables: list[str]
    imports: dict[str, list[Import]]
    loads: list[Import]


@cache
def read_module(path: Path) -> Module:
    """Read the definitions of a file, once per process.

    Args:
        path: A Python file.

    Returns:
        Its code by definition.

    Raises:
        OSError: If the file cannot be read.
        SyntaxError: If it is not Python.
    """
    return _read_source(path.read_bytes())


@cache
def _read_source(source: bytes) -> Module:
    """Read definitions; files of the same content, such as those of a copy, are read once."""
    tree = ast.parse(source)
    statements = [node for node in tree.body if not _is_for_type_checks(node)]
    statements_by_name = _statements_by_name(statements)

    callables = []
    # Imports within a function or class happen when that is run, all others when the module is.
    module_level = []
    for statement in statements:
        if isinstance(statement, _FUNCTION_OR_CLASS):
            callables.append(statement.name)
        else:
            module_level.append(statement)
    imports, loads = _imports(module_level)

    known_names = statements_by_name.keys() | imports.keys()
    definitions = {}
    for name, nodes in statements_by_name.items():
        definitions[name] = _code(nodes, known_names)
    # What the body imports is already in the imports of the module.
    definitions[BODY] = definitions[BODY]._replace(imports={})
    return Module(definitions, callables, imports, loads)


def _statements_by_name(statements: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Map each name to the statements that define it; ``BODY`` to those that define none."""
    by_name: dict[str, list[ast.stmt]] = {BODY: []}
    for statement in statements:
        names = _defined_names(statement)
        if not names:
            names = [BODY]
        for name in names:
            by_name.setdefault(name, []).append(statement)
    return by_name


def _is_for_type_checks(node: ast.AST) -> bool:
    """Tell whether a statement is ``if TYPE_CHECKING:``, which never runs."""
    if not isinstance(node, ast.If):
        return False
    return _last_name(node.test) == "TYPE_CHECKING"


def _defined_names(statement: ast.stmt) -> list[str]:
    """List the names that a top-level statement defines.

    What is named within ``if``, ``for``, ``try`` or ``with`` belongs to the body of the module.
    """
    if isinstance(statement, _FUNCTION_OR_CLASS):
        return [statement.name]
    if not isinstance(statement, _ASSIGNMENTS):
        return []
    has_several = isinstance(statement, ast.Assign)  # as in ``first = second = value``
    targets = statement.targets if has_several else [statement.target]
    names = []
    # The value is not searched: the variable of a comprehension is stored there as well.
    for target in targets:
        for node in ast.walk(target):
            if not isinstance(node, ast.Name):
                continue
            if isinstance(node.ctx, ast.Store):
                names.append(node.id)
    return names


def _imports(
    statements: Iterable[ast.stmt],
) -> tuple[dict[str, list[Import]], list[Import]]:
    """Collect the imports in statements: by the name that they define, and all in order."""
    by_name: dict[str, list[Import]] = {}
    loads: list[Import] = []
    for statement in _import_statements(statements):
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                # ``from . import name`` has no module.
                module = statement.module or ""
                imported = Import(statement.level, module, alias.name)
                loads.append(imported)
                name = alias.asname or alias.name
            else:
                # ``import a.b`` loads a.b and defines a; ``import a.b as c`` defines c as a.b.
                loads.append(Import(0, alias.name))
                top_level = alias.name.partition(".")[0]
                if alias.asname:
                    name = alias.asname
                    imported = Import(0, alias.name)
                else:
                    name = top_level
                    imported = Import(0, top_level)
            by_name.setdefault(name, []).append(imported)
    return by_name, loads


def _import_statements(
    nodes: Iterable[ast.AST],
) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield all import statements in syntax trees, except those for type checks."""
    for node in nodes:
        if isinstance(node, _IMPORTS):
            yield node
        elif not _is_for_type_checks(node):
            yield from _import_statements(ast.iter_child_nodes(node))


def _code(
    nodes: list[ast.stmt],
    known_names: set[str],
) -> Code:
    """Digest the statements of one definition."""
    imports, _ = _imports(nodes)
    names_of_uses = known_names | imports.keys()
    bound_names = _bound_names(nodes)
    writer = _TreeWriter(names_of_uses, bound_names)
    writer.write(nodes)
    # After a star import any name may come from that module, so the definition uses it as a whole.
    if STAR in writer.known_names:
        writer.uses.append(Use(STAR))
    text = "".join(writer.pieces)
    digest = ""
    if text != EMPTY_LIST:
        digest = hashlib.sha256(text.encode()).hexdigest()
    return Code(digest, tuple(writer.uses), imports)


def _bound_names(nodes: list[ast.stmt]) -> set[str | None]:
    """Collect names that get a value within a definition; they may hide names of the module."""
    names: set[str | None] = set()
    for statement in nodes:
        for node in ast.walk(statement):
            names.update(_names_bound_by(node, nodes))
    return names


def _names_bound_by(
    node: ast.AST,
    definition: list[ast.stmt],
) -> list[str | None]:
    """List the names to which one syntax node within a definition gives a value."""
    if isinstance(node, ast.Name):
        is_read = isinstance(node.ctx, ast.Load)
        return [] if is_read else [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.Global | ast.Nonlocal):
        return node.names
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return [node.name]  # None where the node names nothing
    if isinstance(node, ast.MatchMapping):
        return [node.rest]
    # The definition itself is no name within it; functions and classes inside it are.
    if isinstance(node, _FUNCTION_OR_CLASS) and node not in definition:
        return [node.name]
    return []


class _TreeWriter:
    """Writes a syntax tree as text, without what computes nothing.

    Attributes:
        known_names: Names of the module and of imports, whose uses are recorded.
        bound_names: Names that are written as they are, although they may be known.
        pieces: The text so far.
        uses: All different uses so far.
        in_class: Whether the statements that are being written are those of a class.
    """

    def __init__(
        self,
        known_names: set[str],
        bound_names: set[str | None],
    ):
        self.known_names = known_names
        self.bound_names = bound_names
        self.pieces: list[str] = []
        self.uses: list[Use] = []
        self.in_class = False

    def write(self, node: Any) -> None:
        """Append the text of a part of the tree to ``pieces``.

        Args:
            node: A syntax node, a list of nodes, or a plain value of a field.
        """
        if isinstance(node, list):
            self.pieces.append("[")
            for entry in node:
                self.write(entry)
            self.pieces.append("]")
        elif isinstance(node, ast.AST):
            write_node = self._SPECIAL_NODES.get(type(node))
            if write_node is None:
                self._write_fields(node)
            else:
                write_node(self, node)
        else:
            self.pieces.append(f"{node!r},")

    def _write_fields(
        self,
        node: ast.AST,
        *omitted: str,
    ) -> None:
        """Write the type of a node and all its fields, except empty, silent and omitted ones."""
        type_name = type(node).__name__
        self.pieces.append(f"{type_name}(")
        for field, value in ast.iter_fields(node):
            if field in _SILENT_FIELDS or field in omitted:
                continue
            if value is None or value == []:
                continue
            length_before = len(self.pieces)
            self.pieces.append(f"{field}=")
            self.write(value)
            # Three pieces, "field=", "[" and "]", mean that no entry of the list computes anything.
            is_empty = len(self.pieces) == length_before + 3
            if isinstance(value, list) and is_empty:
                del self.pieces[length_before:]
        self.pieces.append(")")

    def _write_nothing(self, node: ast.AST) -> None:
        """Skip a node that computes nothing."""

    def _write_import_from(self, node: ast.ImportFrom) -> None:
        """Write an import only in a class, where it defines attributes."""
        if self.in_class:
            for alias in node.names:
                name = alias.asname or alias.name
                self._write_use(name, ())

    def _write_constant(self, node: ast.Constant) -> None:
        """Write the value of a constant."""
        self.pieces.append(f"{node.value!r},")

    def _write_name(self, node: ast.Name) -> None:
        """Write a name. A name that gets a value is not used by that."""
        if isinstance(node.ctx, ast.Load):
            self._write_use(node.id, ())
        else:
            self.pieces.append(f"{node.id},")

    def _write_augmented_assignment(self, node: ast.AugAssign) -> None:
        """Write ``name += value``, which uses the name although it is only stored."""
        if isinstance(node.target, ast.Name):
            self._write_use(node.target.id, ())
        self._write_fields(node)

    def _write_attribute(self, node: ast.Attribute) -> None:
        """Write ``name.first.second`` as one use, and any other attribute by its fields."""
        reversed_attributes = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            reversed_attributes.append(base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            attributes = tuple(reversed(reversed_attributes))
            self._write_use(base.id, attributes)
        else:
            self._write_fields(node)

    def _write_use(
        self,
        name: str,
        attributes: tuple[str, ...],
    ) -> None:
        """Write a dotted name; ``#n`` stands for a known one, so that renaming changes nothing."""
        shown_name = name
        if name in self.known_names:
            use = Use(name, attributes)
            if use not in self.uses:
                self.uses.append(use)
            # A bound name may be a local variable here, so its own name has to stay.
            if name not in self.bound_names:
                shown_name = f"#{self.uses.index(use)}"
        dotted_name = ".".join([shown_name, *attributes])
        self.pieces.append(f"{dotted_name},")

    def _write_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Write a function; annotations within it do not count."""
        self._write_block(node, in_class=False)

    def _write_class(self, node: ast.ClassDef) -> None:
        """Write a class; annotations of its fields count."""
        self._write_block(node, in_class=True)

    def _write_block(
        self,
        node: ast.stmt,
        *,
        in_class: bool,
    ) -> None:
        outer_in_class = self.in_class
        self.in_class = in_class
        self._write_fields(node)
        self.in_class = outer_in_class

    def _write_argument(self, node: ast.arg) -> None:
        """Write the name of a parameter, without its annotation."""
        self.pieces.append(f"{node.arg},")

    def _write_annotated_assignment(self, node: ast.AnnAssign) -> None:
        """Write ``name: type = value`` as ``name = value``, except in a class."""
        if self.in_class:
            self._write_fields(node)
        elif node.value is not None:
            assignment = ast.Assign([node.target], node.value)
            self._write_fields(assignment)

    def _write_expression(self, node: ast.Expr) -> None:
        """Write an expression statement, unless it is a docstring or a message."""
        is_docstring = isinstance(node.value, ast.Constant)
        if not is_docstring and not _is_message(node.value):
            self._write_fields(node)

    def _write_if(self, node: ast.If) -> None:
        """Write a condition, unless it is for type checks."""
        if not _is_for_type_checks(node):
            self._write_fields(node)

    def _write_assert(self, node: ast.Assert) -> None:
        """Write an assertion without its message."""
        self._write_fields(node, "msg")

    def _write_raise(self, node: ast.Raise) -> None:
        """Write which exception is raised; its arguments only if they end up in results."""
        raised = node.exc
        if isinstance(raised, ast.Call):
            raised = raised.func
        # A ``raise`` without an exception raises the one that is being handled.
        name = "" if raised is None else _last_name(raised)
        if name in _WRITTEN_INTO_RESULTS:
            self._write_fields(node)
        else:
            self._write_fields(ast.Raise(raised))

    def _write_call(self, node: ast.Call) -> None:
        """Write a call; that of an exception without its arguments, unless they are a result."""
        name = _last_name(node.func)
        is_exception = name.endswith(_EXCEPTION_SUFFIXES)
        if is_exception and name not in _WRITTEN_INTO_RESULTS:
            self._write_fields(node, "args", "keywords")
        else:
            self._write_fields(node)

    def _write_keyword(self, node: ast.keyword) -> None:
        """Write a keyword argument that says more than what an option means."""
        # The class of options that a plug-in declares is for planning; jobs get the values.
        value_name = _last_name(node.value)
        is_options_class = node.arg == "options" and value_name.istitle()
        if node.arg not in _DESCRIPTIONS and not is_options_class:
            self._write_fields(node)

    def _write_dictionary(self, node: ast.Dict) -> None:
        """Write a dictionary without its descriptions."""
        keys = []
        values = []
        for key, value in zip(node.keys, node.values, strict=True):
            if not _is_description(key):
                keys.append(key)
                values.append(value)
        self._write_fields(ast.Dict(keys, values))

    # Nodes that are not written field by field.
    _SPECIAL_NODES: ClassVar[dict[type[ast.AST], Callable]] = {
        ast.AnnAssign: _write_annotated_assignment,
        ast.Assert: _write_assert,
        ast.AsyncFunctionDef: _write_function,
        ast.Attribute: _write_attribute,
        ast.AugAssign: _write_augmented_assignment,
        ast.Call: _write_call,
        ast.ClassDef: _write_class,
        ast.Constant: _write_constant,
        ast.Dict: _write_dictionary,
        ast.Expr: _write_expression,
        ast.FunctionDef: _write_function,
        ast.If: _write_if,
        ast.Import: _write_nothing,
        ast.ImportFrom: _write_import_from,
        ast.Name: _write_name,
        ast.Pass: _write_nothing,
        ast.Raise: _write_raise,
        ast.arg: _write_argument,
        ast.keyword: _write_keyword,
    }


def _is_description(key: ast.expr | None) -> bool:
    """Tell whether a key of a dictionary is that of a description."""
    return isinstance(key, ast.Constant) and key.value in _DESCRIPTIONS


def _is_message(node: ast.expr) -> bool:
    """Tell whether an expression is a call of logging or of warnings."""
    if not isinstance(node, ast.Call):
        return False
    method = node.func
    if not isinstance(method, ast.Attribute):
        return False
    object_name = _last_name(method.value)
    return object_name in _LOGGERS and method.attr in _LOG_METHODS


def _last_name(node: ast.expr) -> str:
    """Return a name, or the last part of a dotted one; an empty text for all else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return ""
