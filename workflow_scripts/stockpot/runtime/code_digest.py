"""Digest the code that computes a result, and no other code.

A job whose result could change runs again. A job whose log line, error text or comment changed does
not. The code of a job is what its script can reach, definition by definition (functions, classes,
constants), over all imports of this package, and what importing those modules does.
``code_reading`` says what counts in a definition. Packages that compute no number of a study
(``NEVER_COUNT``) do not count. Names of files do not count either: a function that moves to another
file keeps its digest.

Nothing is guessed about a name. A module counts as a whole if it is passed on as an object, or if
the name that is read from it is not among its definitions. If the code loads plug-ins by their
names, those count that the entries name, or else all.
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
# These say how jobs run and how files are downloaded. No result depends on that.
NEVER_COUNT = ("runtime", "datasets/downloads")
# Definitions of a plug-in that only planning reads. Jobs get their values as parameters.
PLANNED = ("Options", "SOURCE")
# File of options that the plug-ins of a package share; only planning reads it.
SHARED_OPTIONS = "_options.py"
# Digests of the last plan. Planning and every job ask for some, and they rarely change.
CACHE = Path("results/.code-digests.json")
# Functions that find a plug-in by its name. Readers take only its constants.
_READERS = ("registry.declaration",)
_LOADERS = ("importlib.import_module", "registry.load", *_READERS)


class Definition(NamedTuple):
    """A function, class or constant of a module, or what importing the module does.

    Attributes:
        module: File of the module.
        name: Name of the definition, or ``BODY``.
    """

    module: Path
    name: str


class Reached(NamedTuple):
    """A definition that counts.

    Attributes:
        definition: The definition.
        digest: Digest of its own code.
        uses: Per name that it uses, all that the name may stand for: a definition by its number in
            the order in which they are reached, anything outside this package by its name.
    """

    definition: Definition
    digest: str
    uses: list[list[int | str]]


def code_digest(*entries: str) -> str:
    """Digest scripts or plug-ins of this package, with everything that they use of it.

    Args:
        entries: Paths relative to the folder of the scripts ("finetune.py",
            "stockpot/training/variants/end_to_end.py"). A script counts as a whole. A plug-in
            counts without what only planning reads.

    Returns:
        16 hex digits.
    """
    sorted_entries = tuple(sorted(entries))
    digests = _known_digests(PACKAGE.parent)
    key = " ".join(sorted_entries)
    if key not in digests:
        rows = []
        for reached in _reached(PACKAGE.parent, sorted_entries):
            rows.append([reached.digest, reached.uses])
        text = json.dumps(rows)
        digest = hashlib.sha256(text.encode()).hexdigest()
        # The cache holds it for later processes, too.
        digests[key] = digest[:16]
    return digests[key]


def code_parts(*entries: str) -> dict[str, str]:
    """List the definitions that ``code_digest`` covers.

    Args:
        entries: As for ``code_digest``.

    Returns:
        "training/loss.py mixup" -> digest of this definition without what it uses. Paths are
        relative to the package; a script's path is relative to the folder of the scripts.
    """
    digests = {}
    for reached in _reached(PACKAGE.parent, entries):
        if reached.digest:
            definition = reached.definition
            path = _shown_path(definition.module)
            # The body of a module has an empty name.
            title = f"{path} {definition.name}".rstrip()
            digests[title] = reached.digest[:16]
    return dict(sorted(digests.items()))


def modules_that_count(*entries: str) -> list[str]:
    """List all files whose code is in the digest of these entries.

    Args:
        entries: As for ``code_digest``.

    Returns:
        Sorted paths, as in ``code_parts``.
    """
    paths = set()
    for title in code_parts(*entries):
        path, _, _ = title.partition(" ")
        paths.add(path)
    return sorted(paths)


def _shown_path(path: Path) -> str:
    """Return a path relative to the package, or that of a script relative to its folder."""
    root = PACKAGE.parent
    if path.is_relative_to(PACKAGE):
        root = PACKAGE
    relative_path = path.relative_to(root)
    return relative_path.as_posix()


# Digests of an earlier process.


@cache
def _known_digests(scripts: Path) -> dict[str, str]:
    """Return the digests of this process by entries; ``code_digest`` adds those that it computes.

    It begins with the digests of the cache if no file has changed since. The first call has a side
    effect: when the process ends, the dictionary is written to the cache with all that was added.
    """
    sources_digest = _digest_of_sources(scripts)
    digests: dict[str, str] = {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = unsealed(CACHE.read_bytes(), CACHE)
        if stored["sources"] == sources_digest:
            digests.update(stored["digests"])
    atexit.register(
        _remember,
        scripts,
        CACHE.absolute(),
        sources_digest,
        digests,
        len(digests),
    )
    return digests


def _remember(
    scripts: Path,
    cache_file: Path,
    sources_digest: str,
    digests: dict[str, str],
    stored_count: int,
) -> None:
    """Write the cache for the next process, unless nothing is new or a file was edited since."""
    if len(digests) == stored_count:
        return
    if not cache_file.parent.is_dir():
        return
    with suppress(OSError, StockpotError):
        if _digest_of_sources(scripts) == sources_digest:
            content = {"sources": sources_digest, "digests": digests}
            write_sealed(cache_file, content)


def _digest_of_sources(scripts: Path) -> str:
    """Digest the content of all Python files, and the version of Python that reads them."""
    digest = hashlib.sha256(sys.version.encode())
    # Hidden files are left out: editors make hidden links as locks.
    for path in sorted(scripts.rglob("[!.]*.py")):
        content = path.read_bytes()
        relative_path = path.relative_to(scripts)
        # With its length before it, no content can be taken for the beginning of the next file.
        header = f"{relative_path}\0{len(content)}\0"
        digest.update(header.encode())
        digest.update(content)
    return digest.hexdigest()


# From entries to all that they use.


@cache
def _reached(
    scripts: Path,
    entries: tuple[str, ...],
) -> list[Reached]:
    """List all definitions that count for these entries."""
    paths = []
    for entry in entries:
        path = scripts / entry
        paths.append(path.resolve())
    traversal = _Traversal(paths)
    return traversal.reached()


class _Traversal:
    """Walks breadth-first from entries to all that they use.

    The order depends only on the code, not on names of files, because the numbers of definitions
    are part of the digest.

    Attributes:
        entries: Files that the traversal begins with.
        numbers: Definition -> its number, of all definitions seen so far.
        waiting: Definitions that are numbered but not yet looked at.
        loaded: Modules that run when the code so far is imported.
    """

    def __init__(self, entries: list[Path]):
        self.entries = entries
        self.numbers: dict[Definition, int] = {}
        self.waiting: deque[Definition] = deque()
        self.loaded: set[Path] = set()
        for entry in entries:
            self._load(entry)
            for definition in _entry_definitions(entry):
                self._number(definition)

    def reached(self) -> list[Reached]:
        """Visit all definitions that count.

        Returns:
            A row per definition, in the order of their numbers.
        """
        rows = []
        while self.waiting or self._add_bodies():
            definition = self.waiting.popleft()
            code = _code(definition)
            for imports in code.imports.values():
                self._load_imports(definition.module, imports)
            uses = []
            for targets in _targets(definition):
                uses.append(self._numbers_of_use(definition.module, targets))
            row = Reached(definition, code.digest, uses)
            rows.append(row)
        return rows

    def _numbers_of_use(
        self,
        path: Path,
        targets: list[Definition | str],
    ) -> list[int | str]:
        """Number all that one use may stand for, with the plug-ins that it may load."""
        plugins = self._plugins(path, targets)
        numbers = []
        for target in [*targets, *plugins]:
            numbers.append(self._number(target))
        return numbers

    def _add_bodies(self) -> bool:
        """Number what loaded modules do when they are imported; tell whether anything is new."""
        new_bodies = []
        for path in self.loaded:
            body = Definition(path, BODY)
            if _never_counts(path) or body in self.numbers:
                continue
            if _code(body).digest:
                new_bodies.append(body)
        # ``loaded`` has no order of its own. Digests give one that no name of a file changes.
        new_bodies.sort(key=_order_of_body)
        for body in new_bodies:
            self._number(body)
        return bool(new_bodies)

    def _number(self, target: Definition | str) -> int | str:
        """Return the number of a definition, which is visited later, or a name as it is."""
        if isinstance(target, str):
            return target
        if target not in self.numbers:
            self.numbers[target] = len(self.numbers)
            self.waiting.append(target)
            self._load(target.module)
        return self.numbers[target]

    def _load(self, path: Path) -> None:
        """Note all modules that run when a file is imported, its packages among them."""
        if path in self.loaded:
            return
        self.loaded.add(path)
        for folder in path.parents:
            package = folder / "__init__.py"
            if folder.is_relative_to(PACKAGE) and package.is_file():
                self._load(package)
        self._load_imports(path, read_module(path).loads)

    def _load_imports(
        self,
        path: Path,
        imports: list[Import],
    ) -> None:
        """Note all modules that run when a file executes these imports."""
        for imported in imports:
            file, names = _located(path, imported)
            if file is None:
                continue
            self._load(file)
            if file.name != "__init__.py" or not names:
                continue
            # ``from package import name`` loads the module of this name, if there is one.
            submodule = _module_file(file.parent / names[0])
            if submodule:
                self._load(submodule)

    def _plugins(
        self,
        path: Path,
        targets: list[Definition | str],
    ) -> list[Definition]:
        """List the definitions of the plug-ins that a package may load by their names here.

        There are none if an entry already says which plug-in it is.
        """
        loaders = [target for target in targets if target in _LOADERS]
        if not loaders or path.name != "__init__.py":
            return []
        folders_of_entries = [entry.parent for entry in self.entries]
        if path.parent in folders_of_entries:
            return []
        only_constants = loaders[0] in _READERS
        definitions = []
        for file in sorted(path.parent.glob("[!_.]*.py")):
            skipped_names = []
            if only_constants:
                skipped_names = read_module(file).callables
            for definition in _entry_definitions(file):
                if definition.name not in skipped_names:
                    definitions.append(definition)
        return definitions


def _entry_definitions(path: Path) -> list[Definition]:
    """List the definitions of a script, or those of a plug-in that jobs run."""
    names = read_module(path).definitions
    if not path.is_relative_to(PACKAGE):
        return [Definition(path, name) for name in names]
    definitions = []
    for name in sorted(names):
        # Jobs call functions of the plug-in. Its body counts only if an import runs it.
        if name == BODY or name in PLANNED:
            continue
        definitions.append(Definition(path, name))
    return definitions


def _code(definition: Definition) -> Code:
    module = read_module(definition.module)
    return module.definitions[definition.name]


def _order_of_body(body: Definition) -> tuple[str, Path]:
    """Sort bodies by what they do; those that do the same, by their files."""
    return _code(body).digest, body.module


@cache
def _never_counts(path: Path) -> bool:
    """Tell whether a file computes no number of a study."""
    if path.name == SHARED_OPTIONS:
        return True
    return any(path.is_relative_to(PACKAGE / folder) for folder in NEVER_COUNT)


# What names stand for.


@cache
def _targets(definition: Definition) -> list[list[Definition | str]]:
    """List per use of a definition all that it may stand for, in the order of Python's lookup."""
    module = read_module(definition.module)
    code = _code(definition)
    targets_by_use = []
    for use in code.uses:
        targets: list[Definition | str] = []
        is_defined_here = use.name in module.definitions
        if is_defined_here and use.name not in PLANNED:
            target = Definition(definition.module, use.name)
            targets.append(target)
        inner_imports = code.imports.get(use.name, [])
        module_imports = module.imports.get(use.name, [])
        for imported in [*inner_imports, *module_imports]:
            targets += _followed(definition.module, imported, use.attributes)
        # Without duplicates, in the same order.
        different_targets = dict.fromkeys(targets)
        targets_by_use.append(list(different_targets))
    return targets_by_use


def _followed(
    path: Path,
    imported: Import,
    attributes: tuple[str, ...],
) -> list[Definition | str]:
    """List what an import stands for.

    Args:
        path: The file with the import.
        imported: The import.
        attributes: Attributes that are read from what is imported.

    Returns:
        Definitions of this package, or the dotted name of anything else.
    """
    file, names = _located(path, imported)
    if file is None:
        parts = (
            imported.module,
            imported.name,
            *attributes,
        )
        dotted_name = ".".join(filter(None, parts))
        return [dotted_name]
    names = (*names, *attributes)
    if _never_counts(file):
        return [_name_without_place(file, names)]
    return _in_module(file, names)


def _name_without_place(
    file: Path,
    names: tuple[str, ...],
) -> str:
    """Name a thing in code that never counts; where it lies does not count either.

    Only functions of the registry keep the name of their module, because ``_LOADERS`` lists them.
    """
    if file.name == "__init__.py" and names:
        submodule = _module_file(file.parent / names[0])
        if submodule:
            file = submodule
            names = names[1:]
    name = ".".join(names)
    return f"registry.{name}" if file.stem == "registry" else name


def _in_module(
    path: Path,
    names: tuple[str, ...],
) -> list[Definition | str]:
    """List what a dotted name stands for in a module; without a name, all of the module."""
    module = read_module(path)
    targets: list[Definition | str] = []
    if names:
        first_name = names[0]
        if first_name in module.definitions:
            targets.append(Definition(path, first_name))
        for imported in module.imports.get(first_name, []):
            targets += _followed(path, imported, names[1:])
        if not targets and path.name == "__init__.py":
            submodule = _module_file(path.parent / first_name)
            if submodule:
                targets += _in_module(submodule, names[1:])
    if targets:
        return targets
    return [Definition(path, name) for name in sorted(module.definitions)]


@cache
def _located(
    path: Path,
    imported: Import,
) -> tuple[Path | None, tuple[str, ...]]:
    """Locate an import of this package.

    Args:
        path: The file with the import.
        imported: The import.

    Returns:
        The file that it leads to, and the name within that file, if any. The file is None if the
        import leads to another package.
    """
    root = PACKAGE.parent
    if imported.level:
        # One dot is the folder of the file, two dots the one above it.
        root = path.parents[imported.level - 1]
    parts = []
    if imported.module:
        parts = imported.module.split(".")
    base = root.joinpath(*parts)
    names = (imported.name,) if imported.name else ()
    file = _module_file(base)
    if file is None and names:
        # The folder is no package, so the name must be that of a module in it.
        return _module_file(base / names[0]), ()
    return file, names


@cache
def _module_file(base: Path) -> Path | None:
    """Return the file of a module or package, given its path without a suffix."""
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None
