"""Where images come from: one module per source, found by its file name.

A published data set is one module and one list of classes, resources/classes/<name>.csv: copy
``food101.py``. Its ``SET``, a ``_published.Published``, answers all of ``OF_SET`` that the module
does not define itself, so that the module defines ``SOURCE``, ``SET`` and ``prepare``.

A source module defines

- ``SOURCE = Source(...)``: the keys of its entries in the config, and what it reads;
- ``classes(entry, locate) -> list[str]``: class names, known before anything is prepared;
- ``counts(entry, locate) -> list[int]``: how many images each class has, as far as that can be
  known without reading them;
- ``identity(entry, locate)``: what is read, as text; entries of equal identity hold the same
  images, whatever their names; "" where the name itself makes them differ. Of a published split
  (what is read, which split, which part): parts of one split share nothing, other splits do;
- ``facts(entry, locate, key) -> dict``: what else ``prepare`` needs and what makes it run
  again, such as a digest of files; StockpotError naming the config's ``key``;
- ``prepare(spec) -> Examples``. ``spec``: the entry with defaults, name, seed, side (pixels) and
  the facts;
- where a class stands for several of the model's, ``merges(entry, locate)``: class -> those;
- where the files are a user's own (its options are those of ``OwnFiles``), ``counts`` has one
  number per class, and ``unused(entry, locate)`` says what of the files is not read: kind -> (how
  many, one of them). ``prepare`` takes the classes from ``spec["among"]``, where answers are taken
  among more than the set's own;
- where a user's own files may be meant otherwise, ``doubt(entry, locate)``: a line on that, or "";
- where the images of a user's own lie in files as they are, ``places(entry, locate)``: path and
  first byte of each;
- where prompts need other words than the class names, ``texts(entry, locate)``: class -> text.

``locate`` turns a path of the config into where the file is. The module is imported when a
study is planned, so what ``prepare`` alone needs is imported inside it.
"""

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import ModuleType
from typing import NamedTuple

from ...runtime import registry
from ...runtime.digest import canonical
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.options import Declaration, declaration_class, schemas
from ..split import listed_sizes, part_size
from ..split_list import list_facts, read_list, require_order_of_torchvision
from ._options import Download, Encoded, OwnFiles, Split


@declaration_class
class Archive:
    """A public archive of a source, see ``downloads.fetch``.

    Attributes:
        url: Where it is published.
        checksum: "sha256:…" or "md5:…" of the file, or "".
        size: In bytes, if it is known.
        into: The folder below the entry's path that it is unpacked to.
    """

    url: str
    checksum: str
    size: int | None
    into: str


@declaration_class
class Source(Declaration):
    """What a source says of itself.

    Attributes:
        options: The keys of its entries of ``datasets``. With those of ``Encoded`` its images are
            encoded files, with those of ``OwnFiles`` they are a user's own.
        seeded: Do its images follow from the study's seed?
        archives: What can be fetched; then the folder need not be there when the study is planned,
            and its options are also those of ``Download``.
    """

    seeded: bool
    archives: tuple[Archive, ...] = ()

    def __post_init__(self):
        if bool(self.archives) != issubclass(self.options, Download):
            raise ValueError("archives and the options of Download need each other")


_SPLIT = registry.defaults(schemas(Split))
_NOT_READ = ("split", "on_corrupt", "side")
# What the ``SET`` of a published data set answers.
OF_SET = ("classes", "texts", "merges", "counts", "identity", "facts")


def names() -> list[str]:
    return registry.names(__file__)


def module(name: str) -> ModuleType:
    """The module of a source, with what it leaves to its ``SET``."""
    source = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    for question in OF_SET if hasattr(source, "SET") else ():
        if not hasattr(source, question):
            setattr(source, question, getattr(source.SET, question))
    return source


def declared(name: str) -> Source:
    return registry.declaration(__name__, __file__, name, "SOURCE")


def encoded(name: str) -> bool:
    """Are its images encoded files?"""
    return issubclass(declared(name).options, Encoded)


def archives(name: str) -> list[dict]:
    """The archives of a source that can be fetched: url, checksum, size, into."""
    return [asdict(archive) for archive in declared(name).archives]


def is_own(name: str) -> bool:
    """Are its files a user's own?"""
    return issubclass(declared(name).options, OwnFiles)


def options(name: str) -> dict[str, dict]:
    return registry.options(__name__, __file__, name, "SOURCE")


def load(name: str):
    """The ``prepare`` function of a source."""
    return registry.load(__name__, __file__, name, "prepare", "dataset source")


def check_background(entry: dict, key: str) -> None:
    """Raises StockpotError, naming the config's ``key``, for a colour that is not known."""
    background = with_defaults(entry).get("background", "black")
    if background in ("white", "black") or re.fullmatch("#[0-9a-fA-F]{6}", background):
        return
    from PIL import ImageColor  # planning is faster without

    if background.lower() not in ImageColor.colormap:
        raise StockpotError(
            f"{key}.background: {one_line(background, 60)!r} is no colour; white, black, another "
            "name of HTML, or '#rrggbb' in quotes"
        )


def with_defaults(entry: dict) -> dict:
    """An entry of the config with what its source's options default to."""
    entry = registry.defaults(options(entry["source"])) | entry
    if entry.get("split"):
        known = {key: value for key, value in _SPLIT.items() if value is not None}
        if entry["split"].get("list"):
            known["test"] = 0  # what a list does not name is trained on
        entry["split"] = known | entry["split"]
    return entry


_answers: dict | None = None  # of ``ask``, while they are remembered


@contextmanager
def remembering() -> Iterator[None]:
    """While a study is planned, each question about the same files is asked once, however many data
    sets and parts of them there are; a listing of a million files takes seconds."""
    global _answers
    _answers = {}
    try:
        yield
    finally:
        _answers = None


def ask(question: str, entry: dict, locate, *arguments):
    """What a function of an entry's source says, as ``classes`` or ``facts``; see above."""
    source = entry["source"]
    function = getattr(module(source), question)
    if _answers is None:
        return function(entry, locate, *arguments)
    # These keys of all sources say nothing of what is read.
    given = {
        key: value
        for key, value in with_defaults(entry).items()
        if key not in _NOT_READ
    }
    asked = question, canonical(given)
    if asked not in _answers:
        _answers[asked] = function(entry, locate, *arguments)
    return _answers[asked]


def counts(entry: dict, locate) -> list[int]:
    """How many images an entry has, of each class that has any in its source."""
    counts = ask("counts", entry, locate)
    split = with_defaults(entry).get("split")
    if split and split.get("list"):
        return listed_sizes(
            counts, split, len(read_list(locate(split["list"]), "split.list"))
        )
    if not split:
        return counts
    sizes = {
        n: part_size(n, split) for n in set(counts)
    }  # many classes are of one size
    return [sizes[n] for n in counts]


def split_facts(entry: dict, locate, key: str) -> dict:
    """Facts of the list that names a split's held-out images, if there is one: where it is, and a
    digest of its content. StockpotError naming the config's ``key``."""
    split = entry.get("split") or {}
    if not split.get("list"):
        return {}
    of_list = list_facts(locate(split["list"]), f"{key}.split.list")
    if entry["source"] == "folder":
        folder = str(locate(entry["path"]))
        images = [path[len(folder) + 1 :] for path, _ in ask("places", entry, locate)]
        listed = read_list(of_list["path"], f"{key}.split.list")
        require_order_of_torchvision(listed, images, f"{key}.split.list")
    return {"listed": of_list}


def classes_with_images(entry: dict, locate) -> list[str]:
    """Classes of an entry that have images in its source, as far as that can be known."""
    names = ask("classes", entry, locate)
    if not is_own(entry["source"]):
        return names
    counted = ask("counts", entry, locate)
    return [name for name, n in zip(names, counted, strict=True) if n]


def unused(entry: dict, locate) -> str:
    """What of a user's own files is not read, in words; "" where all is."""
    if not is_own(entry["source"]):
        return ""
    kinds = sorted(ask("unused", entry, locate).items())
    told = [
        f"{n:,} {kind} (as {one_line(first, 60)})" for kind, (n, first) in kinds[:6]
    ]
    if kinds[6:]:
        told.append(
            f"{sum(n for _, (n, _) in kinds[6:]):,} of {len(kinds) - 6} other kinds"
        )
    return ", ".join(told)


def doubt(entry: dict, locate) -> str:
    """Why a user's own files may be meant otherwise, in words; "" where nothing says so."""
    if hasattr(module(entry["source"]), "doubt"):
        return ask("doubt", entry, locate)
    return ""


class Identity(NamedTuple):
    """What stands for an entry's images: what is read, the number of a published split and the
    part of that, how the config splits it, and the part of that."""

    read: str
    published: str
    which: str
    split: str
    part: str


def identity(entry: dict, locate) -> Identity:
    own = module(entry["source"]).identity(entry, locate)
    own, published, which = own if isinstance(own, tuple) else (own, "", "")
    split = dict(with_defaults(entry).get("split") or {})
    part = split.pop("part", "")
    read = f"{entry['source']} {own}" if own else ""
    return Identity(read, published, which, canonical(split), part)
