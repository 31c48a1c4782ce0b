"""A folder with one sub-folder of images per class.

Before anything is read, ``facts`` refuses folders that a user may have meant otherwise: sub-folders
that are splits or domains and not classes, images of kinds that are not read, and classes without
images.
"""

import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..listing import class_folders, every_file, files_below, listing_digest
from . import Entry, Facts, Locate, PrepareSpec, Source, with_defaults
from ._options import UserFiles

if TYPE_CHECKING:
    from ..examples import Examples
    from ._own import Unused


class Options(UserFiles):
    """Options of the source ``folder``."""

    path: str = Field(description="one sub-folder of images per class")


SOURCE = Source(options=Options, seeded=False)

# A JPEG file is one under any of its names.
JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif"}
SUFFIXES = {".png", ".webp", ".bmp", *JPEG}
# Images of kinds that are not read: a folder that holds some is refused.
NOT_READ = {
    # Photos of phones.
    ".heic",
    ".heif",
    ".avif",
    # JPEG XL and JPEG 2000.
    ".jxl",
    ".jp2",
    ".j2k",
    ".jpf",
    ".jpx",
    # Files of several images.
    ".tif",
    ".tiff",
    ".gif",
    ".apng",
    ".ico",
    ".icns",
    # Textures, and Netpbm's plain formats.
    ".tga",
    ".dds",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
    # Layers, high dynamic range, medical images.
    ".psd",
    ".exr",
    ".hdr",
    ".dcm",
    # Raw files of cameras.
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
# Files that are no images, whatever their first bytes are.
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
# Names of folders that hold one split of a data set.
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

ListedImage = tuple[Path, int]  # file, class index


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names: those of the sub-folders.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Class names, sorted; none where there is no folder.
    """
    from ._own import class_name

    folder = locate(entry["path"])
    if not folder.is_dir():
        return []
    return sorted(class_name(str(folder), name) for name in class_folders(folder))


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read: the folder.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Its absolute path, with all links followed.
    """
    return str(locate(entry["path"]).resolve())


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images of each class.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Number of images per class, in the order of ``classes``; none where there is no folder.
    """
    folder = locate(entry["path"])
    if not folder.is_dir():
        return []
    names, files = listing(folder)
    image_counts = Counter(label for _, label in files)
    return [image_counts[label] for label in range(len(names))]


def byte_positions(entry: Entry, locate: Locate) -> list[tuple[str, int]]:
    """List where each image begins.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Path and first byte of every image; the latter is always 0.
    """
    folder = locate(entry["path"])
    if not folder.is_dir():
        return []
    _, files = listing(folder)
    return [(str(file), 0) for file, _ in files]


def unused(entry: Entry, locate: Locate) -> "Unused":
    """Count what lies in the folder and is not read.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Kind of file -> how many there are, and one of them.
    """
    from ._own import count_unused, kind_of

    folder = locate(entry["path"])
    if not folder.is_dir():
        return {}
    prefix_length = len(str(folder)) + 1
    unused_files: list[tuple[str, str]] = []
    for path in every_file(folder):
        name = path[prefix_length:]
        kind = kind_of(name)
        if any(step.startswith(".") for step in name.split("/")):
            unused_files.append(("hidden", name))
        elif "/" not in name:
            unused_files.append((f"beside the class folders, {kind}", name))
        elif kind not in SUFFIXES:
            unused_files.append((kind, name))
    return count_unused(unused_files)


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Check the folder and digest the state of its images.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        "path" -> the folder, "files" -> a digest of names, sizes and dates of the images.

    Raises:
        StockpotError: There is no such folder, it cannot be read, or it has another layout.
    """
    folder = locate(entry["path"])
    path_key = f"{key}.path"
    digest = listing_digest(folder, path_key, _is_read)
    try:
        _check_layout(folder, path_key)
        names, files = listing(folder)
    except OSError as error:
        raise StockpotError(
            f"{path_key}: cannot read {one_line(error.filename, 300)} ({error.strerror})"
        ) from error
    _check_classes(folder, names, files, path_key)
    _check_kinds(folder, names, path_key)
    if with_defaults(entry)["duplicates"] != "keep":
        _check_labels(folder, files, path_key)
    return {"path": str(folder), "files": digest}


def _is_read(name: str) -> bool:
    """Is a file of this path below the folder one of its images?"""
    return "/" in name and _suffix(name) in SUFFIXES


def _suffixes_in_words() -> str:
    return ", ".join(sorted(SUFFIXES))


# Layout: are the sub-folders classes?


def _check_layout(folder: Path, key: str) -> None:
    """Refuse a folder whose sub-folders are no classes: one level too high, or one too many."""
    names = class_folders(folder)
    inner_folders = {name: _folders_of_images(folder / name) for name in names}
    _refuse_single_folder(folder, inner_folders, key)
    _refuse_splits(folder, inner_folders, key)
    _refuse_domains(folder, inner_folders, key)


def _refuse_single_folder(
    folder: Path, inner_folders: dict[str, list[str]], key: str
) -> None:
    """Refuse a folder that holds only one other, which holds the classes."""
    names = list(inner_folders)
    if len(names) != 1 or not inner_folders[names[0]]:
        return
    single_name = one_line(names[0], 50)
    class_root = _first_with_several(folder / names[0])
    raise StockpotError(
        f"{key}: {one_line(folder, 150)} holds one folder, {single_name!r}, whose "
        f"sub-folders seem to be the classes; give {one_line(class_root, 200)}"
    )


def _refuse_splits(
    folder: Path,
    inner_folders: dict[str, list[str]],
    key: str,
) -> None:
    """Refuse a folder whose sub-folders are called train, test and the like.

    They may be classes of that name, unless they hold folders of images or nothing else is there.
    """
    names = list(inner_folders)
    splits = [name for name in names if _SPLIT.fullmatch(name)]
    splits_with_folders = [name for name in splits if inner_folders[name]]
    only_splits = len(splits) > 1 and splits == names
    if not splits_with_folders and not only_splits:
        return
    # One of the splits may itself be a folder of class folders.
    advice = "put the images into a folder per class, or list them in a CSV file"
    if splits_with_folders:
        training = [
            name for name in splits_with_folders if name.lower().startswith("train")
        ]
        suggested = (training or splits_with_folders)[0]
        advice = f"give {one_line(folder / suggested, 200)}"
    shown_splits = one_line(", ".join(splits), 100)
    raise StockpotError(
        f"{key}: the folders {shown_splits} of {one_line(folder, 150)} "
        f"seem to be parts of a data set, not classes; {advice}"
    )


def _refuse_domains(
    folder: Path, inner_folders: dict[str, list[str]], key: str
) -> None:
    """Refuse a folder of domains, such as photo and sketch, that hold the same classes."""
    domains = [name for name in inner_folders if _DOMAIN.fullmatch(name)]
    repeated = _repeated({name: inner_folders[name] for name in domains})
    # One equal name may be chance.
    if len(repeated) < 2:
        return
    shared_name = repeated[0]
    sharing = [name for name in domains if shared_name in inner_folders[name]]
    # Two of the domains serve as an example.
    one = one_line(sharing[0], 50)
    other = one_line(sharing[1], 50)
    shown_names = one_line(", ".join(repeated), 80)
    suggested = one_line(folder / sharing[0], 150)
    raise StockpotError(
        f"{key}: {one!r} and {other!r} of {one_line(folder, 150)} "
        f"hold folders of equal names ({shown_names}), so these seem to "
        f"be the classes; give {suggested}, or list the images in a CSV file"
    )


def _repeated(inner_folders: dict[str, list[str]]) -> list[str]:
    """Names of sub-folders that several folders have."""
    occurrences: Counter[str] = Counter()
    for names in inner_folders.values():
        occurrences.update(names)
    return [name for name, count in occurrences.items() if count > 1]


def layout_warning(entry: Entry, locate: Locate) -> str:
    """Say why the sub-folders may be no classes, although they can be.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        A line, or "" where nothing says so.
    """
    folder = locate(entry["path"])
    if not folder.is_dir():
        return ""
    names = class_folders(folder)
    repeated = _repeated({name: _folders_of_images(folder / name) for name in names})
    if len(repeated) < 2:
        return ""
    shown_names = one_line(", ".join(repeated), 80)
    return (
        f"several class folders hold folders of equal names ({shown_names}), "
        "whose images count for the outer one; are the classes one level below?"
    )


def _folders_of_images(folder: Path) -> list[str]:
    """Names of the sub-folders of a folder that holds no images itself, else none."""
    for path in folder.iterdir():
        if path.is_file() and _suffix(path.name) in SUFFIXES:
            return []
    return class_folders(folder)


def _first_with_several(folder: Path) -> Path:
    """The first folder below that holds several folders, or images."""
    inner_folders = _folders_of_images(folder)
    if len(inner_folders) == 1:
        return _first_with_several(folder / inner_folders[0])
    return folder


# Files: is every image read, once and under one class?


def _check_classes(
    folder: Path, names: list[str], files: list[ListedImage], key: str
) -> None:
    """Refuse a class without images."""
    labels_with_images = {label for _, label in files}
    for label, name in enumerate(names):
        if label not in labels_with_images:
            raise StockpotError(
                f"{key}: {one_line(folder / name, 200)} is a class without images "
                f"({_suffixes_in_words()}); remove the folder, or convert what is in it"
            )


def _check_kinds(
    folder: Path,
    names: list[str],
    key: str,
) -> None:
    """Refuse images of kinds that are not read, and those whose name does not say their kind."""
    files: list[Path] = []
    for name in names:
        files += files_below(folder / name)
    unreadable = [file for file in files if _suffix(file.name) in NOT_READ]
    if unreadable:
        example = one_line(unreadable[0], 200)
        raise StockpotError(
            f"{key}: {len(unreadable)} images, as {example}, are of a kind "
            f"that is not read; read are {_suffixes_in_words()}. Convert them, or move them away"
        )
    known_suffixes = SUFFIXES | _TEXTS
    unnamed = [
        file
        for file in files
        if _suffix(file.name) not in known_suffixes and _is_image(file)
    ]
    if unnamed:
        example = one_line(unnamed[0], 200)
        raise StockpotError(
            f"{key}: {len(unnamed)} images, as {example}, have a name without a "
            f"suffix of an image; read are {_suffixes_in_words()}. Rename them, or move them away"
        )


def _is_image(file: Path) -> bool:
    """Do the first bytes of a file say that it is an image?"""
    try:
        with open(file, "rb") as stream:
            start = stream.read(16)
    except OSError:
        # Such as a link that leads nowhere; the plan counts it among what is not read.
        return False
    # HEIF and AVIF: 4 bytes of a length, "ftyp", and the brand. WebP: "RIFF", a length, "WEBP".
    if start[4:8] == b"ftyp":
        return start[8:12].startswith(_IMAGE_BRANDS)
    return start.startswith(_BEGINNINGS) or start[8:12] == b"WEBP"


def _check_labels(
    folder: Path,
    files: list[ListedImage],
    key: str,
) -> None:
    """Refuse a file that links lead to under two classes.

    Under one class it counts once, as equal images do.
    """
    first_seen: dict[tuple[int, int], ListedImage] = {}
    for file, label in files:
        # Device and inode are equal for all links to one file.
        status = os.stat(file)
        inode = (status.st_dev, status.st_ino)
        first_file, first_label = first_seen.setdefault(inode, (file, label))
        if first_label != label:
            one = one_line(first_file.relative_to(folder), 100)
            other = one_line(file.relative_to(folder), 100)
            raise StockpotError(
                f"{key}: {one} and {other} are one file, so the image would count under two "
                "classes; remove one of the links, or say duplicates: keep"
            )


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def listing(path: str | Path) -> tuple[list[str], list[ListedImage]]:
    """List the images of a folder with one sub-folder per class.

    Args:
        path: The folder.

    Returns:
        Names of the sub-folders, sorted as the classes are; file and class index of every image,
        sorted by class and path.

    Raises:
        StockpotError: There is no such folder or no image in it, or two sub-folders are one class.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise StockpotError(
            f"{folder}: no such folder; a folder source has one sub-folder per class"
        )
    names = _folders_by_class(folder)
    files: list[ListedImage] = []
    for label, name in enumerate(names):
        for file in files_below(folder / name):
            if _suffix(file.name) in SUFFIXES:
                files.append((file, label))
    if not files:
        raise StockpotError(
            f"{folder}: no images ({_suffixes_in_words()}) in any sub-folder"
        )
    return names, files


def _folders_by_class(folder: Path) -> list[str]:
    """Names of the sub-folders, sorted by the names of their classes."""
    from ._own import class_name

    folder_of: dict[str, str] = {}  # class -> its folder
    for name in class_folders(folder):
        label = class_name(str(folder), name)
        if label in folder_of:
            raise StockpotError(
                f"{folder}: two folders are called {label!r}; they differ in how an accent is "
                "written (Unicode's composed and decomposed form). Join them"
            )
        folder_of[label] = name
    return [folder_of[label] for label in sorted(folder_of)]


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images with their class indices.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images, sorted by class and path.

    Raises:
        StockpotError: The folder holds no images.
    """
    from ..examples import Examples, ImageFile
    from ._own import among_answer_classes, class_name

    folder = Path(spec["path"])
    folder_names, files = listing(folder)
    class_names = [class_name(str(folder), name) for name in folder_names]
    labels = [label for _, label in files]
    class_names, labels = among_answer_classes(spec, class_names, labels)
    return Examples(
        images=[ImageFile(str(file)) for file, _ in files],
        labels=labels,
        class_names=class_names,
        keys=[file.relative_to(folder).as_posix() for file, _ in files],
    )
