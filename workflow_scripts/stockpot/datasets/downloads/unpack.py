"""Unpack an archive that a stranger made: into a new folder, nowhere else, whole or not at all."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import open_regular
from ..disk import readable, require_space
from .archives import Member, legible, members
from .progress import Progress

BLOCK = 1 << 20
LONGEST_PART = 255  # bytes of the name of one file or folder


@dataclass(frozen=True)
class Limits:
    """What an archive may bring.

    entries: files and folders, also those that a path alone names. folders: of these, with one more
    for every ``folder_bytes`` of the archive. depth: of folders within each other. bytes: of all
    that comes out. ratio: of those to the bytes of the archive, where more than ``ratio_from`` come
    out. name: bytes of a path in the archive.
    """

    entries: int = 5_000_000
    folders: int = 2_000
    folder_bytes: int = 64
    depth: int = 32
    bytes: int = 4 * 10**12
    ratio: float = 200.0
    ratio_from: int = 1 << 26
    name: int = 512


DEFAULT = Limits()


def unpack(
    archive: str | Path,
    folder: str | Path,
    password: bytes | None = None,
    limits: Limits = DEFAULT,
    kept: str = "",
) -> int:
    """Unpack a tar (plain, gzip, bzip2, xz) or a zip into a new folder; the number of files.

    The kind follows from the bytes, not from the name. password: of encrypted members of a zip.
    kept: a name directly in the folder that no archive may bring.
    Plain files and folders alone are taken, with the modes of any new file. Links of all kinds
    are refused, those that stay inside too, so that a path within the folder is never one out.

    Raises StockpotError naming the archive, and the member if there is one, for what is damaged,
    is no archive, leads out of the folder or exceeds a limit, and if ``folder`` exists. Then, as
    after an interrupt, nothing of it is left.
    """
    archive, folder = Path(archive), Path(folder)
    if os.path.lexists(folder):
        raise StockpotError(
            f"{folder}: is there already; move it away to unpack {archive} there"
        )
    try:
        raw = open_regular(archive)
    except OSError as error:
        raise StockpotError(f"{archive}: cannot be read ({error.strerror})") from error
    with raw, Progress(archive.name) as progress, _beside(folder) as temporary:
        budget = _Budget(archive, raw, limits, progress)
        needed, found = members(raw, str(archive), password, budget.count)
        require_space(temporary, needed, str(archive))
        files = sum(_take(member, temporary, budget, kept) for member in found)
        if not files:
            raise StockpotError(f"{archive}: holds no files")
    return files


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A new folder that gets the name when the block succeeds, and is removed otherwise."""
    temporary = folder.with_name(f".{folder.name}.{uuid4().hex[:12]}")
    try:
        with _writing(folder):
            temporary.mkdir(parents=True)
        yield temporary
        with _writing(folder):
            os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Budget:
    """What an archive may still bring; told of every member, and of all bytes as they come out."""

    def __init__(
        self, archive: Path, raw: BinaryIO, limits: Limits, progress: Progress
    ) -> None:
        self.archive, self.raw, self.limits, self.progress = (
            archive,
            raw,
            limits,
            progress,
        )
        self.packed = os.fstat(raw.fileno()).st_size
        self.entries = self.bytes = 0
        self.folders: set[str] = set()

    def make_folder(self, top: Path, parts: list[str]) -> None:
        """Make a folder and those above it, and count each that is new."""
        missing = len(parts)
        while missing and "/".join(parts[:missing]) not in self.folders:
            missing -= 1
        for end in range(missing + 1, len(parts) + 1):
            self.enter()
            self.folders.add("/".join(parts[:end]))
            most = self.limits.folders + self.packed // self.limits.folder_bytes
            if len(self.folders) > most:
                raise StockpotError(
                    f"{self.archive}: has more than {most:,} folders, too many for its "
                    f"{readable(self.packed)}"
                )
            top.joinpath(*parts[:end]).mkdir()

    def enter(self) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise StockpotError(
                f"{self.archive}: has more than {self.limits.entries} entries"
            )

    def count(self, n: int) -> None:
        self.bytes += n
        if self.bytes > self.limits.bytes:
            raise StockpotError(
                f"{self.archive}: unpacks to more than {readable(self.limits.bytes)}"
            )
        if self.bytes > max(self.limits.ratio_from, self.limits.ratio * self.packed):
            raise StockpotError(
                f"{self.archive}: unpacks to more than {self.limits.ratio:g} times its "
                f"{readable(self.packed)}"
            )
        self.progress.show(self.raw.tell(), self.packed)


def _take(member: Member, folder: Path, budget: _Budget, kept: str) -> bool:
    """Put a member into the folder; is it a file?"""
    budget.enter()
    what, parts = (
        f"{budget.archive}, {one_line(member.name, 200)!r}",
        _parts(member.name),
    )
    wrong = member.refused or _wrong_name(member.name, parts, budget.limits)
    if wrong or (member.open and not parts):
        raise StockpotError(f"{what}: {wrong or 'has no name'}")
    if (
        kept and parts and parts[0].casefold() == kept.casefold()
    ):  # some disks know no case
        raise StockpotError(f"{what}: has a name that is kept for what was fetched")
    path = folder.joinpath(*parts)
    with _writing(what):
        if member.open is None:
            budget.make_folder(folder, parts)
            return False
        budget.make_folder(folder, parts[:-1])
        written = 0
        with open(path, "xb") as file:  # never through or over what is there
            for block in _blocks(member, what):
                written += file.write(block)
    if written != member.size:
        raise StockpotError(
            f"{what}: has {written} bytes, but the archive says that it has {member.size}"
        )
    return True


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def _wrong_name(name: str, parts: list[str], limits: Limits) -> str:
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "is an absolute path"
    if "\\" in name or any(ord(letter) < 32 for letter in name):
        return "has a backslash or a control character in its name"
    if ".." in parts:
        return "leads out of the folder"
    bytes_long = len(name.encode("utf-8", "surrogateescape"))
    if bytes_long > limits.name:
        return f"has a name of {bytes_long} bytes, more than {limits.name}"
    if len(parts) > limits.depth:
        return f"lies {len(parts)} folders deep, more than {limits.depth}"
    if any(len(os.fsencode(part)) > LONGEST_PART for part in parts):
        return f"has more than {LONGEST_PART} bytes between two slashes of its name"
    return ""


def _blocks(member: Member, what: str) -> Iterator[bytes]:
    hint = "; is the password right?" if member.encrypted else ""
    with legible(what, hint), closing(member.open()) as stream:
        while block := stream.read(BLOCK):
            yield block


@contextmanager
def _writing(what: str | Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise StockpotError(
            f"{what}: the name is taken by another file or folder"
        ) from error
    except OSError as error:
        raise StockpotError(f"{what}: cannot be written ({error.strerror})") from error
