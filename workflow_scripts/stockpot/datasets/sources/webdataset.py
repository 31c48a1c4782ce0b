"""WebDataset shards: tar files of <key>.jpg, .png or .webp, each with <key>.cls or <key>.txt.

Images are read where they lie in the shard, which therefore must not be compressed; nothing is
unpacked.
"""

import tarfile
from pathlib import Path, PurePosixPath

from ...errors import StockpotError
from . import with_defaults
from ._own import (
    class_list,
    file_facts,
    files_of,
    list_facts,
    names_of,
    once,
    per_class,
    places_of,
)
from ._published import reading

OPTIONS = {
    "path": {"description": "a tar file, or a folder of them", "type": "string"},
    "classes": {
        "description": "file with one class per line; needed where labels are numbers",
        "type": "string",
        "default": None,
    },
}
ENCODED = True
SEEDED = False
IMAGES = {"jpg", "jpeg", "png", "webp"}
LABELS = ("cls", "txt")
LONGEST = 4096  # bytes of a label


def classes(entry, locate):
    return _known(entry, locate)[1]


def counts(entry, locate):
    samples, names = _known(entry, locate)
    return per_class(places_of(_labels(samples), names), names)


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def facts(entry, locate, key):
    found = file_facts(locate(entry["path"]), "*.tar", key)
    return found | list_facts(entry, locate, key)


def prepare(spec):
    from ..examples import Examples, File

    samples, names = _known(spec, Path)
    return Examples(
        images=[File(shard, start, size, member) for shard, member, start, size, _ in samples],
        labels=places_of(_labels(samples), names),
        class_names=names,
        keys=[f"{Path(shard).name} {member}" for shard, member, *_ in samples],
    )


def _known(entry, locate):
    """(samples, class names)"""
    entry = with_defaults(entry)
    samples = [
        sample for shard in files_of(locate(entry["path"]), "*.tar") for sample in _read(shard)
    ]
    listed = class_list(entry["classes"] and locate(entry["classes"]))
    return samples, names_of(_labels(samples), listed)


def _labels(samples):
    return [(f"{shard}: {member}", label) for shard, member, _, _, label in samples]


@once
def _read(shard: Path) -> list[tuple[str, str, int, int, str | int]]:
    """(shard, name, first byte, bytes, label) of every image."""
    images, labels = {}, {}
    with (
        reading(shard, "an uncompressed tar file is wanted"),
        tarfile.open(shard, "r:") as archive,
    ):
        for member in archive:
            path = PurePosixPath(member.name)
            name, _, kind = path.name.partition(".")
            key, kind = str(path.parent / name), kind.lower()
            if not member.isreg() or member.issparse():
                continue
            if kind in IMAGES:
                if key in images:
                    raise StockpotError(f"{shard}: two images of {key}: {member.name}")
                images[key] = (member.name, member.offset_data, member.size)
            elif kind in LABELS and member.size <= LONGEST:
                text = archive.extractfile(member).read().decode().strip()
                labels[key, kind] = int(text) if kind == "cls" and text.isdecimal() else text
    found = []
    for key, (member, start, size) in images.items():
        label = labels.get((key, "cls"), labels.get((key, "txt"), ""))
        if label == "":
            raise StockpotError(f"{shard}: {member} has no label {key}.cls or {key}.txt")
        found.append((str(shard), member, start, size, label))
    if not found:
        raise StockpotError(f"{shard}: no images ({', '.join(sorted(IMAGES))})")
    return found
