"""What an archive holds, member by member, with everything of the libraries that is too trusting
turned off; see ``unpack`` for what becomes of the members.
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
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # zipfile reads others without a bound
ENCRYPTED = 1  # a flag of a zip's members
LONGEST_HEADER = (
    1 << 16
)  # bytes of a long name or of pax records, which tarfile reads at once
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


class _Xz:
    """Reads xz as ``lzma.open`` does, with a limit of memory."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw, self.decoder = raw, self._fresh()

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(self, n: int) -> bytes:
        while True:
            packed = b""
            if self.decoder.eof:  # another stream may follow, after zeros
                packed = self.decoder.unused_data.lstrip(b"\0") or self.raw.read(
                    1 << 16
                )
                if not packed.strip(b"\0"):
                    return b""
                self.decoder = self._fresh()
            elif self.decoder.needs_input:
                packed = self.raw.read(1 << 16)
                if not packed:
                    raise EOFError("it ends before the mark of its end")
            if block := self.decoder.decompress(packed, n):
                return block

    def close(self) -> None:
        self.raw.close()


COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": _Xz}


@dataclass(frozen=True)
class Member:
    """name: as in the archive; size: bytes that the archive says it has; open: its bytes, None
    for a folder; refused: why it must not be unpacked, "" if it may.
    """

    name: str
    size: int
    open: Callable[[], BinaryIO] | None
    refused: str = ""
    encrypted: bool = False


@contextmanager
def legible(what: str, hint: str = "") -> Iterator[None]:
    """Whatever the libraries say of broken bytes becomes one StockpotError."""
    try:
        yield
    except _DAMAGE as error:
        said = one_line(" ".join(str(error).split()) or type(error).__name__, 150)
        raise StockpotError(
            f"{what}: damaged, cut short or unreadable ({said}){hint}"
        ) from error
    except MemoryError as error:
        raise StockpotError(
            f"{what}: reading it needs more memory than there is"
        ) from error


def members(
    raw: BinaryIO, what: str, password: bytes | None, count: Callable[[int], None]
) -> tuple[int, Iterator[Member]]:
    """(bytes that come out at the least, as the archive has it; its members in their order).

    raw: the archive, open; its kind follows from its first bytes. A member is to be read before
    the next is asked for. count: told of every number of bytes that come out. Raises StockpotError
    naming ``what`` for what is no archive or damaged.
    """
    start = raw.read(tarfile.BLOCKSIZE)
    raw.seek(0)
    packed = os.fstat(raw.fileno()).st_size
    with legible(what):
        if start.startswith(ZIP):
            archive = zipfile.ZipFile(raw)
            infos = archive.infolist()
            _require_apart(infos, what)
            return sum(info.file_size for info in infos), _zip(
                archive, what, password, count
            )
    for magic, opener in COMPRESSED.items():
        if start.startswith(magic):
            return packed, _tar(opener(raw), what, count)
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise StockpotError(
            f"{what}: not an archive; a tar (plain, gzip, bzip2 or xz) or a zip is needed"
        ) from error
    return packed, _tar(raw, what, count)


class _Counted:
    """A stream that tells how many bytes come out of it."""

    def __init__(self, stream: BinaryIO, count: Callable[[int], None]) -> None:
        self.stream, self.count, self.close = stream, count, stream.close

    def read(self, n: int) -> bytes:
        block = self.stream.read(n)
        self.count(len(block))
        return block


class StrictHeader(tarfile.TarInfo):
    """A header that is broken or missing is damage; to tarfile it is the end of the archive."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0 or (found.type in _HEADERS and found.size > LONGEST_HEADER):
            raise tarfile.ReadError(
                f"a header says that it has {found.size} bytes; 0 to {LONGEST_HEADER} are read"
            )
        if found.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError(f"{one_line(found.name, 100)!r} is a sparse file")
        return found

    @classmethod
    def fromtarfile(cls, tar):
        try:
            found = super().fromtarfile(tar)
        except tarfile.EOFHeaderError:
            raise
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:
            raise tarfile.ReadError(
                "cut short, as the mark of its end is missing"
            ) from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        # What follows a header may set its size anew, and the next is looked for behind that.
        if found.size < 0:
            raise tarfile.ReadError(
                f"{one_line(found.name, 100)!r} has {found.size} bytes"
            )
        # Headers for all members are kept, and copied for each of them.
        if (
            sum(len(key) + len(text) for key, text in tar.pax_headers.items())
            > LONGEST_GLOBALS
        ):
            raise tarfile.ReadError("its global headers are too long")
        return found

    def _proc_pax(self, tar):
        # Python before 3.11.10 takes time that grows with the square of a row of digits here.
        content = tar.fileobj.read(self._block(self.size))
        if _MANY_DIGITS.search(content):
            raise tarfile.ReadError("a header has more than a thousand digits in a row")
        tar.fileobj = _ReadAgain(tar, content)
        return super()._proc_pax(tar)


class _ReadAgain:
    """In place of a tar's stream, gives what was read from it once more, and steps aside."""

    def __init__(self, tar: tarfile.TarFile, content: bytes) -> None:
        self.tar, self.stream, self.content = tar, tar.fileobj, content

    def read(self, n: int) -> bytes:
        self.tar.fileobj = self.stream
        return self.content


def _tar(stream: BinaryIO, what: str, count: Callable[[int], None]) -> Iterator[Member]:
    plain = _Counted(stream, count)
    with (
        legible(what),
        tarfile.open(
            fileobj=plain, mode="r|", tarinfo=StrictHeader, bufsize=1 << 16
        ) as tar,
    ):
        while (info := tar.next()) is not None:
            tar.members.clear()  # or millions of them stay in memory
            opened = None if info.isdir() else partial(tar.extractfile, info)
            yield Member(info.name, info.size, opened, _refused_by_tar(info))
        while plain.read(
            1 << 20
        ):  # to the end, where gzip, bzip2 and xz have their checksums
            pass


def _refused_by_tar(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return f"is a link to {one_line(info.linkname, 100)!r}"
    if info.issparse():
        return "is a sparse file"
    return "" if info.isreg() or info.isdir() else "is neither a file nor a folder"


def _zip(
    archive: zipfile.ZipFile,
    what: str,
    password: bytes | None,
    count: Callable[[int], None],
) -> Iterator[Member]:
    for info in archive.infolist():

        def opened(info=info):
            return _Counted(archive.open(info, pwd=password), count)

        yield Member(
            info.orig_filename,
            info.file_size,
            # Not is_dir(), which expects a name of at least one letter.
            None if info.filename.endswith("/") else opened,
            _refused_by_zip(info, password),
            bool(info.flag_bits & ENCRYPTED),
        )


def _refused_by_zip(info: zipfile.ZipInfo, password: bytes | None) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if stat.S_ISLNK(kind):
        return "is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    if info.compress_type not in ZIP_METHODS:
        return (
            f"is packed with method {info.compress_type}, not 0 (stored) or 8 (deflate)"
        )
    if info.flag_bits & ENCRYPTED and password is None:
        return "is encrypted, and there is no password"
    return ""


def _require_apart(infos: list[zipfile.ZipInfo], what: str) -> None:
    """Members that share their packed bytes make a huge folder of a small archive."""
    end, before = 0, ""
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise StockpotError(
                f"{what}: {before!r} and {one_line(info.filename, 100)!r} overlap"
            )
        before = one_line(info.filename, 100)
        end = info.header_offset + zipfile.sizeFileHeader + info.compress_size
