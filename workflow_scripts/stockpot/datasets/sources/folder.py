"""A folder with one sub-folder of images per class."""

import os
import re
from collections import Counter
from pathlib import Path

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..listing import class_folders, every_file, files_below, listing_digest
from . import Source, with_defaults
from ._options import OwnFiles


class Options(OwnFiles):
    path: str = Field(description="one sub-folder of images per class")


SOURCE = Source(options=Options, seeded=False)

# A JPEG file is one under any of its names.
JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif"}
SUFFIXES = {".png", ".webp", ".bmp", *JPEG}
NOT_READ = {
    ".heic",
    ".heif",
    ".avif",
    ".jxl",
    ".jp2",
    ".j2k",
    ".jpf",
    ".jpx",
    ".tif",
    ".tiff",
    ".gif",
    ".apng",
    ".ico",
    ".icns",
    ".tga",
    ".dds",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
    ".psd",
    ".exr",
    ".hdr",
    ".dcm",
    ".dng",
    ".cr2",
    ".cr3",
    ".nef",
    ".arw",
    ".orf",
    ".rw2",
    ".raf",
    ".raw",
}
# First bytes of an image, for files whose name does not say what they are.
_BEGINNINGS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"BM", b"GIF8", b"II*\0", b"MM\0*")
# What follows "ftyp" in images; films, as the .mov beside a phone's photos, begin with ftyp too.
_IMAGE_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avif", b"avis")
_TEXTS = {
    ".txt",
    ".json",
    ".csv",
    ".tsv",
    ".xml",
    ".md",
    ".yaml",
    ".yml",
    ".html",
    ".log",
    ".pdf",
}
_SPLIT = re.compile(
    r"(train|training|val|valid|validation|dev|test|testing|eval|evaluation|held[-_ ]?out)"
    r"([-_ ]?(set|data|images|split))?[-_ ]?\d*",
    re.IGNORECASE,
)
# Domains of well-known sets (PACS, Office-Home, DomainNet, VLCS, Office), each of which holds a
# folder per class.
_DOMAIN = re.compile(
    r"(art|art[-_ ]?painting|cartoon|photo|sketch|clip[-_ ]?art|product|real([-_ ]?world)?|painting"
    r"|quickdraw|infograph|amazon|dslr|webcam|caltech(101)?|labelme|sun(09)?|voc2007)s?",
    re.IGNORECASE,
)


def classes(entry, locate):
    from ._own import class_name

    folder = locate(entry["path"])
    found = class_folders(folder) if folder.is_dir() else []
    return sorted(class_name(str(folder), name) for name in found)


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def counts(entry, locate):
    folder = locate(entry["path"])
    if not folder.is_dir():
        return []
    names, files = listing(folder)
    counted = Counter(label for _, label in files)
    return [counted[label] for label in range(len(names))]


def places(entry, locate):
    """Path and first byte of every image file."""
    folder = locate(entry["path"])
    return [(str(file), 0) for file, _ in listing(folder)[1]] if folder.is_dir() else []


def unused(entry, locate):
    """What lies in the folder and is not read, by kind."""
    from ._own import count_unused, kind_of

    folder = locate(entry["path"])
    skip, found = len(str(folder)) + 1, []
    for path in every_file(folder) if folder.is_dir() else ():
        name = path[skip:]
        kind = kind_of(name)
        if any(part.startswith(".") for part in name.split("/")):
            found.append(("hidden", name))
        elif "/" not in name:
            found.append((f"beside the class folders, {kind}", name))
        elif kind not in SUFFIXES:
            found.append((kind, name))
    return count_unused(found)


def facts(entry, locate, key):
    folder = locate(entry["path"])
    digest = listing_digest(folder, f"{key}.path", _is_read)
    try:
        _check_layout(folder, f"{key}.path")
        names, files = listing(folder)
    except OSError as error:
        raise StockpotError(
            f"{key}.path: cannot read {one_line(error.filename, 300)} ({error.strerror})"
        ) from error
    known = {label for _, label in files}
    kinds = ", ".join(sorted(SUFFIXES))
    for label, name in enumerate(names):
        if label not in known:
            raise StockpotError(
                f"{key}.path: {one_line(folder / name, 200)} is a class without images ({kinds}); "
                "remove the folder, or convert what is in it"
            )
    _check_kinds(folder, names, f"{key}.path")
    if with_defaults(entry)["duplicates"] != "keep":
        _check_labels(folder, files, f"{key}.path")
    return {"path": str(folder), "files": digest}


def _is_read(name: str) -> bool:
    """Is a file of this path below the folder one of its images?"""
    return "/" in name and _suffix(name) in SUFFIXES


def _check_layout(folder: Path, key: str) -> None:
    """Refuse a folder whose sub-folders are no classes: one level too high, or one too many."""
    names = class_folders(folder)
    below = {name: _folders_of_images(folder / name) for name in names}
    if len(names) == 1 and below[names[0]]:
        raise StockpotError(
            f"{key}: {one_line(folder, 150)} holds one folder, {one_line(names[0], 50)!r}, whose "
            f"sub-folders seem to be the classes; give {one_line(_single(folder / names[0]), 200)}"
        )
    splits = [name for name in names if _SPLIT.fullmatch(name)]
    nested = [name for name in splits if below[name]]
    if nested or (len(splits) > 1 and splits == names):
        training = [name for name in nested if name.lower().startswith("train")]
        advice = "put the images into a folder per class, or list them in a CSV file"
        if nested:
            advice = f"give {one_line(folder / (training or nested)[0], 200)}"
        raise StockpotError(
            f"{key}: the folders {one_line(', '.join(splits), 100)} of {one_line(folder, 150)} "
            f"seem to be parts of a data set, not classes; {advice}"
        )
    domains = [name for name in names if _DOMAIN.fullmatch(name)]
    repeated = _repeated({name: below[name] for name in domains})
    if len(repeated) > 1:
        one, other = [name for name in domains if repeated[0] in below[name]][:2]
        raise StockpotError(
            f"{key}: {one_line(one, 50)!r} and {one_line(other, 50)!r} of {one_line(folder, 150)} "
            f"hold folders of equal names ({one_line(', '.join(repeated), 80)}), so these seem to "
            f"be the classes; give {one_line(folder / one, 150)}, or list the images in a CSV file"
        )


def _repeated(below: dict[str, list[str]]) -> list[str]:
    """Names of sub-folders that several folders have. below: folder -> its sub-folders."""
    times = Counter(inner for folders in below.values() for inner in folders)
    return [inner for inner, n in times.items() if n > 1]


def doubt(entry, locate):
    """Why the sub-folders may be no classes, although they can be; "" where nothing says so."""
    folder = locate(entry["path"])
    if not folder.is_dir():
        return ""
    names = class_folders(folder)
    repeated = _repeated({name: _folders_of_images(folder / name) for name in names})
    if len(repeated) < 2:
        return ""
    return (
        f"several class folders hold folders of equal names ({one_line(', '.join(repeated), 80)}), "
        "whose images count for the outer one; are the classes one level below?"
    )


def _folders_of_images(folder: Path) -> list[str]:
    """Names of its sub-folders, if it has these alone: [] where images lie beside them."""
    if any(
        _suffix(path.name) in SUFFIXES for path in folder.iterdir() if path.is_file()
    ):
        return []
    return class_folders(folder)


def _single(folder: Path) -> Path:
    """The first folder below that holds several, or images."""
    inner = _folders_of_images(folder)
    return _single(folder / inner[0]) if len(inner) == 1 else folder


def _check_kinds(folder: Path, names: list[str], key: str) -> None:
    """Refuse images of kinds that are not read, and those whose name does not say their kind."""
    kinds = ", ".join(sorted(SUFFIXES))
    files = [file for name in names for file in files_below(folder / name)]
    others = [file for file in files if _suffix(file.name) in NOT_READ]
    if others:
        raise StockpotError(
            f"{key}: {len(others)} images, as {one_line(others[0], 200)}, are of a kind that is "
            f"not read; read are {kinds}. Convert them, or move them away"
        )
    unknown = [
        f for f in files if _suffix(f.name) not in SUFFIXES | _TEXTS and _is_image(f)
    ]
    if unknown:
        raise StockpotError(
            f"{key}: {len(unknown)} images, as {one_line(unknown[0], 200)}, have a name without a "
            f"suffix of an image; read are {kinds}. Rename them, or move them away"
        )


def _is_image(file: Path) -> bool:
    try:
        with open(file, "rb") as stream:
            start = stream.read(16)
    except (
        OSError
    ):  # as a link that leads nowhere; the plan counts it among what is not read
        return False
    if start[4:8] == b"ftyp":
        return start[8:12].startswith(_IMAGE_BRANDS)
    return start.startswith(_BEGINNINGS) or start[8:12] == b"WEBP"


def _check_labels(folder: Path, files: list[tuple[Path, int]], key: str) -> None:
    """Refuse a file that links lead to under two classes. Under one class it counts once, as equal
    images do."""
    seen = {}
    for file, label in files:
        stat = os.stat(file)
        identity = (stat.st_dev, stat.st_ino)
        before, other = seen.setdefault(identity, (file, label))
        if other != label:
            one = one_line(before.relative_to(folder), 100)
            two = one_line(file.relative_to(folder), 100)
            raise StockpotError(
                f"{key}: {one} and {two} are one file, so the image would count under two classes; "
                "remove one of the links, or say duplicates: keep"
            )


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def listing(path: str | Path) -> tuple[list[str], list[tuple[Path, int]]]:
    """Names of the sub-folders, sorted as the classes are, and (file, label) pairs in order."""
    from ._own import class_name

    folder = Path(path)
    if not folder.is_dir():
        raise StockpotError(
            f"{folder}: no such folder; a folder source has one sub-folder per class"
        )
    known = {}  # class -> its folder
    for name in class_folders(folder):
        label = class_name(str(folder), name)
        if label in known:
            raise StockpotError(
                f"{folder}: two folders are called {label!r}; they differ in how an accent is "
                "written (Unicode's composed and decomposed form). Join them"
            )
        known[label] = name
    names = [known[label] for label in sorted(known)]
    files = [
        (file, label)
        for label, name in enumerate(names)
        for file in files_below(folder / name)
        if _suffix(file.name) in SUFFIXES
    ]
    if not files:
        raise StockpotError(
            f"{folder}: no images ({', '.join(sorted(SUFFIXES))}) in any sub-folder"
        )
    return names, files


def prepare(spec):
    from ..examples import Examples, File
    from ._own import answered, class_name

    folder = Path(spec["path"])
    names, files = listing(folder)
    names = [class_name(str(folder), name) for name in names]
    names, labels = answered(spec, names, [label for _, label in files])
    return Examples(
        images=[File(str(file)) for file, _ in files],
        labels=labels,
        class_names=names,
        keys=[file.relative_to(folder).as_posix() for file, _ in files],
    )
