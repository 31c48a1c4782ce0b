"""Where images come from: one module per source, found by its file name.

A published data set is one module and one list of classes, resources/classes/<name>.csv: copy
``food101.py``. Its ``SET``, a ``_published.Published``, answers all of ``OF_SET`` that the module
does not define itself, so that the module defines the literals below, ``SET`` and ``prepare``.

A source module defines

- ``OPTIONS``, a literal: the keys of its entries in the config (see ``registry.options``);
- ``ENCODED``, a literal: are its images encoded files? Then an entry may also have the keys
  that all such sources share, ``FOR_ENCODED`` below;
- ``ARCHIVES``, a literal, if it can be fetched: see ``fetch.fetch``; then an entry may have the key
  ``download``, and the folder need not be there when the study is planned;
- ``SEEDED``: do its images follow from the study's seed?
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
- ``OWN``, a literal, where the files are a user's own: then an entry also has the key ``classes``,
  ``counts`` has one number per class, and ``unused(entry, locate)`` says what of the files is not
  read: kind -> (how many, one of them). ``prepare`` takes the classes from ``spec["among"]``, where
  answers are taken among more than the set's own;
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
from types import ModuleType
from typing import NamedTuple

from ...runtime import registry
from ...runtime.digest import canonical
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..split import PARTS, listed_sizes, part_size
from ..split_list import list_facts, read_list, require_order_of_torchvision

FOR_ENCODED = {
    "split": {
        "description": "a part of every class, where one folder is to train, choose and test on",
        "type": "object",
        "additionalProperties": False,
        "required": ["part"],
        "properties": {
            "part": {"enum": list(PARTS)},
            "held_out": {"description": "share below 1, or images per class", "default": 0.1,
                         "type": "number", "minimum": 0},
            "test": {"description": "share below 1, or images per class", "default": 0.2,
                     "type": "number", "minimum": 0},
            "seed": {"type": "integer", "minimum": 0, "default": 0},
            "list": {"description": "file that names the held-out images instead of a draw",
                     "type": "string", "minLength": 1},
        },
        "default": None,
    },
    "on_corrupt": {
        "description": "an unreadable image stops the study, or is left out and counted",
        "enum": ["refuse", "skip"],
        "default": "refuse",
    },
    "side": {
        "description": "of stored training images in pixels, to crop from; 0: the model's",
        "type": "integer",
        "minimum": 0,
        "default": 0,
    },
    "background": {
        "description": "colour behind transparent parts: a name, or '#rrggbb' in quotes; black "
        "is what open_clip itself makes of them",
        "type": "string",
        "default": "black",
    },
}  # fmt: skip


FOR_OWN = {
    "classes": {
        "description": "a test set's answers are taken among all classes of the study, or, as "
        "ImageNet-R is scored, among its own: those that have images",
        "enum": ["all", "own"],
        "default": "all",
    },
    "background": {**FOR_ENCODED["background"], "default": "white"},
    "duplicates": {
        "description": "equal images count once, or (keep) each time",
        "enum": ["once", "keep"],
        "default": "once",
    },
}

# What the ``SET`` of a published data set answers.
OF_SET = ("classes", "texts", "merges", "counts", "identity", "facts")
DOWNLOAD = {
    "download": {
        "description": "fetch it to its path: true from where it is published, or from this URL",
        "anyOf": [{"type": "boolean"}, {"type": "string"}],
        "default": False,
    }
}


def names() -> list[str]:
    return registry.names(__file__)


def module(name: str) -> ModuleType:
    """The module of a source, with what it leaves to its ``SET``."""
    source = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    for question in OF_SET if hasattr(source, "SET") else ():
        if not hasattr(source, question):
            setattr(source, question, getattr(source.SET, question))
    return source


def encoded(name: str) -> bool:
    return bool(registry.literal(__file__, name, "ENCODED"))


def archives(name: str) -> list[dict]:
    """Literal ``ARCHIVES`` of a source that can be fetched: url, checksum, size, into."""
    return registry.literal(__file__, name, "ARCHIVES") or []


def is_own(name: str) -> bool:
    """Are its files a user's own?"""
    return bool(registry.literal(__file__, name, "OWN"))


def options(name: str) -> dict[str, dict]:
    shared = FOR_ENCODED if encoded(name) else {}
    own = FOR_OWN if is_own(name) else {}
    fetched = DOWNLOAD if archives(name) else {}
    return shared | own | registry.literal_options(__file__, name) | fetched


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
        known = registry.defaults(FOR_ENCODED["split"]["properties"])
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
    # The keys that all sources share, such as split, say nothing of what is read.
    own = {"source", *FOR_OWN, *DOWNLOAD, *registry.literal_options(__file__, source)}
    given = {key: value for key, value in with_defaults(entry).items() if key in own}
    asked = question, canonical(given)
    if asked not in _answers:
        _answers[asked] = function(entry, locate, *arguments)
    return _answers[asked]


def counts(entry: dict, locate) -> list[int]:
    """How many images an entry has, of each class that has any in its source."""
    counts = ask("counts", entry, locate)
    split = with_defaults(entry).get("split")
    if split and split.get("list"):
        return listed_sizes(counts, split, len(read_list(locate(split["list"]), "split.list")))
    if not split:
        return counts
    sizes = {n: part_size(n, split) for n in set(counts)}  # many classes are of one size
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
    told = [f"{n:,} {kind} (as {one_line(first, 60)})" for kind, (n, first) in kinds[:6]]
    if kinds[6:]:
        told.append(f"{sum(n for _, (n, _) in kinds[6:]):,} of {len(kinds) - 6} other kinds")
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
