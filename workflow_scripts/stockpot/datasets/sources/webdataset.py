"""WebDataset shards: tar files of <key>.jpg, .png or .webp, each with <key>.cls or <key>.txt.

Images are read where they lie in the shard, which therefore must not be compressed; nothing is
unpacked.
"""

import os
import tarfile
from pathlib import Path, PurePosixPath

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import open_regular
from ..bounded import bounded
from ..downloads.archives import StrictHeader
from . import Source, with_defaults
from ._options import ClassList
from ._own import (
    Classes,
    Unused,
    answered,
    class_file,
    class_list,
    classes_of,
    count_unused,
    file_facts,
    files_of,
    list_facts,
    once,
    tally,
    total,
    unused_beside,
)
from ._published import reading
from .folder import NOT_READ, SUFFIXES


class Options(ClassList):
    path: str = Field(description="a tar file, or a folder of them")


SOURCE = Source(options=Options, seeded=False)

IMAGES = {suffix[1:] for suffix in SUFFIXES}
OTHER_IMAGES = {suffix[1:] for suffix in NOT_READ}
LABELS = ("cls", "txt")
LONGEST = 4096  # bytes of a label
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")

Sample = tuple[str, str, int, int, str | int]  # shard, name, first byte, bytes, label


def classes(entry, locate):
    return _classes(entry, locate).names


def counts(entry, locate):
    return _classes(entry, locate).counts


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def places(entry, locate):
    """Shard and first byte of every image."""
    return [(shard, start) for shard, _, start, *_ in _samples(entry, locate)]


def unused(entry, locate):
    path = locate(entry["path"])
    shards = files_of(path, "*.tar")
    found = unused_beside(path, shards)
    for shard in shards:
        for kind, (n, first) in _read(shard)[1].items():
            before, name = found.get(kind, (0, f"{shard.name}: {first}"))
            found[kind] = (before + n, name)
    return found


def facts(entry, locate, key):
    path = locate(entry["path"])
    names = sorted(os.listdir(path)) if path.is_dir() else []
    packed = [name for name in names if name.endswith(PACKED)]
    if packed:
        raise StockpotError(
            f"{key}.path: {len(packed)} shards of {one_line(path, 150)} are compressed, as "
            f"{one_line(packed[0], 100)}; unpack them to .tar (gunzip), or move them away"
        )
    found = file_facts(path, "*.tar", key)
    return found | list_facts(entry, locate, key)


def prepare(spec):
    from ..examples import Examples, File

    known, samples = _classes(spec, Path), _samples(spec, Path)
    names, labels = answered(
        spec, known.names, [known.row[label] for *_, label in samples]
    )
    return Examples(
        images=[
            File(shard, start, size, member)
            for shard, member, start, size, _ in samples
        ],
        labels=labels,
        class_names=names,
        keys=[f"{Path(shard).name} {member}" for shard, member, *_ in samples],
    )


def _samples(entry, locate) -> list[Sample]:
    shards = files_of(locate(entry["path"]), "*.tar")
    return [sample for shard in shards for sample in _read(shard)[0]]


def _classes(entry, locate) -> Classes:
    entry = with_defaults(entry)
    found = total(_tally(shard) for shard in files_of(locate(entry["path"]), "*.tar"))
    listed = class_list(locate(class_file(entry)) if class_file(entry) else None)
    return classes_of(entry, found, listed)


@once
def _tally(shard: Path):
    shown = one_line(shard, 150)
    return tally(
        (f"{shown}: {one_line(name, 150)}", label)
        for _, name, *_, label in _read(shard)[0]
    )


@once
def _read(shard: Path) -> tuple[list[Sample], Unused]:
    """Samples of a shard, and what of it is not read."""
    return bounded(_read_shard, shard)


def _read_shard(shard: Path) -> tuple[list[Sample], Unused]:
    shown = one_line(shard, 150)
    images, labels, unused, others = {}, {}, [], {}
    with (
        reading(shard, "a shard is an uncompressed, whole tar file"),
        open_regular(shard) as stream,
        tarfile.open(fileobj=stream, mode="r:", tarinfo=StrictHeader) as archive,
    ):
        while (member := archive.next()) is not None:
            archive.members.clear()  # or all of them stay in memory
            if member.isdir():
                continue
            key, kind = _key_and_kind(member.name)
            if not member.isreg() or member.issparse():
                unused.append(("links or special files", member.name))
            elif not key:
                unused.append(("hidden", member.name))
            elif kind in IMAGES:
                if key in images:
                    raise StockpotError(
                        f"{shown}: two images of {one_line(key, 150)}: {one_line(member.name, 150)}"
                    )
                images[key] = (member.name, member.offset_data, member.size)
            elif kind in LABELS and member.size <= LONGEST:
                text = archive.extractfile(member).read().decode().strip()
                labels[key, kind] = (
                    int(text) if kind == "cls" and text.isdecimal() else text
                )
            else:
                others.setdefault(key, (kind, member.name))
                unused.append((f".{kind}", member.name))
        _check_end(stream, archive.offset)
    _check_others(shown, images, others)
    samples = []
    for key, (name, start, size) in images.items():
        label = labels.get((key, "cls"), labels.get((key, "txt"), ""))
        if label == "":
            raise StockpotError(
                f"{shown}: {one_line(name, 150)} has no label {one_line(key, 100)}.cls or "
                f"{one_line(key, 100)}.txt"
            )
        samples.append((str(shard), name, start, size, label))
    if not samples:
        raise StockpotError(f"{shown}: no images ({', '.join(sorted(IMAGES))})")
    alone = [(key, kind) for key, kind in labels if key not in images]
    unused += [("labels without an image", f"{key}.{kind}") for key, kind in alone]
    captions = [key for key, kind in labels if kind == "txt" and (key, "cls") in labels]
    unused += [(".txt beside .cls", f"{key}.txt") for key in captions if key in images]
    return samples, count_unused(unused)


def _key_and_kind(name: str) -> tuple[str, str]:
    """What tells a member's sample, up to the first dot of the file's name, and the rest in lower
    case. The key of a hidden file is ""."""
    path = PurePosixPath(name)
    base, _, kind = path.name.partition(".")
    folders = [part for part in path.parts[:-1] if part not in ("..", ".")]
    if not base or any(part.startswith(".") for part in folders):
        return "", ""
    return str(path.parent / base), kind.lower()


def _check_others(shown: str, images: dict, others: dict[str, tuple[str, str]]) -> None:
    """Refuse a sample whose only image is of a kind that is not read, or seems to be.

    others: key -> kind and name of a member that is neither an image nor a label.
    """
    for key, (kind, name) in others.items():
        if key in images:
            continue
        if kind in OTHER_IMAGES:
            raise StockpotError(
                f"{shown}: {one_line(name, 150)} is of a kind that is not read; read are "
                f"{', '.join(sorted(IMAGES))}"
            )
        if kind.rpartition(".")[2] in IMAGES | OTHER_IMAGES:
            raise StockpotError(
                f"{shown}: {one_line(name, 150)} is no image of a sample: a sample's name ends at "
                f"its first dot, so this one is '{one_line(kind, 50)}' of "
                f"'{one_line(key, 100)}'. Write the shard without other dots in names"
            )


def _check_end(stream, offset: int) -> None:
    """Refuse members that follow the mark of the end, as in two shards that were joined."""
    stream.seek(offset)
    while block := stream.read(1 << 20):
        for start in (
            range(0, len(block), tarfile.BLOCKSIZE) if block.strip(b"\0") else ()
        ):
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
