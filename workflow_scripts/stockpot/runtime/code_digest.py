"""Digest of the code that computes a result, and of nothing else.

A job whose result could change runs again; one whose log line, error text or comment changed does
not. The code of a job is what its script can reach, definition by definition (functions, classes,
constants) over all imports of this package, and what importing those modules does. What of a
definition counts is said in ``code_reading``. Packages that compute no number of a study
(``NEVER_COUNT``) do not count, nor do names of files: a function that moves to another file keeps
its digest.

What a name stands for is never guessed. A module that is handed on as it is, or asked for something
that is not among its definitions, counts as a whole; of plug-ins that are found by their name count
those that the entries name, or else all.
"""

import atexit
import hashlib
import json
import sys
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .code_reading import BODY, Code, Import, read_module
from .errors import StockpotError
from .sealed import unsealed, write_sealed

PACKAGE = Path(__file__).parents[1]
# How jobs run, and how files come, change nothing in what is made of them.
NEVER_COUNT = ("runtime", "datasets/downloads")
# Of a plug-in: what planning reads, and gives to jobs as parameters. So do options that plug-ins
# share, in files of the name below.
PLANNED = ("Options", "SOURCE")
SHARED_OPTIONS = "_options.py"
# Digests of the last plan: planning and every job ask for some, and they rarely change.
CACHE = Path("results/.code-digests.json")
# Functions that find a plug-in by its name; some read its constants alone.
_READERS = ("registry.declaration",)
_LOADERS = ("importlib.import_module", "registry.load", *_READERS)


class Definition(NamedTuple):
    """A function, class or constant of a module, or what its import does (``BODY``)."""

    module: Path
    name: str


class Reached(NamedTuple):
    """A definition that counts; uses: per name that it uses what this may stand for.

    A definition is meant by its number in the order in which they are reached, what is not of this
    package by its name.
    """

    definition: Definition
    digest: str
    uses: list[list[int | str]]


def code_digest(*entries: str) -> str:
    """Digest of scripts, or plug-ins of this package, with all that they use of it.

    Args:
        entries: Paths relative to the folder of the scripts ("finetune.py",
            "stockpot/training/variants/end_to_end.py"). All of a script counts, and all of a
            plug-in but what planning reads.

    Returns:
        16 hex digits.
    """
    entries = tuple(sorted(entries))
    known = _known_digests(PACKAGE.parent)
    name = " ".join(entries)
    if name not in known:
        rows = [
            [reached.digest, reached.uses]
            for reached in _reached(PACKAGE.parent, entries)
        ]
        known[name] = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    return known[name]


def code_parts(*entries: str) -> dict[str, str]:
    """What ``code_digest`` is of, in words.

    Args:
        entries: As of ``code_digest``.

    Returns:
        "training/loss.py mixup" -> digest of this definition without what it uses. Paths are below
        the package; a script's are below the folder of the scripts.
    """
    parts = {}
    for reached in _reached(PACKAGE.parent, entries):
        if reached.digest:
            path = _shown(reached.definition.module)
            parts[f"{path} {reached.definition.name}".rstrip()] = reached.digest[:16]
    return dict(sorted(parts.items()))


def modules_that_count(*entries: str) -> list[str]:
    """Paths of all files whose code is in ``code_digest`` of these entries; see ``code_parts``."""
    return sorted({part.partition(" ")[0] for part in code_parts(*entries)})


def _shown(path: Path) -> str:
    root = PACKAGE if path.is_relative_to(PACKAGE) else PACKAGE.parent
    return path.relative_to(root).as_posix()


@cache
def _known_digests(scripts: Path) -> dict[str, str]:
    """Digests by entries, to be filled; those of an earlier process where no file has changed."""
    sources = _digest_of_sources(scripts)
    digests: dict[str, str] = {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = unsealed(CACHE.read_bytes(), CACHE)
        if stored["sources"] == sources:
            digests.update(stored["digests"])
    atexit.register(
        _remember, scripts, CACHE.absolute(), sources, digests, len(digests)
    )
    return digests


def _remember(
    scripts: Path, cache_file: Path, sources: str, digests: dict[str, str], known: int
) -> None:
    """Keep digests for the next process, where there are results, and no file was edited since."""
    if len(digests) == known or not cache_file.parent.is_dir():
        return
    with suppress(OSError, StockpotError):
        if _digest_of_sources(scripts) == sources:
            write_sealed(cache_file, {"sources": sources, "digests": digests})


def _digest_of_sources(scripts: Path) -> str:
    """Of the content of all Python files, and of the Python that reads them."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(scripts.rglob("[!.]*.py")):  # editors lock files by hidden links
        content = path.read_bytes()
        digest.update(f"{path.relative_to(scripts)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def _reached(scripts: Path, entries: tuple[str, ...]) -> list[Reached]:
    return _Walk([(scripts / entry).resolve() for entry in entries]).reached()


class _Walk:
    """Goes from entries to all that they use. The order depends on nothing but the code."""

    def __init__(self, entries: list[Path]):
        self.entries = entries
        self.numbers: dict[Definition, int] = {}  # of all definitions seen
        self.waiting: deque[Definition] = deque()
        self.loaded: set[Path] = set()
        for entry in entries:
            self.load(entry)
            for definition in _of_entry(entry):
                self.number(definition)

    def reached(self) -> list[Reached]:
        rows = []
        while self.waiting or self.add_bodies():
            definition = self.waiting.popleft()
            code = _code(definition)
            for imports in code.imports.values():
                self.load_imports(definition.module, imports)
            uses = []
            for targets in _targets(definition):
                found = [*targets, *self.plugins(definition.module, targets)]
                uses.append([self.number(target) for target in found])
            rows.append(Reached(definition, code.digest, uses))
        return rows

    def add_bodies(self) -> bool:
        """Take up what the modules that are loaded by now do when they are imported, if that is
        anything yet to be looked at."""
        bodies = [
            Definition(path, BODY) for path in self.loaded if not _never_counts(path)
        ]
        new = [
            body for body in bodies if body not in self.numbers and _code(body).digest
        ]
        for body in sorted(new, key=lambda body: (_code(body).digest, body.module)):
            self.number(body)
        return bool(new)

    def number(self, target: Definition | str) -> int | str:
        """The number of a definition, which is looked at later; a name as it is."""
        if isinstance(target, str):
            return target
        if target not in self.numbers:
            self.numbers[target] = len(self.numbers)
            self.waiting.append(target)
            self.load(target.module)
        return self.numbers[target]

    def load(self, path: Path) -> None:
        """Note all modules that run when a file is imported."""
        if path in self.loaded:
            return
        self.loaded.add(path)
        for folder in path.parents:
            package = folder / "__init__.py"
            if folder.is_relative_to(PACKAGE) and package.is_file():
                self.load(package)
        self.load_imports(path, read_module(path).loads)

    def load_imports(self, path: Path, imports: list[Import]) -> None:
        for imported in imports:
            file, names = _located(path, imported)
            if file is None:
                continue
            self.load(file)
            submodule = _module_file(file.parent / names[0]) if names else None
            if file.name == "__init__.py" and submodule:
                self.load(submodule)

    def plugins(self, path: Path, targets: list[Definition | str]) -> list[Definition]:
        """Those that a package finds by their names, if that is what it uses here; none where an
        entry says which one it is."""
        loaders = [target for target in targets if target in _LOADERS]
        if not loaders or path.name != "__init__.py":
            return []
        if any(entry.parent == path.parent for entry in self.entries):
            return []
        found = []
        for file in sorted(path.parent.glob("[!_.]*.py")):
            called = read_module(file).called if loaders[0] in _READERS else ()
            found += [one for one in _of_entry(file) if one.name not in called]
        return found


def _of_entry(path: Path) -> list[Definition]:
    names = read_module(path).definitions
    if path.is_relative_to(PACKAGE):
        return [
            Definition(path, name)
            for name in sorted(names)
            if name not in (BODY, *PLANNED)
        ]
    return [Definition(path, name) for name in names]


def _code(definition: Definition) -> Code:
    return read_module(definition.module).definitions[definition.name]


@cache
def _never_counts(path: Path) -> bool:
    if path.name == SHARED_OPTIONS:
        return True
    return any(path.is_relative_to(PACKAGE / folder) for folder in NEVER_COUNT)


# What names stand for.


@cache
def _targets(definition: Definition) -> list[list[Definition | str]]:
    """Per use of a definition all that it may stand for, in the order in which it is looked up."""
    module = read_module(definition.module)
    code = _code(definition)
    by_use = []
    for use in code.uses:
        found: list[Definition | str] = []
        if use.name in module.definitions and use.name not in PLANNED:
            found.append(Definition(definition.module, use.name))
        for imported in [
            *code.imports.get(use.name, []),
            *module.imports.get(use.name, []),
        ]:
            found += _followed(definition.module, imported, use.attributes)
        by_use.append(list(dict.fromkeys(found)))
    return by_use


def _followed(
    path: Path, imported: Import, attributes: tuple[str, ...]
) -> list[Definition | str]:
    """What an import in a file stands for, with attributes behind it."""
    file, names = _located(path, imported)
    if file is None:
        parts = (imported.module, imported.name, *attributes)
        return [".".join(part for part in parts if part)]
    names = (*names, *attributes)
    if not _never_counts(file):
        return _in_module(file, names)
    if (
        file.name == "__init__.py"
        and names
        and (inner := _module_file(file.parent / names[0]))
    ):
        file = inner
        names = names[1:]
    name = ".".join(names)  # the place of such code does not count either
    return [f"registry.{name}" if file.stem == "registry" else name]


def _in_module(path: Path, names: tuple[str, ...]) -> list[Definition | str]:
    """What a dotted name stands for in a module; without a name, all of the module."""
    module = read_module(path)
    found: list[Definition | str] = []
    if names:
        if names[0] in module.definitions:
            found.append(Definition(path, names[0]))
        for imported in module.imports.get(names[0], []):
            found += _followed(path, imported, names[1:])
        submodule = (
            _module_file(path.parent / names[0]) if path.name == "__init__.py" else None
        )
        if submodule and not found:
            found += _in_module(submodule, names[1:])
    return found or [Definition(path, name) for name in sorted(module.definitions)]


@cache
def _located(path: Path, imported: Import) -> tuple[Path | None, tuple[str, ...]]:
    """The file that an import leads to, and the name in it, if any; no file for other packages."""
    parts = imported.module.split(".") if imported.module else []
    root = path.parents[imported.level - 1] if imported.level else PACKAGE.parent
    base = root.joinpath(*parts)
    names = (imported.name,) if imported.name else ()
    file = _module_file(base)
    if file is None and names:  # a folder that is no package
        return _module_file(base / names[0]), ()
    return file, names


@cache
def _module_file(base: Path) -> Path | None:
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None
