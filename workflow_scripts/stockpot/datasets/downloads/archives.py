"""What an archive holds, member by member: tar (plain, gzip, bzip2, xz) and zip.

Archives come from strangers, and Python's libraries trust them: everything of the libraries that is
too trusting is turned off here. ``unpack`` decides what becomes of the members.
"""

import bz2
import gzip
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line

XZ_MEMORY = 200 << 20  # bytes; xz -9 needs 65 MB, while a header can ask for 4 GB
BLOCK = 1 << 16  # packed bytes that are read at once
ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
# The methods of compression that zipfile reads with a bound.
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 1  # a flag of a zip's members
# Bytes of a long name or of pax records, which tarfile reads at once.
LONGEST_HEADER = 1 << 16
LONGEST_GLOBALS = 1 << 12  # letters of pax records that hold for all members
_MANY_DIGITS = re.compile(rb"\d{1000}")
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
# What the libraries raise on bytes that are not what they should be.
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
)

CountBytes = Callable[[int], None]  # is told of every number of bytes that come out


class _XzReader:
    """Reads xz as ``lzma.open`` does, with a limit of memory."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw = raw
        self.close = raw.close
        self.decoder = self._new_decoder()

    @staticmethod
    def _new_decoder() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(self, size: int) -> bytes:
        """Unpack some bytes.

        Args:
            size: The most that may come.

        Returns:
            At least one byte, or none at the end.

        Raises:
            EOFError: The file is cut short.
        """
        while True:
            packed = b""
            if self.decoder.eof:
                packed = self._after_stream()
                if not packed.strip(b"\0"):
                    return b""
                self.decoder = self._new_decoder()
            elif self.decoder.needs_input:
                packed = self.raw.read(BLOCK)
                if not packed:
                    raise EOFError("it ends before the mark of its end")
            block = self.decoder.decompress(packed, size)
            if block:
                return block

    def _after_stream(self) -> bytes:
        """What follows the end of a stream: another stream may, after zeros."""
        unused = self.decoder.unused_data.lstrip(b"\0")
        return unused or self.raw.read(BLOCK)


# First bytes of a compressed file -> what unpacks it.
COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": _XzReader}


@dataclass(frozen=True)
class ArchiveMember:
    """A file or folder of an archive.

    Attributes:
        name: As in the archive.
        size: Bytes that the archive says it has.
        open: Opens its bytes; None for a folder.
        refused: Why it must not be unpacked; "" if it may.
        encrypted: Does it need a password?
    """

    name: str
    size: int
    open: Callable[[], BinaryIO] | None
    refused: str = ""
    encrypted: bool = False


@contextmanager
def damage_as_error(archive_name: str, hint: str = "") -> Iterator[None]:
    """Turn whatever the libraries raise on broken bytes into one line.

    Args:
        archive_name: What the line begins with.
        hint: What it ends with.

    Raises:
        StockpotError: The block met broken bytes, or had too little memory.
    """
    try:
        yield
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StockpotError(
            f"{archive_name}: damaged, cut short or unreadable ({one_line(reason, 150)}){hint}"
        ) from error
    except MemoryError as error:
        raise StockpotError(
            f"{archive_name}: reading it needs more memory than there is"
        ) from error


def read_members(
    raw: BinaryIO, archive_name: str, password: bytes | None, count: CountBytes
) -> tuple[int, Iterator[ArchiveMember]]:
    """List the members of an archive, whose kind follows from its first bytes.

    Args:
        raw: The archive, open.
        archive_name: What errors call it.
        password: That of encrypted members of a zip.
        count: Is told of every number of bytes that come out.

    Returns:
        Bytes that come out at the least, as the archive has it; and the members in their order. A
        member must be read before the next is asked for.

    Raises:
        StockpotError: It is no archive, or damaged.
    """
    start = raw.read(tarfile.BLOCKSIZE)
    raw.seek(0)
    packed_size = os.fstat(raw.fileno()).st_size
    with damage_as_error(archive_name):
        if start.startswith(ZIP_MARKS):
            # A zip lists its members at its end; their sizes are what it claims.
            archive = zipfile.ZipFile(raw)
            infos = archive.infolist()
            _require_apart(infos, archive_name)
            unpacked_size = sum(info.file_size for info in infos)
            return unpacked_size, _zip_members(archive, password, count)
    # How much a compressed tar unpacks to is not known before it is read: at least its own size.
    for mark, opener in COMPRESSED.items():
        if start.startswith(mark):
            return packed_size, _tar_members(opener(raw), archive_name, count)
    # A tar has no mark at its beginning, but a header with a checksum.
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise StockpotError(
            f"{archive_name}: not an archive; a tar (plain, gzip, bzip2 or xz) or a zip is needed"
        ) from error
    return packed_size, _tar_members(raw, archive_name, count)


class _CountedStream:
    """A stream that tells how many bytes come out of it."""

    def __init__(self, stream: BinaryIO, count: CountBytes) -> None:
        self.stream = stream
        self.count = count
        self.close = stream.close

    def read(self, size: int) -> bytes:
        """Read from the stream, and tell how much.

        Args:
            size: The most that may come.

        Returns:
            The bytes.
        """
        block = self.stream.read(size)
        self.count(len(block))
        return block


# Tar.


class StrictHeader(tarfile.TarInfo):
    """A header of a tar that is refused where tarfile would guess.

    A header that is broken or missing is damage; to tarfile it is the end of the archive.
    """

    @classmethod
    def frombuf(
        cls,
        buf: bytes,
        encoding: str,
        errors: str,
    ) -> "StrictHeader":
        """Parse one block of a header, as tarfile asks.

        Args:
            buf: The block.
            encoding: Of names.
            errors: What to do with bytes that are not of the encoding.

        Returns:
            The header.

        Raises:
            tarfile.ReadError: It has a wrong size, or is that of a sparse file.
        """
        # tarfile itself checks the sum of the block.
        header = super().frombuf(buf, encoding, errors)
        is_too_long = header.type in _HEADERS and header.size > LONGEST_HEADER
        if header.size < 0 or is_too_long:
            raise tarfile.ReadError(
                f"a header says that it has {header.size} bytes; 0 to {LONGEST_HEADER} are read"
            )
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError(f"{one_line(header.name, 100)!r} is a sparse file")
        return header

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> "StrictHeader":
        """Read the next header of a tar with all that belongs to it, as tarfile asks.

        Args:
            tar: The archive.

        Returns:
            The header.

        Raises:
            tarfile.EOFHeaderError: The mark of the end is reached.
            tarfile.ReadError: The header is broken or missing.
        """
        try:
            header = super().fromtarfile(tar)
        except tarfile.EOFHeaderError:
            raise
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:
            raise tarfile.ReadError(
                "cut short, as the mark of its end is missing"
            ) from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        # What follows a header may set its size anew, and the next is looked for behind that.
        if header.size < 0:
            raise tarfile.ReadError(
                f"{one_line(header.name, 100)!r} has {header.size} bytes"
            )
        # Headers for all members are kept, and copied for each of them.
        letters = sum(len(key) + len(text) for key, text in tar.pax_headers.items())
        if letters > LONGEST_GLOBALS:
            raise tarfile.ReadError("its global headers are too long")
        return header

    def _proc_pax(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        # Python before 3.11.10 takes time that grows with the square of a row of digits here.
        content = tar.fileobj.read(self._block(self.size))
        if _MANY_DIGITS.search(content):
            raise tarfile.ReadError("a header has more than a thousand digits in a row")
        tar.fileobj = _ReadAgain(tar, content)
        return super()._proc_pax(tar)


class _ReadAgain:
    """In place of a tar's stream, gives what was read from it once more, and steps aside."""

    def __init__(self, tar: tarfile.TarFile, content: bytes) -> None:
        self.tar = tar
        self.stream = tar.fileobj
        self.content = content

    def read(self, size: int) -> bytes:
        """Give the content, and put the tar's stream back.

        Args:
            size: Length of the content.

        Returns:
            The content.
        """
        self.tar.fileobj = self.stream
        return self.content


def _tar_members(
    stream: BinaryIO, archive_name: str, count: CountBytes
) -> Iterator[ArchiveMember]:
    counted = _CountedStream(stream, count)
    with (
        damage_as_error(archive_name),
        tarfile.open(
            fileobj=counted,
            mode="r|",
            tarinfo=StrictHeader,
            bufsize=BLOCK,
        ) as tar,
    ):
        while (info := tar.next()) is not None:
            tar.members.clear()  # or millions of them stay in memory
            opener = None if info.isdir() else partial(tar.extractfile, info)
            yield ArchiveMember(
                name=info.name,
                size=info.size,
                open=opener,
                refused=_refused_by_tar(info),
            )
        # To the end, where gzip, bzip2 and xz have their checksums.
        while counted.read(1 << 20):
            pass


def _refused_by_tar(info: tarfile.TarInfo) -> str:
    """Why a member of a tar must not be unpacked; "" if it may."""
    if info.issym() or info.islnk():
        return f"is a link to {one_line(info.linkname, 100)!r}"
    if info.issparse():
        return "is a sparse file"
    if not info.isreg() and not info.isdir():
        return "is neither a file nor a folder"
    return ""


# Zip.


def _zip_members(
    archive: zipfile.ZipFile, password: bytes | None, count: CountBytes
) -> Iterator[ArchiveMember]:
    for info in archive.infolist():
        # Not is_dir(), which expects a name of at least one letter.
        is_folder = info.filename.endswith("/")
        yield ArchiveMember(
            name=info.orig_filename,
            size=info.file_size,
            open=None
            if is_folder
            else partial(_open_zipped, archive, info, password, count),
            refused=_refused_by_zip(info, password),
            encrypted=bool(info.flag_bits & ENCRYPTED),
        )


def _open_zipped(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    password: bytes | None,
    count: CountBytes,
) -> _CountedStream:
    return _CountedStream(archive.open(info, pwd=password), count)


def _refused_by_zip(info: zipfile.ZipInfo, password: bytes | None) -> str:
    """Why a member of a zip must not be unpacked; "" if it may."""
    # The upper two bytes are the mode of Unix; 0 where another system made the archive.
    file_type = stat.S_IFMT(info.external_attr >> 16)
    if stat.S_ISLNK(file_type):
        return "is a link"
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    if info.compress_type not in ZIP_METHODS:
        return (
            f"is packed with method {info.compress_type}, not 0 (stored) or 8 (deflate)"
        )
    # zipfile would ask for the password only when the member is opened.
    if info.flag_bits & ENCRYPTED and password is None:
        return "is encrypted, and there is no password"
    return ""


def _require_apart(infos: list[zipfile.ZipInfo], archive_name: str) -> None:
    """Refuse a zip whose members overlap.

    Members that share their packed bytes make a huge folder of a small archive.
    """
    end = 0
    name_before = ""
    for info in sorted(infos, key=lambda info: info.header_offset):
        name = one_line(info.filename, 100)
        if info.header_offset < end:
            raise StockpotError(f"{archive_name}: {name_before!r} and {name!r} overlap")
        name_before = name
        end = info.header_offset + zipfile.sizeFileHeader + info.compress_size
