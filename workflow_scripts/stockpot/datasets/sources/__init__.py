"""Where images come from: one module per source, found by its file name.

While a study is planned, a source module answers questions about an entry of the config: which
classes it has, how many images, which files. When the data set is prepared, it lists the images.

The module of a published data set is short: copy ``food101.py``. It defines ``SOURCE``, ``SET`` and
``prepare``. Its ``SET``, a ``_published.Published``, answers all of ``ANSWERED_BY_SET`` that the
module does not define itself. Beside it there is a list of classes, resources/classes/<name>.csv.

Every source module has

- ``SOURCE = Source(...)``: the keys of its entries in the config, and what it reads;
- ``classes(entry, locate) -> list[str]``: class names, known before anything is prepared;
- ``counts(entry, locate) -> list[int]``: how many images there are, as far as that is known without
  decoding them. A user's own files give one number per class, in the order of ``classes``; 0 is one
  of them. A published set gives one per class too; where only their sum is known, it is spread
  evenly. A rendered set, or one of frames, gives a single number: that of the whole set;
- ``identity(entry, locate)``: what is read, as text. Entries of equal identity hold the same
  images, whatever their names. "" where the name itself makes them differ. A published split gives
  (what is read, which split, which part): parts of one split share no images, other splits do;
- ``facts(entry, locate, key) -> dict``: what else ``prepare`` needs and what makes it run again,
  such as a digest of files. It raises StockpotError that names the config's ``key``;
- ``prepare(spec) -> Examples``. ``spec`` is the entry with defaults, name, seed, image_size
  (pixels) and the facts.

Some sources have more:

- ``texts(entry, locate)``: class -> text, where prompts need other words than the class names;
- ``merges(entry, locate)``: class -> classes of the model, where a class stands for several;
- ``unused(entry, locate)``, where the files are a user's own: kind of file that is not read ->
  (how many, one of them). The options of such a source are those of ``UserFiles``, and its
  ``counts`` has one number per class. Its ``prepare`` takes the classes of the answers from
  ``spec["among"]``, where answers are taken among more than the set's own;
- ``layout_warning(entry, locate)``: a line where a user may have meant the files otherwise, or "";
- ``byte_positions(entry, locate)``, where each image is some bytes of a user's file: path and first
  byte of each.

``locate`` turns a path of the config into where the file is. The module is imported when a study is
planned, so what only ``prepare`` needs is imported inside it.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from ...runtime import registry
from ...runtime.digest import canonical
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.options import Declaration, declaration_class, schemas
from ..split import listed_sizes, split_size
from ..split_list import list_facts, read_list, require_order_of_torchvision
from ._options import Download, Encoded, Split, UserFiles

# An entry of ``datasets`` in the config.
Entry = dict[str, Any]
# Such an entry with defaults, name, seed, image_size (pixels) and the facts of its source.
PrepareSpec = dict[str, Any]
# What a source knows of an entry's files: what ``prepare`` needs, and digests.
Facts = dict[str, Any]
# Turns a path of the config into where the file is.
Locate = Callable[[str], Path]


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
            encoded files, with those of ``UserFiles`` they are a user's own.
        seeded: Do its images follow from the study's seed?
        archives: What can be fetched; then the folder need not be there when the study is planned,
            and its options are also those of ``Download``.
    """

    seeded: bool
    archives: tuple[Archive, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.archives) != issubclass(self.options, Download):
            raise ValueError("archives and the options of Download need each other")


# Defaults of the keys of ``split``.
_SPLIT = registry.defaults(schemas(Split))
# Keys of an entry that change nothing in what is read from its files.
_NOT_READ = ("split", "on_corrupt", "image_size")
# What the ``SET`` of a published data set answers.
ANSWERED_BY_SET = ("classes", "texts", "merges", "counts", "identity", "facts")
# An error names this many kinds of unused files; the others it counts.
_SHOWN_KINDS = 6


def names() -> list[str]:
    """List the names of all sources.

    Returns:
        Names as in the config, sorted.
    """
    return registry.names(__file__)


def module(name: str) -> ModuleType:
    """Import the module of a source, and add what it leaves to its ``SET``.

    Args:
        name: Name of the source, as in the config.

    Returns:
        The module, with all functions of the package's docstring.
    """
    source = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    if not hasattr(source, "SET"):
        return source
    # What the module defines itself goes before its SET.
    for question in ANSWERED_BY_SET:
        if not hasattr(source, question):
            setattr(source, question, getattr(source.SET, question))
    return source


def declared(name: str) -> Source:
    """Read what a source says of itself, without importing its module.

    Args:
        name: Name of the source, as in the config.

    Returns:
        Its ``SOURCE``.
    """
    return registry.declaration(__name__, __file__, name, "SOURCE")


def has_encoded_images(name: str) -> bool:
    """Tell whether the images of a source are encoded files, such as JPEG.

    Args:
        name: Name of the source, as in the config.

    Returns:
        False where they are arrays or are drawn.
    """
    return issubclass(declared(name).options, Encoded)


def archives(name: str) -> list[dict[str, Any]]:
    """List the archives of a source that can be fetched.

    Args:
        name: Name of the source, as in the config.

    Returns:
        url, checksum, size and into of each; see ``Archive``.
    """
    return [asdict(archive) for archive in declared(name).archives]


def reads_user_files(name: str) -> bool:
    """Tell whether the files of a source are a user's own, not a published data set.

    Args:
        name: Name of the source, as in the config.

    Returns:
        True where its options are those of ``UserFiles``.
    """
    return issubclass(declared(name).options, UserFiles)


def options(name: str) -> dict[str, dict]:
    """List the options of a source.

    Args:
        name: Name of the source, as in the config.

    Returns:
        Key of the config -> JSON schema.
    """
    return registry.options(__name__, __file__, name, "SOURCE")


def load(name: str) -> Callable[[PrepareSpec], Any]:
    """Import the ``prepare`` function of a source.

    Args:
        name: Name of the source, as in the config.

    Returns:
        The function; it turns a spec into ``Examples``.

    Raises:
        StockpotError: There is no such source.
    """
    return registry.load(__name__, __file__, name, "prepare", "dataset source")


def check_background(entry: Entry, key: str) -> None:
    """Check the colour that is put behind transparent images.

    Args:
        entry: An entry of ``datasets`` in the config.
        key: Key of the entry, for the error.

    Raises:
        StockpotError: The colour is not known.
    """
    background = with_defaults(entry).get("background", "black")
    if background in ("white", "black"):
        return
    if re.fullmatch("#[0-9a-fA-F]{6}", background):
        return
    from PIL import ImageColor  # planning is faster without

    if background.lower() not in ImageColor.colormap:
        raise StockpotError(
            f"{key}.background: {one_line(background, 60)!r} is not a colour; give white, "
            "black, another HTML name, or '#rrggbb' in quotes"
        )


def with_defaults(entry: Entry) -> Entry:
    """Fill in the defaults of an entry.

    Args:
        entry: An entry of ``datasets`` in the config.

    Returns:
        A copy with the defaults of its source's options, and with those of ``Split`` where the
        entry has a split.
    """
    filled = registry.defaults(options(entry["source"])) | entry
    # An option with a schema of its own: registry.defaults does not look into it.
    if filled.get("split"):
        split = {key: value for key, value in _SPLIT.items() if value is not None}
        if filled["split"].get("held_out_list"):
            split["test"] = 0  # what a list does not name is trained on
        filled["split"] = split | filled["split"]
    return filled


# Answers of ``ask_source`` by question and entry; None while they are not remembered.
_answers: dict[tuple[str, str], Any] | None = None


@contextmanager
def cached_answers() -> Iterator[None]:
    """Remember the answers of ``ask_source`` inside the block.

    While a study is planned, each question about the same files is then asked once, however many
    data sets and parts of them there are. To list a million files takes seconds.
    """
    global _answers
    _answers = {}
    try:
        yield
    finally:
        _answers = None


def ask_source(
    question: str,
    entry: Entry,
    locate: Locate,
    *arguments: Any,
) -> Any:
    """Call a function of an entry's source; inside ``cached_answers`` once per question.

    Args:
        question: Name of the function, such as "classes" or "facts".
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.
        arguments: Further arguments of the function.

    Returns:
        What the function returns.
    """
    function = getattr(module(entry["source"]), question)
    if _answers is None:
        return function(entry, locate, *arguments)
    # Entries that differ only in keys that do not change what is read share an answer.
    relevant = {
        key: value
        for key, value in with_defaults(entry).items()
        if key not in _NOT_READ
    }
    cache_key = (question, canonical(relevant))
    if cache_key not in _answers:
        _answers[cache_key] = function(entry, locate, *arguments)
    return _answers[cache_key]


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images of an entry, after its split.

    Args:
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        The numbers of the source, see ``counts`` in the docstring of this package, each after the
        split. How many images of each class a list names is not known, so that is spread in
        proportion to the classes' sizes.
    """
    image_counts = ask_source("counts", entry, locate)
    split = with_defaults(entry).get("split")
    if not split:
        return image_counts
    if split.get("held_out_list"):
        listed = read_list(locate(split["held_out_list"]), "split.held_out_list")
        return listed_sizes(image_counts, split, len(listed))
    # Many classes have the same number of images, so each number is looked at once.
    sizes = {count: split_size(count, split) for count in set(image_counts)}
    return [sizes[count] for count in image_counts]


def split_facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> dict[str, dict[str, str]]:
    """Describe the list that names the held-out images of a split.

    Args:
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry, for errors.

    Returns:
        "listed" -> path and digest of the list; empty where the split has none.

    Raises:
        StockpotError: The list cannot be used; the error names ``key``.
    """
    split = entry.get("split") or {}
    if not split.get("held_out_list"):
        return {}
    list_key = f"{key}.split.held_out_list"
    facts = list_facts(locate(split["held_out_list"]), list_key)
    if entry["source"] == "folder":
        prefix_length = len(str(locate(entry["path"]))) + 1
        byte_positions = ask_source("byte_positions", entry, locate)
        images = [path[prefix_length:] for path, _ in byte_positions]
        listed = read_list(facts["path"], list_key)
        # Numbers in a list count images as torchvision does.
        require_order_of_torchvision(listed, images, list_key)
    return {"listed": facts}


def classes_with_images(entry: Entry, locate: Locate) -> list[str]:
    """List the classes of an entry that have images in its source, as far as that is known.

    Args:
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Class names, in the order of the source.
    """
    class_names = ask_source("classes", entry, locate)
    # A published data set has images of all its classes.
    if not reads_user_files(entry["source"]):
        return class_names
    image_counts = ask_source("counts", entry, locate)
    pairs = zip(class_names, image_counts, strict=True)
    return [name for name, count in pairs if count]


def unused(entry: Entry, locate: Locate) -> str:
    """Say which of a user's own files are not read.

    Args:
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Number and an example of each kind, in words; "" where all files are read.
    """
    if not reads_user_files(entry["source"]):
        return ""
    # Sorted by kind, so that the line is the same on every file system.
    kinds = sorted(ask_source("unused", entry, locate).items())
    texts = []
    for kind, (count, example) in kinds[:_SHOWN_KINDS]:
        shown_example = one_line(example, 60)
        texts.append(f"{count:,} {kind} (as {shown_example})")
    other_kinds = kinds[_SHOWN_KINDS:]
    if other_kinds:
        other_count = sum(count for _, (count, _) in other_kinds)
        texts.append(f"{other_count:,} of {len(other_kinds)} other kinds")
    return ", ".join(texts)


def layout_warning(entry: Entry, locate: Locate) -> str:
    """Say why a user may have meant the files otherwise than they are read.

    Args:
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        A line, or "" where nothing says so.
    """
    if hasattr(module(entry["source"]), "layout_warning"):
        return ask_source("layout_warning", entry, locate)
    return ""


class Identity(NamedTuple):
    """What stands for the images of an entry; equal identities mean the same images.

    Attributes:
        read: The source and what it reads.
        published: Number of a published split, or "".
        which: Part of the published split, or "".
        split: How the config splits the images, as JSON.
        part: Part of the config's split, or "".
    """

    read: str
    published: str
    which: str
    split: str
    part: str


def identity(entry: Entry, locate: Locate) -> Identity:
    """Say what stands for the images of an entry.

    Args:
        entry: An entry of ``datasets`` in the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Its identity. ``read`` is "" where the name of the entry makes its images differ.
    """
    answer = module(entry["source"]).identity(entry, locate)
    # Only a published data set with several splits answers with three texts.
    if isinstance(answer, tuple):
        read, published_split, published_part = answer
    else:
        read = answer
        published_split = ""
        published_part = ""
    if read:
        read = f"{entry['source']} {read}"
    # Entries with equal splits and different parts share no images, so the part is kept apart.
    split = dict(with_defaults(entry).get("split") or {})
    part = split.pop("part", "")
    return Identity(
        read,
        published_split,
        published_part,
        canonical(split),
        part,
    )
