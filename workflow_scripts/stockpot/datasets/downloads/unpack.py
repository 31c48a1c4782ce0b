"""Unpack an archive that a stranger made: into a new folder, nowhere else, whole or not at all.

``Limits`` bounds what an archive may bring. A budget counts entries and bytes as they come out, so
a small archive cannot fill the disk.
"""

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
from ..disk import format_bytes, require_space
from .archives import ArchiveMember, damage_as_error, read_members
from .progress import Progress

BLOCK = 1 << 20  # bytes that are written at once
LONGEST_STEP = 255  # bytes of the name of one file or folder


@dataclass(frozen=True)
class Limits:
    """What an archive may bring.

    Attributes:
        entries: Files and folders, also those that only a path names.
        folders: Folders, with one more for every ``folder_bytes`` of the archive.
        folder_bytes: Bytes of the archive that allow one more folder.
        depth: Folders within each other.
        bytes: All bytes that come out.
        ratio: Bytes that come out per byte of the archive, where more than ``ratio_from`` come.
        ratio_from: Bytes that may come out at any ratio.
        name: Bytes of a path in the archive.
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
    """Unpack a tar (plain, gzip, bzip2, xz) or a zip into a new folder.

    The kind follows from the bytes, not from the name. Only plain files and folders are taken, with
    the modes of any new file. Links of all kinds are refused, those that stay inside too, so that a
    path within the folder is never one out of it.

    Args:
        archive: The archive.
        folder: The new folder.
        password: That of encrypted members of a zip.
        limits: What the archive may bring.
        kept: A name directly in the folder that no archive may bring.

    Returns:
        The number of files.

    Raises:
        StockpotError: The archive is damaged, is none, leads out of the folder or exceeds a limit,
            or ``folder`` exists. It names the archive, and the member if there is one. Then, as
            after an interrupt, nothing of the folder is left.
    """
    archive = Path(archive)
    folder = Path(folder)
    if os.path.lexists(folder):
        raise StockpotError(
            f"{folder}: is there already; move it away to unpack {archive} there"
        )
    try:
        raw = open_regular(archive)
    except OSError as error:
        raise StockpotError(f"{archive}: cannot be read ({error.strerror})") from error
    with (
        raw,
        Progress(archive.name) as progress,
        _new_folder(folder) as temporary,
    ):
        budget = _Budget(archive, raw, limits, progress)
        # Members are read one by one, while their bytes are written.
        needed, members = read_members(
            raw,
            str(archive),
            password,
            budget.count,
        )
        require_space(temporary, needed, str(archive))
        file_count = sum(
            _extract(member, temporary, budget, kept) for member in members
        )
        if not file_count:
            raise StockpotError(f"{archive}: holds no files")
    return file_count


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A new folder that gets the name when the block succeeds, and is removed otherwise."""
    # Beside the folder, so that both are on one disk and a rename is one step.
    temporary = folder.with_name(f".{folder.name}.{uuid4().hex[:12]}")
    try:
        with _write_errors(folder):
            temporary.mkdir(parents=True)
        yield temporary
        with _write_errors(folder):
            os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Budget:
    """What an archive may still bring; told of every member, and of all bytes as they come out."""

    def __init__(
        self, archive: Path, raw: BinaryIO, limits: Limits, progress: Progress
    ) -> None:
        self.archive = archive
        self.raw = raw
        self.limits = limits
        self.progress = progress
        self.packed_bytes = os.fstat(raw.fileno()).st_size
        self.entries = 0
        self.unpacked_bytes = 0
        self.folders: set[str] = set()

    def make_folder(self, root: Path, steps: list[str]) -> None:
        """Make a folder and those above it, and count each that is new.

        Args:
            root: The folder that is unpacked to.
            steps: Names of the folders from there on.

        Raises:
            StockpotError: There are too many.
        """
        # From the innermost folder outwards, up to one that this archive has made.
        present = len(steps)  # how many of the folders are there
        while present and "/".join(steps[:present]) not in self.folders:
            present -= 1
        max_folders = (
            self.limits.folders + self.packed_bytes // self.limits.folder_bytes
        )
        for end in range(present + 1, len(steps) + 1):
            self.enter()
            self.folders.add("/".join(steps[:end]))
            if len(self.folders) > max_folders:
                raise StockpotError(
                    f"{self.archive}: has more than {max_folders:,} folders, too many for its "
                    f"{format_bytes(self.packed_bytes)}"
                )
            root.joinpath(*steps[:end]).mkdir()

    def enter(self) -> None:
        """Count one more file or folder.

        Raises:
            StockpotError: There are too many.
        """
        self.entries += 1
        if self.entries > self.limits.entries:
            raise StockpotError(
                f"{self.archive}: has more than {self.limits.entries} entries"
            )

    def count(self, byte_count: int) -> None:
        """Count bytes that came out.

        Args:
            byte_count: How many more.

        Raises:
            StockpotError: There are too many, in all or for the size of the archive.
        """
        self.unpacked_bytes += byte_count
        if self.unpacked_bytes > self.limits.bytes:
            raise StockpotError(
                f"{self.archive}: unpacks to more than {format_bytes(self.limits.bytes)}"
            )
        # Files of zeros compress about a thousandfold, images hardly at all.
        allowed_by_ratio = self.limits.ratio * self.packed_bytes
        if self.unpacked_bytes > max(self.limits.ratio_from, allowed_by_ratio):
            raise StockpotError(
                f"{self.archive}: unpacks to more than {self.limits.ratio:g} times its "
                f"{format_bytes(self.packed_bytes)}"
            )
        self.progress.show(self.raw.tell(), self.packed_bytes)


def _extract(
    member: ArchiveMember,
    folder: Path,
    budget: _Budget,
    kept: str,
) -> bool:
    """Put a member into the folder; is it a file?"""
    budget.enter()
    shown_member = f"{budget.archive}, {one_line(member.name, 200)!r}"
    steps = _steps(member.name)
    reason = _refusal(member, steps, budget.limits, kept)
    if reason:
        raise StockpotError(f"{shown_member}: {reason}")
    with _write_errors(shown_member):
        if member.open is None:
            budget.make_folder(folder, steps)
            return False
        budget.make_folder(folder, steps[:-1])
        written = 0
        # Mode x: never through or over what is there.
        with open(folder.joinpath(*steps), "xb") as file:
            for block in _read_blocks(member, shown_member):
                written += file.write(block)
    # Whoever planned with the size in the archive would be wrong.
    if written != member.size:
        raise StockpotError(
            f"{shown_member}: has {written} bytes, but the archive says that it has {member.size}"
        )
    return True


def _refusal(
    member: ArchiveMember,
    steps: list[str],
    limits: Limits,
    kept: str,
) -> str:
    """Why a member must not be unpacked; "" if it may."""
    reason = member.refused or _wrong_name(member.name, steps, limits)
    if reason:
        return reason
    if member.open and not steps:
        return "has no name"
    # Some disks do not tell upper from lower case.
    if kept and steps and steps[0].casefold() == kept.casefold():
        return "has a name that is kept for what was fetched"
    return ""


def _steps(name: str) -> list[str]:
    """The names of a path; one without any is the folder itself."""
    return [step for step in name.split("/") if step not in ("", ".")]


def _wrong_name(
    name: str,
    steps: list[str],
    limits: Limits,
) -> str:
    """Why a path must not be unpacked; "" if it may."""
    # C: begins a path of Windows.
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "is an absolute path"
    if "\\" in name or any(ord(letter) < 32 for letter in name):
        return "has a backslash or a control character in its name"
    if ".." in steps:
        return "leads out of the folder"
    # The path in the archive, with all its . and empty steps.
    byte_count = len(name.encode("utf-8", "surrogateescape"))
    if byte_count > limits.name:
        return f"has a name of {byte_count} bytes, more than {limits.name}"
    if len(steps) > limits.depth:
        return f"lies {len(steps)} folders deep, more than {limits.depth}"
    if any(len(os.fsencode(step)) > LONGEST_STEP for step in steps):
        return f"has more than {LONGEST_STEP} bytes between two slashes of its name"
    return ""


def _read_blocks(member: ArchiveMember, shown_member: str) -> Iterator[bytes]:
    """The bytes of a member. Damage becomes StockpotError that names the member."""
    hint = "; is the password right?" if member.encrypted else ""
    with (
        damage_as_error(shown_member, hint),
        closing(member.open()) as stream,
    ):
        while block := stream.read(BLOCK):
            yield block


@contextmanager
def _write_errors(name: str | Path) -> Iterator[None]:
    """Turn errors of the disk into one line that begins with the name."""
    try:
        yield
    # Two members of one name, or a file where another member needs a folder.
    except (FileExistsError, NotADirectoryError) as error:
        raise StockpotError(
            f"{name}: the name is taken by another file or folder"
        ) from error
    except OSError as error:
        raise StockpotError(f"{name}: cannot be written ({error.strerror})") from error
