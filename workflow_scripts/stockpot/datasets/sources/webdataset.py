"""WebDataset shards: tar files of <key>.jpg, .png or .webp, each with <key>.cls or <key>.txt.

Images are read where they lie in the shard, which therefore must not be compressed; nothing is
unpacked. Members of one key are a sample. The key is the path up to the first dot of the file's
name.
"""

import os
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import open_regular
from ..bounded import bounded
from ..downloads.archives import StrictHeader
from . import Entry, Facts, Locate, PrepareSpec, Source, with_defaults
from ._options import ClassList
from ._own import (
    Classes,
    Label,
    LabelCounts,
    Unused,
    among_answer_classes,
    cached_per_file,
    class_file,
    class_list,
    classes_of,
    count_labels,
    count_unused,
    file_facts,
    list_facts,
    matching_files,
    sum_label_counts,
    unused_beside,
)
from ._published import reading
from .folder import NOT_READ, SUFFIXES

if TYPE_CHECKING:
    from ..examples import Examples


class Options(ClassList):
    """Options of the source ``webdataset``."""

    path: str = Field(description="a tar file, or a folder of them")


SOURCE = Source(options=Options, seeded=False)

# Suffixes without the dot, as they follow the key.
IMAGES = {suffix[1:] for suffix in SUFFIXES}
OTHER_IMAGES = {suffix[1:] for suffix in NOT_READ}
LABELS = ("cls", "txt")
LONGEST_LABEL = 4096  # bytes
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
BLOCK = 1 << 20  # bytes that are read at once


class Sample(NamedTuple):
    """An image of a shard with its label.

    Attributes:
        shard: Path of the tar file.
        name: Name of the image's member.
        start: First byte of the image in the shard.
        size: Length of the image in bytes.
        label: A name or a number.
    """

    shard: str
    name: str
    start: int
    size: int
    label: Label


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Those of the list of classes, or else the sorted labels.

    Raises:
        StockpotError: A shard cannot be read, or its labels are wrong.
    """
    return _classes(entry, locate).names


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images of each class.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Number of images per class, in the order of ``classes``.

    Raises:
        StockpotError: A shard cannot be read, or its labels are wrong.
    """
    return _classes(entry, locate).counts


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read: a shard, or a folder of them.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Its absolute path, with all links followed.
    """
    return str(locate(entry["path"]).resolve())


def byte_positions(entry: Entry, locate: Locate) -> list[tuple[str, int]]:
    """List where each image begins.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Shard and first byte of every image.
    """
    return [(sample.shard, sample.start) for sample in _samples(entry, locate)]


def unused(entry: Entry, locate: Locate) -> Unused:
    """Count what is not read, beside the shards and in them.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Kind of file or member -> how many there are, and one of them.
    """
    path = locate(entry["path"])
    shards = matching_files(path, "*.tar")
    # Of each kind the first example is shown: a file beside the shards before a member of one.
    result = unused_beside(path, shards)
    for shard in shards:
        _, unused_members = _read(shard)
        for kind, (count, example) in unused_members.items():
            count_before, first_example = result.get(
                kind, (0, f"{shard.name}: {example}")
            )
            result[kind] = (count_before + count, first_example)
    return result


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Digest the state of the shards.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        "path" -> the shard or folder, "files" -> a digest of names, sizes and dates; with a list
        of classes also its path and names.

    Raises:
        StockpotError: There is no shard, or a compressed one.
    """
    path = locate(entry["path"])
    names = sorted(os.listdir(path)) if path.is_dir() else []
    # Images are read at their place in the file, so it must hold them as they are.
    compressed = [name for name in names if name.endswith(PACKED)]
    if compressed:
        raise StockpotError(
            f"{key}.path: {len(compressed)} shards of {one_line(path, 150)} are compressed, as "
            f"{one_line(compressed[0], 100)}; unpack them to .tar (gunzip), or move them away"
        )
    state = file_facts(path, "*.tar", key)
    return state | list_facts(entry, locate, key)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images with their class indices.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the shards and their members.

    Raises:
        StockpotError: A shard cannot be read, or its labels are wrong.
    """
    from ..examples import Examples, ImageFile

    own_classes = _classes(spec, Path)
    samples = _samples(spec, Path)
    labels = [own_classes.index[sample.label] for sample in samples]
    class_names, labels = among_answer_classes(spec, own_classes.names, labels)
    images = []
    keys = []
    for sample in samples:
        image = ImageFile(sample.shard, sample.start, sample.size, sample.name)
        shard_name = Path(sample.shard).name
        images.append(image)
        keys.append(f"{shard_name} {sample.name}")
    return Examples(
        images=images,
        labels=labels,
        class_names=class_names,
        keys=keys,
    )


def _samples(entry: Entry, locate: Locate) -> list[Sample]:
    all_samples: list[Sample] = []
    for shard in matching_files(locate(entry["path"]), "*.tar"):
        samples, _ = _read(shard)
        all_samples += samples
    return all_samples


def _classes(entry: Entry, locate: Locate) -> Classes:
    entry = with_defaults(entry)
    shards = matching_files(locate(entry["path"]), "*.tar")
    label_counts = sum_label_counts(_label_counts(shard) for shard in shards)
    list_path = class_file(entry)
    listed_names = class_list(locate(list_path) if list_path else None)
    return classes_of(entry, label_counts, listed_names)


@cached_per_file
def _label_counts(shard: Path) -> LabelCounts:
    shown_shard = one_line(shard, 150)
    samples, _ = _read(shard)
    return count_labels(
        (f"{shown_shard}: {one_line(sample.name, 150)}", sample.label)
        for sample in samples
    )


@cached_per_file
def _read(shard: Path) -> tuple[list[Sample], Unused]:
    """Samples of a shard, and what of it is not read."""
    # Shards come from strangers: a child process with limits reads them.
    return bounded(_read_shard, shard)


def _read_shard(shard: Path) -> tuple[list[Sample], Unused]:
    # Mode "r:" reads plain tar files only.
    members = _ShardMembers(one_line(shard, 150))
    with (
        reading(shard, "a shard is an uncompressed, whole tar file"),
        open_regular(shard) as stream,
        tarfile.open(
            fileobj=stream,
            mode="r:",
            tarinfo=StrictHeader,
        ) as archive,
    ):
        while (member := archive.next()) is not None:
            archive.members.clear()  # or all of them stay in memory
            if not member.isdir():
                members.add(member, archive)
        _check_end(stream, archive.offset)
    members.check_others()
    samples = members.samples(str(shard))
    return samples, count_unused(members.all_unused())


# Name, first byte and size of a member.
Extent = tuple[str, int, int]


class _ShardMembers:
    """What the members of a shard are.

    Attributes:
        shown_shard: The shard, for errors.
        images: Key -> name, first byte and size of the image.
        labels: Key and kind ("cls", "txt") -> label.
        unused: Kind and name of each member that is not read.
        others: Key -> kind and name of its first member that is neither an image nor a label.
    """

    def __init__(self, shown_shard: str) -> None:
        self.shown_shard = shown_shard
        self.images: dict[str, Extent] = {}
        self.labels: dict[tuple[str, str], Label] = {}
        self.unused: list[tuple[str, str]] = []
        self.others: dict[str, tuple[str, str]] = {}

    def add(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Take up a member that is no folder.

        Args:
            member: The member.
            archive: The shard, to read a label from.

        Raises:
            StockpotError: It is the second image of its key.
        """
        key, kind = _key_and_kind(member.name)
        # Links could lead out of the shard, and sparse files have holes where images have bytes.
        if not member.isreg() or member.issparse():
            self.unused.append(("links or special files", member.name))
        elif not key:
            self.unused.append(("hidden", member.name))
        elif kind in IMAGES:
            if key in self.images:
                raise StockpotError(
                    f"{self.shown_shard}: two images of {one_line(key, 150)}: "
                    f"{one_line(member.name, 150)}"
                )
            self.images[key] = (member.name, member.offset_data, member.size)
        # A longer text is no label, but a document of some kind.
        elif kind in LABELS and member.size <= LONGEST_LABEL:
            content = archive.extractfile(member).read()
            text = content.decode().strip()
            is_number = kind == "cls" and text.isdecimal()
            self.labels[key, kind] = int(text) if is_number else text
        else:
            self.others.setdefault(key, (kind, member.name))
            self.unused.append((f".{kind}", member.name))

    def check_others(self) -> None:
        """Refuse a sample whose only image is of a kind that is not read, or seems to be.

        Raises:
            StockpotError: There is such a sample.
        """
        # Beside a proper image, another one is unused, such as a mask or a thumbnail.
        for key, (kind, name) in self.others.items():
            if key in self.images:
                continue
            if kind in OTHER_IMAGES:
                raise StockpotError(
                    f"{self.shown_shard}: {one_line(name, 150)} is of a kind that is not read; "
                    f"read are {', '.join(sorted(IMAGES))}"
                )
            # As in "a.b.jpg": the key is "a", and the kind "b.jpg".
            if kind.rpartition(".")[2] in IMAGES | OTHER_IMAGES:
                raise StockpotError(
                    f"{self.shown_shard}: {one_line(name, 150)} is no image of a sample: a "
                    f"sample's name ends at its first dot, so this one is '{one_line(kind, 50)}' "
                    f"of '{one_line(key, 100)}'. Write the shard without other dots in names"
                )

    def samples(self, shard: str) -> list[Sample]:
        """Join images and labels.

        Args:
            shard: Path of the tar file.

        Returns:
            The samples in the order of the images.

        Raises:
            StockpotError: There is no image, or one without a label.
        """
        samples: list[Sample] = []
        for key, (name, start, size) in self.images.items():
            # .cls goes before .txt, which may be a caption.
            label = self.labels.get((key, "cls"))
            if label is None:
                label = self.labels.get((key, "txt"), "")
            if label == "":
                shown_key = one_line(key, 100)
                raise StockpotError(
                    f"{self.shown_shard}: {one_line(name, 150)} has no label {shown_key}.cls or "
                    f"{shown_key}.txt"
                )
            samples.append(Sample(shard, name, start, size, label))
        if not samples:
            raise StockpotError(
                f"{self.shown_shard}: no images ({', '.join(sorted(IMAGES))})"
            )
        return samples

    def all_unused(self) -> list[tuple[str, str]]:
        """List all members that are not read.

        Returns:
            Kind and name of each: ``unused``, labels without an image, texts beside numbers.
        """
        # Where a sample has both kinds of label, .cls counts and .txt is a caption.
        unpaired: list[tuple[str, str]] = []
        captions: list[tuple[str, str]] = []
        for key, kind in self.labels:
            if key not in self.images:
                unpaired.append(("labels without an image", f"{key}.{kind}"))
            elif kind == "txt" and (key, "cls") in self.labels:
                captions.append((".txt beside .cls", f"{key}.txt"))
        return [*self.unused, *unpaired, *captions]


def _key_and_kind(name: str) -> tuple[str, str]:
    """Key of a member's sample, and the rest of its name in lower case.

    The key is the path up to the first dot of the file's name; that of a hidden file is "".
    """
    path = PurePosixPath(name)
    base, _, kind = path.name.partition(".")
    if not base:
        return "", ""
    # What lies in a hidden folder is hidden too.
    for step in path.parts[:-1]:
        if step.startswith(".") and step not in ("..", "."):
            return "", ""
    return str(path.parent / base), kind.lower()


def _check_end(stream: BinaryIO, offset: int) -> None:
    """Refuse members that follow the mark of the end, as in two shards that were joined."""
    # A tar ends with two blocks of zeros; more zeros may follow, as tapes had them.
    stream.seek(offset)
    while block := stream.read(BLOCK):
        if not block.strip(b"\0"):
            continue
        for start in range(0, len(block), tarfile.BLOCKSIZE):
            header = block[start : start + tarfile.BLOCKSIZE]
            if header.strip(b"\0") and _is_header(header):
                raise tarfile.ReadError(
                    "more members follow the mark of the end; two shards joined?"
                )


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
