"""Tests archives that are hostile, broken, cut or encrypted."""

import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.datasets.downloads import archives
from stockpot.datasets.downloads.unpack import Limits, unpack
from stockpot.runtime.errors import StockpotError
from tests.support.archives import (
    EXPECTED,
    NOISE,
    PASSWORD,
    WHOLE,
    encrypted,
    refuse_archive,
    tar,
    unpack_bytes,
    zipped,
)

# The first member of hostile archives, so that there is something to take away again.
GOOD = ("good", NOISE[:5000])

LINK = stat.S_IFLNK << 16


def special_member(kind, linkname="", name="bad", body=b"", **changes):
    return tar([GOOD, (name, body, {"type": kind, "linkname": linkname, **changes})])


def overwrite_header(
    data: bytes, at: bytes, offset: int, new: bytes, last=False
) -> bytes:
    start = (data.rindex(at) if last else data.index(at)) + offset
    return data[:start] + new + data[start + len(new) :]


def header_of(data: bytes, number: int, size: bytes) -> bytes:
    """A tar with another size in the header of a member, and the checksum that fits it."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        at = archive.getmembers()[number].offset
    header = bytearray(data[at : at + 512])
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return data[:at] + header + data[at + 512 :]


def tar_of_false_size(claim: int) -> bytes:
    """A zip whose member says that it has so many bytes."""
    data = zipped([GOOD, ("bad", b"0" * 1000)])
    return overwrite_header(data, b"PK\1\2", 24, struct.pack("<I", claim), last=True)


def zip_of_overlaps() -> bytes:
    """A zip with two members in the same bytes."""
    data = zipped([GOOD, ("bad1", b"0" * 1000), ("bad2", b"0" * 1000)])
    first = data.index(b"PK\3\4", 10)
    return overwrite_header(data, b"PK\1\2", 42, struct.pack("<I", first), last=True)


def pax_chain(n: int) -> bytes:
    """Headers of headers of headers."""
    record = tar([("x", b"", {"pax_headers": {"comment": "c"}})])[:1024]
    return record * n + tar([GOOD])


def huge_name() -> bytes:
    made = tar([("n" * 2_000_000, b"1")], form=tarfile.GNU_FORMAT)
    return gzip.compress(made)


def pax_header(content: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """A tar that begins with such a header."""
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, len(content)
    padded = content + bytes(-len(content) % 512)
    return header.tobuf(tarfile.USTAR_FORMAT) + padded + tar([GOOD])


def greedy_xz() -> bytes:
    """Its header asks for a dictionary of 4 GB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    data = bytearray(lzma.compress(tar([GOOD]), filters=filters))
    at = (
        data.index(b"\x21\x01", 12) + 2
    )  # of the filter's properties in the block's header
    data[at] = 40
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = struct.pack(
        "<I", zlib.crc32(data[12 : 12 + size - 4])
    )
    return bytes(data)


ZEROS = bytes(70_000_000)
CLASH = "'(a|a/b|a/b/c)': the name is taken"

HOSTILE = {
    "absolute": (tar([GOOD, ("/tmp/bad", b"1")]), "'/tmp/bad': is an absolute path"),
    "parent": (tar([GOOD, ("../../bad", b"1")]), r"'\.\./\.\./bad': leads out"),
    "parent inside": (tar([GOOD, ("a/../../../bad", b"1")]), "leads out"),
    "parent folder": (special_member(tarfile.DIRTYPE, name="../bad"), "leads out"),
    "drive": (tar([GOOD, ("C:/bad", b"1")]), "absolute"),
    "backslash": (tar([GOOD, ("..\\..\\bad", b"1")]), "backslash"),
    "control character": (tar([GOOD, ("a\nb", b"1")]), "control"),
    "no name": (tar([GOOD, ("./.", b"1")]), "has no name"),
    "symlink out": (
        special_member(tarfile.SYMTYPE, "../.."),
        r"'bad': is a link to '\.\./\.\.'",
    ),
    "symlink absolute": (special_member(tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
    "symlink inside": (special_member(tarfile.SYMTYPE, "good"), "is a link"),
    "file through a symlink": (
        tar(
            [
                ("a", b"", {"type": tarfile.SYMTYPE, "linkname": ".."}),
                ("a/canary", b"1"),
            ]
        ),
        r"'a': is a link to '\.\.'",
    ),
    "hard link out": (
        special_member(tarfile.LNKTYPE, "../canary"),
        "is a link to '../canary'",
    ),
    "hard link inside": (
        special_member(tarfile.LNKTYPE, "good"),
        "is a link to 'good'",
    ),
    "character device": (
        special_member(tarfile.CHRTYPE, devmajor=1, devminor=3),
        "neither a file",
    ),
    "block device": (special_member(tarfile.BLKTYPE), "neither a file"),
    "pipe": (special_member(tarfile.FIFOTYPE), "neither a file"),
    "unknown type": (special_member(b"Z"), "neither a file|damaged"),
    "sparse": (special_member(tarfile.GNUTYPE_SPARSE), "'bad' is a sparse file"),
    "sparse by pax": (
        special_member(
            tarfile.REGTYPE,
            pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": "1" + "0" * 15},
            body=b"1",
        ),
        "is a sparse file",
    ),
    "twice": (tar([GOOD, ("good", b"other")]), "'good': the name is taken"),
    "twice, another spelling": (
        tar([GOOD, ("./good", b"1")]),
        r"'\./good': the name is taken",
    ),
    "file, then folder": (tar([("a", b"1"), ("a/b", b"1")]), CLASH),
    "file, then deep folder": (tar([("a", b"1"), ("a/b/c", b"1")]), CLASH),
    "folder, then file": (tar([("a/b", b"1"), ("a", b"1")]), CLASH),
    "headers without end": (pax_chain(3000), "damaged"),
    "huge header": (huge_name(), "a header says that it has 2000001 bytes"),
    "a row of digits": (pax_header(b"1" * 60_000), "a thousand digits in a row"),
    "global headers": (
        pax_header(b"".join(b"12 %07x=\n" % i for i in range(4000)), tarfile.XGLTYPE),
        "its global headers are too long",
    ),
    "negative size by pax": (pax_header(b"14 size=-1536\n"), "has -1536 bytes"),
    "folders in folders": (
        tar([GOOD, ("a/" * 40 + "b", b"1")]),
        "lies 41 folders deep",
    ),
    "a path of 60,000 letters": (
        tar([GOOD, ("a/" * 30_000, b"1")]),
        "59999 bytes, more than 512",
    ),
    "tar.xz, dictionary of 4 GB": (greedy_xz(), "Memory usage limit"),
    "negative size": (header_of(tar([GOOD, GOOD]), 1, b"\xff" * 12), "damaged"),
    "size beyond the end": (
        header_of(tar([GOOD]), 0, b"00000777777\0"),
        "'good': damaged",
    ),
    "size too small": (header_of(tar([GOOD, GOOD]), 0, b"%011o\0" % 100), "damaged"),
    "zip, absolute": (
        zipped([GOOD, ("/tmp/bad", b"1")]),
        "'/tmp/bad': is an absolute path",
    ),
    "zip, parent": (zipped([GOOD, ("../bad", b"1")]), r"'\.\./bad': leads out"),
    "zip, parent folder": (zipped([GOOD, ("../bad/", b"")]), r"'\.\./bad/': leads out"),
    "zip, backslash": (zipped([GOOD, ("..\\..\\bad", b"1")]), "backslash"),
    "zip, drive": (zipped([GOOD, ("c:bad", b"1")]), "absolute"),
    "zip, zero byte": (
        zipped([GOOD, ("bad__x", b"1")]).replace(b"bad__x", b"bad\0/x"),
        "control character|damaged",
    ),
    "zip, symlink": (
        zipped([GOOD, ("bad", b"/etc", {"external_attr": LINK})]),
        "'bad': is a link",
    ),
    "zip, pipe": (
        zipped([GOOD, ("bad", b"", {"external_attr": stat.S_IFIFO << 16})]),
        "neither a file",
    ),
    "zip, twice": (zipped([GOOD, GOOD]), "'good': the name is taken"),
    "zip, file, then folder": (zipped([("a", b"1"), ("a/b", b"1")]), CLASH),
    "zip, overlap": (zip_of_overlaps(), "'bad1' and 'bad2' overlap"),
    "zip, more bytes than said": (tar_of_false_size(10), "'bad': damaged.*CRC"),
    "zip, fewer bytes than said": (
        tar_of_false_size(2000),
        "'bad': has 1000 bytes.* says that it has 2000",
    ),
    "zip, another method": (zipped(method=zipfile.ZIP_BZIP2), "method 12, not 0"),
    "zip, bomb": (zipped([GOOD, ("bad", ZEROS)]), "to more than 200 times its"),
    "tar.gz, bomb": (
        gzip.compress(tar([("bad", ZEROS)]), 1),
        "to more than 200 times its",
    ),
    "tar.xz, bomb after the end": (
        lzma.compress(tar([GOOD]) + ZEROS, preset=0),
        "to more than 200 times its",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused(target_folder, kind):
    refuse_archive(target_folder, *HOSTILE[kind])


@pytest.mark.parametrize("make", [tar, zipped], ids=["tar", "zip"])
@pytest.mark.parametrize(
    ("limits", "below", "says"),
    [
        (
            {"entries": 9},
            {"entries": 8},
            "has more than 8 entries",
        ),  # five files, four folders
        (
            {"folders": 4, "folder_bytes": 1 << 40},
            {"folders": 3, "folder_bytes": 1 << 40},
            "has more than 3 folders, too many for its",
        ),
        ({"bytes": 250_000}, {"bytes": 200_000}, "unpacks to more than 200kB"),
        (
            {"ratio": 2, "ratio_from": 9},
            {"ratio": 0.5, "ratio_from": 9},
            "0.5 times its",
        ),
        (
            {"ratio": 0.5, "ratio_from": 250_000},
            {"ratio": 0.5, "ratio_from": 9},
            "0.5 times",
        ),
        (
            {"name": 147},
            {"name": 146},
            "'images//dog/n*/deep': has a name of 147 bytes",
        ),
    ],
)
def test_limits(target_folder, make, limits, below, says):
    refuse_archive(target_folder, make(), says, limits=Limits(**below))
    assert unpack_bytes(target_folder, make(), limits=Limits(**limits)) == EXPECTED


def test_names_that_no_disk_takes(target_folder):
    refuse_archive(
        target_folder,
        tar([GOOD, ("a/" + "ü" * 128 + "/x", b"1")]),
        "more than 255 bytes between",
    )
    assert "ü" * 127 in unpack_bytes(target_folder, tar([("ü" * 127, b"1")]))


BROKEN = {
    "empty": (b"", "not an archive"),
    "text": (b"<html>not found</html>" * 100, "not an archive"),
    "gzip of text": (gzip.compress(b"text" * 1000), "damaged"),
    "gzip of nothing": (gzip.compress(b""), "damaged"),
    "only a magic number": (b"\x1f\x8b", "damaged"),
    "tar of nothing": (tar([]), "not an archive"),
    "zip of nothing": (zipped([]), "holds no files"),
    "tar of folders": (tar([("a", b"", {"type": tarfile.DIRTYPE})]), "holds no files"),
    "tar without its end": (tar()[:512], "damaged"),
    "gzip, checksum": (WHOLE["tar.gz"][:-8] + b"\0" * 8, "damaged.*CRC"),
    "gzip, garbage after it": (WHOLE["tar.gz"] + b"garbage", "damaged"),
    "zip, CRC": (
        overwrite_header(zipped(), b"PK\1\2", 16, b"\0\0\0\0"),
        "1.jpg': damaged.*CRC",
    ),
    "zip, data": (
        overwrite_header(zipped(), b"PK\3\4", 1000, b"\xff" * 99),
        "1.jpg': damaged",
    ),
    "zip, local header": (
        overwrite_header(zipped(), b"PK\3\4", 30, b"x"),
        "1.jpg': damaged",
    ),
    "tar, header": (
        overwrite_header(tar(), b"./labels.csv", 0, b"X"),
        "archive: damaged.*bad checksum",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_archives_are_refused(target_folder, kind):
    refuse_archive(target_folder, *BROKEN[kind])


@pytest.mark.parametrize("kind", WHOLE)
def test_an_archive_cut_anywhere_is_refused(target_folder, kind):
    data = WHOLE[kind]
    end = data.rindex(b"PK\5\6") + 21 if "zip" in kind else len(data) - 1
    if (
        kind.startswith("tar") and "." not in kind
    ):  # its end is many zeros, of which it needs 512
        end = len(data.rstrip(b"\0")) // 512 * 512 + 512
    for length in {1, 600, 1024, 5000, len(data) // 2, end - 512, end - 1, end}:
        if length < len(data):
            refuse_archive(
                target_folder,
                data[:length],
                "damaged|not an archive",
                password=PASSWORD,
            )


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, "is encrypted, and there is no password"),
        (b"wrong", "is the password right?"),
    ],
)
def test_a_wrong_password(target_folder, password, says):
    refuse_archive(
        target_folder,
        WHOLE["zip, encrypted"],
        f"1.jpg': .*{re.escape(says)}",
        password=password,
    )


def test_a_wrong_password_that_looks_right_at_first(target_folder):
    """One in 256 passes the check of the header; the bytes do not."""
    data = encrypted({"a": NOISE[:2000]})
    for number in range(10_000):
        password = b"%d" % number
        with suppress(RuntimeError), zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.open("a", pwd=password)
            break
    refuse_archive(
        target_folder, data, "'a': damaged.*is the password right?", password=password
    )


@pytest.mark.slow
@settings(max_examples=60)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_whatever_is_damaged_is_one_line_and_nothing_is_left(
    tmp_path_factory, kind, data
):
    target_folder = tmp_path_factory.mktemp("fuzz")
    raw = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        ends = st.one_of(
            st.integers(0, 1023), st.integers(len(raw) - 1024, len(raw) - 1)
        )
        raw[data.draw(ends)] = data.draw(st.integers(0, 255))
    (target_folder / "archive").write_bytes(raw)
    with suppress(StockpotError):
        unpack(
            target_folder / "archive",
            target_folder / "made",
            PASSWORD,
            Limits(bytes=10**7),
        )
        assert (target_folder / "made").is_dir()
    assert set(os.listdir(target_folder)) <= {"archive", "made"}


@pytest.mark.parametrize(
    "error", [KeyError("x"), OverflowError(), ValueError("a\nb"), EOFError()]
)
def test_whatever_a_library_says_of_bytes_is_one_line(error):
    line = r"\Aarchive: damaged, .*\((.x.|OverflowE|a b|EOFE)"
    with pytest.raises(StockpotError, match=line), archives.damage_as_error("archive"):
        raise error
