"""Archives: whole ones of every kind, hostile ones and broken ones."""

import gzip
import io
import lzma
import os
import random
import re
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections import namedtuple
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpot.datasets import disk
from stockpot.datasets.downloads import archives
from stockpot.datasets.downloads import unpack as module
from stockpot.datasets.downloads.unpack import Limits, unpack
from stockpot.runtime.errors import StockpotError

NOISE = random.Random(0).randbytes(200_000)
FILES = {
    "images/cat/1.jpg": NOISE,
    "images/cat/2.jpg": b"",
    "images/dog/größe.jpg": NOISE[:5000],
    "./labels.csv": b"1,2\n" * 300,
    "images//dog/" + "n" * 130 + "/deep": b"deep",
}
EXPECTED = {os.path.normpath(name): body for name, body in FILES.items()}
PASSWORD = b"objectnetisatestset"


# Writers.


def tar(members=FILES, mode="w", form=tarfile.PAX_FORMAT) -> bytes:
    """Members: name -> bytes, or (name, bytes, changes of the TarInfo) in a list."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=form) as archive:
        for name, body, *changes in (
            members.items() if isinstance(members, dict) else members
        ):
            info = tarfile.TarInfo(name)
            info.size = len(body)
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(body))
    return made.getvalue()


def zipped(members=FILES, method=zipfile.ZIP_DEFLATED) -> bytes:
    """Members as above, the changes of the ZipInfo."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, body, *changes in (
            members.items() if isinstance(members, dict) else members
        ):
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, method
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            archive.writestr(info, body)
    return made.getvalue()


def encrypted(members=FILES, password=PASSWORD) -> bytes:
    """A zip with the traditional encryption, which zipfile reads and does not write."""
    made, listed = io.BytesIO(), b""
    for name, body in members.items():
        crc, name, packer = zlib.crc32(body), name.encode(), zlib.compressobj(wbits=-15)
        plain = NOISE[:11] + bytes([crc >> 24]) + packer.compress(body) + packer.flush()
        packed = _encrypt(plain, password)
        common = struct.pack(
            "<HHHHHIIIHH",
            20,
            0x801,
            8,
            0,
            33,
            crc,
            len(packed),
            len(body),
            len(name),
            0,
        )
        listed += b"PK\1\2" + struct.pack("<H", 20) + common
        listed += struct.pack("<HHHII", 0, 0, 0, 0, made.tell()) + name
        made.write(b"PK\3\4" + common + name + packed)
    end = struct.pack(
        "<HHHHIIH", 0, 0, len(members), len(members), len(listed), made.tell(), 0
    )
    return made.getvalue() + listed + b"PK\5\6" + end


def _encrypt(plain: bytes, password: bytes) -> bytes:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte):
        keys[0] = keys[0] >> 8 ^ table[(keys[0] ^ byte) & 255]
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = keys[2] >> 8 ^ table[(keys[2] ^ keys[1] >> 24) & 255]

    for byte in password:
        update(byte)
    made = bytearray()
    for byte in plain:
        k = keys[2] | 2
        made.append(byte ^ ((k * (k ^ 1)) >> 8 & 255))
        update(byte)
    return bytes(made)


# Readers.


def tree(folder) -> dict:
    """Path -> what is there, links not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        body = path.read_bytes() if stat.S_ISREG(state.st_mode) else None
        found[str(path.relative_to(folder))] = (state.st_mode, body)
    return found


@pytest.fixture
def place(tmp_path):
    """Folders with files that nobody may touch around the folder to unpack to."""
    for name in ("canary", "work/canary", "work/deep/canary"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def refused(place, data: bytes, says: str, **options):
    """Refused with one line, and the world is as before."""
    archive, folder = place / "work" / "archive", place / "work" / "deep" / "made"
    archive.write_bytes(data)
    before = tree(place)
    with pytest.raises(StockpotError) as caught:
        unpack(archive, folder, **options)
    assert tree(place) == before
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(archive))
    assert len(str(caught.value)) < 500
    assert re.search(says, str(caught.value)), str(caught.value)


def unpacked(place, data: bytes, **options) -> dict[str, bytes]:
    archive, folder = place / "work" / "archive", place / "work" / "deep" / "made"
    archive.write_bytes(data)
    count = unpack(archive, folder, **options)
    assert sorted(os.listdir(folder.parent)) == ["canary", "made"]
    files = {k: body for k, (mode, body) in tree(folder).items() if stat.S_ISREG(mode)}
    assert count == len(files)
    return files


# Whole archives.

WHOLE = {
    "tar": tar(),
    "tar, GNU": tar(form=tarfile.GNU_FORMAT),
    "tar, old": tar(
        {k: v for k, v in FILES.items() if k.isascii()}, form=tarfile.USTAR_FORMAT
    ),
    "tar.gz": tar(mode="w:gz"),
    "tar.gz of two members": gzip.compress(tar()[:5000]) + gzip.compress(tar()[5000:]),
    "tar.bz2": tar(mode="w:bz2"),
    "tar.xz": tar(mode="w:xz"),
    "zip": zipped(),
    "zip, stored": zipped(method=zipfile.ZIP_STORED),
    "zip, encrypted": encrypted(),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_archives_give_their_files(place, kind):
    expected = {k: v for k, v in EXPECTED.items() if k.isascii() or kind != "tar, old"}
    assert unpacked(place, WHOLE[kind], password=PASSWORD) == expected


def test_an_archive_as_tar_of_a_folder_makes_it(place):
    folders = [
        ("./", b"", {"type": tarfile.DIRTYPE}),
        ("./empty/", b"", {"type": tarfile.DIRTYPE}),
    ]
    data = tar([*folders, *folders, ("./file", b"1")])
    assert unpacked(place, data) == {"file": b"1"}
    assert (place / "work/deep/made/empty").is_dir()


def test_a_zip_with_folders(place):
    assert unpacked(place, zipped([("a/", b""), ("a/b", b"1"), ("c/", b"")])) == {
        "a/b": b"1"
    }
    assert (place / "work/deep/made/c").is_dir()


def test_the_folder_above_is_made(place):
    (place / "archive").write_bytes(WHOLE["zip"])
    assert unpack(place / "archive", place / "new" / "er" / "folder") == len(FILES)


@pytest.mark.parametrize("mode", [0o4755, 0o2777, 0o1777, 0o000])
def test_modes_are_those_of_new_files(place, mode):
    umask = os.umask(0o022)
    try:
        folder = ("d/", b"", {"type": tarfile.DIRTYPE, "mode": mode})
        unpacked(place, tar([folder, ("d/f", b"1", {"mode": mode})]))
        os.rename(place / "work/deep/made", place / "tar")
        unpacked(
            place,
            zipped([("d/f", b"1", {"external_attr": (stat.S_IFREG | mode) << 16})]),
        )
        os.rename(place / "work/deep/made", place / "zip")
    finally:
        os.umask(umask)
    for kind in ("tar", "zip"):
        modes = [
            stat.S_IMODE((place / kind / name).lstat().st_mode)
            for name in (".", "d", "d/f")
        ]
        assert modes == [0o755, 0o755, 0o644]


def test_a_password_for_an_archive_without_one_is_fine(place):
    assert unpacked(place, WHOLE["zip"], password=b"x") == EXPECTED


# Hostile ones. The first member is a good one, so that there is something to take away again.

GOOD = ("good", NOISE[:5000])
LINK = stat.S_IFLNK << 16


def special(kind, linkname="", name="bad", body=b"", **changes):
    return tar([GOOD, (name, body, {"type": kind, "linkname": linkname, **changes})])


def rewritten(data: bytes, at: bytes, offset: int, new: bytes, last=False) -> bytes:
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


def lying(claim: int) -> bytes:
    """A zip whose member says that it has so many bytes."""
    data = zipped([GOOD, ("bad", b"0" * 1000)])
    return rewritten(data, b"PK\1\2", 24, struct.pack("<I", claim), last=True)


def overlapping() -> bytes:
    """A zip with two members in the same bytes."""
    data = zipped([GOOD, ("bad1", b"0" * 1000), ("bad2", b"0" * 1000)])
    first = data.index(b"PK\3\4", 10)
    return rewritten(data, b"PK\1\2", 42, struct.pack("<I", first), last=True)


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
    "parent folder": (special(tarfile.DIRTYPE, name="../bad"), "leads out"),
    "drive": (tar([GOOD, ("C:/bad", b"1")]), "absolute"),
    "backslash": (tar([GOOD, ("..\\..\\bad", b"1")]), "backslash"),
    "control character": (tar([GOOD, ("a\nb", b"1")]), "control"),
    "no name": (tar([GOOD, ("./.", b"1")]), "has no name"),
    "symlink out": (
        special(tarfile.SYMTYPE, "../.."),
        r"'bad': is a link to '\.\./\.\.'",
    ),
    "symlink absolute": (special(tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
    "symlink inside": (special(tarfile.SYMTYPE, "good"), "is a link"),
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
        special(tarfile.LNKTYPE, "../canary"),
        "is a link to '../canary'",
    ),
    "hard link inside": (special(tarfile.LNKTYPE, "good"), "is a link to 'good'"),
    "character device": (
        special(tarfile.CHRTYPE, devmajor=1, devminor=3),
        "neither a file",
    ),
    "block device": (special(tarfile.BLKTYPE), "neither a file"),
    "pipe": (special(tarfile.FIFOTYPE), "neither a file"),
    "unknown type": (special(b"Z"), "neither a file|damaged"),
    "sparse": (special(tarfile.GNUTYPE_SPARSE), "'bad' is a sparse file"),
    "sparse by pax": (
        special(
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
    "zip, overlap": (overlapping(), "'bad1' and 'bad2' overlap"),
    "zip, more bytes than said": (lying(10), "'bad': damaged.*CRC"),
    "zip, fewer bytes than said": (
        lying(2000),
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
def test_hostile_archives_are_refused(place, kind):
    refused(place, *HOSTILE[kind])


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
def test_limits(place, make, limits, below, says):
    refused(place, make(), says, limits=Limits(**below))
    assert unpacked(place, make(), limits=Limits(**limits)) == EXPECTED


def test_names_that_no_disk_takes(place):
    refused(
        place,
        tar([GOOD, ("a/" + "ü" * 128 + "/x", b"1")]),
        "more than 255 bytes between",
    )
    assert "ü" * 127 in unpacked(place, tar([("ü" * 127, b"1")]))


# Broken ones.

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
        rewritten(zipped(), b"PK\1\2", 16, b"\0\0\0\0"),
        "1.jpg': damaged.*CRC",
    ),
    "zip, data": (
        rewritten(zipped(), b"PK\3\4", 1000, b"\xff" * 99),
        "1.jpg': damaged",
    ),
    "zip, local header": (rewritten(zipped(), b"PK\3\4", 30, b"x"), "1.jpg': damaged"),
    "tar, header": (
        rewritten(tar(), b"./labels.csv", 0, b"X"),
        "archive: damaged.*bad checksum",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_archives_are_refused(place, kind):
    refused(place, *BROKEN[kind])


@pytest.mark.parametrize("kind", WHOLE)
def test_an_archive_cut_anywhere_is_refused(place, kind):
    data = WHOLE[kind]
    end = data.rindex(b"PK\5\6") + 21 if "zip" in kind else len(data) - 1
    if (
        kind.startswith("tar") and "." not in kind
    ):  # its end is many zeros, of which it needs 512
        end = len(data.rstrip(b"\0")) // 512 * 512 + 512
    for length in {1, 600, 1024, 5000, len(data) // 2, end - 512, end - 1, end}:
        if length < len(data):
            refused(place, data[:length], "damaged|not an archive", password=PASSWORD)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, "is encrypted, and there is no password"),
        (b"wrong", "is the password right?"),
    ],
)
def test_a_wrong_password(place, password, says):
    refused(
        place,
        WHOLE["zip, encrypted"],
        f"1.jpg': .*{re.escape(says)}",
        password=password,
    )


def test_a_wrong_password_that_looks_right_at_first(place):
    """One in 256 passes the check of the header; the bytes do not."""
    data = encrypted({"a": NOISE[:2000]})
    for number in range(10_000):
        password = b"%d" % number
        with suppress(RuntimeError), zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.open("a", pwd=password)
            break
    refused(place, data, "'a': damaged.*is the password right?", password=password)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_whatever_is_damaged_is_one_line_and_nothing_is_left(
    tmp_path_factory, kind, data
):
    place = tmp_path_factory.mktemp("fuzz")
    raw = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        ends = st.one_of(
            st.integers(0, 1023), st.integers(len(raw) - 1024, len(raw) - 1)
        )
        raw[data.draw(ends)] = data.draw(st.integers(0, 255))
    (place / "archive").write_bytes(raw)
    with suppress(StockpotError):
        unpack(place / "archive", place / "made", PASSWORD, Limits(bytes=10**7))
        assert (place / "made").is_dir()
    assert set(os.listdir(place)) <= {"archive", "made"}


@pytest.mark.parametrize(
    "error", [KeyError("x"), OverflowError(), ValueError("a\nb"), EOFError()]
)
def test_whatever_a_library_says_of_bytes_is_one_line(error):
    line = r"\Aarchive: damaged, .*\((.x.|OverflowE|a b|EOFE)"
    with pytest.raises(StockpotError, match=line), archives.damage_as_error("archive"):
        raise error


# The folder and the disk.


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_is_there_is_not_touched(place, there):
    folder = place / "made"
    if there == "folder":
        folder.mkdir()
    elif there == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to("nowhere")
    (place / "archive").write_bytes(WHOLE["zip"])
    before = tree(place)
    with pytest.raises(StockpotError, match=r"made: is there already; move it away"):
        unpack(place / "archive", folder)
    assert tree(place) == before


def test_a_folder_that_appears_meanwhile_is_not_touched(place, monkeypatch):
    take, folder = module._extract, place / "work/deep/made"

    def slow(*arguments):
        (folder / "other").mkdir(parents=True, exist_ok=True)
        return take(*arguments)

    monkeypatch.setattr(module, "_extract", slow)
    (place / "archive").write_bytes(WHOLE["tar"])
    with pytest.raises(StockpotError, match="cannot be written .Directory not empty"):
        unpack(place / "archive", folder)
    assert sorted(os.listdir(folder.parent)) == ["canary", "made"]
    assert os.listdir(folder) == ["other"]


def test_an_archive_that_is_not_there(place):
    for name, says in (("nowhere", "No such file"), ("work", "it is a folder")):
        with pytest.raises(StockpotError, match=rf"{name}: cannot be read \({says}"):
            unpack(place / name, place / "made")


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(28, "No space left on device")]
)
def test_an_interrupt_or_a_full_disk_leaves_nothing(place, monkeypatch, kind, error):
    blocks = module._read_blocks

    def stop(member, what):
        yield from blocks(member, what)
        assert any(".made." in name for name in os.listdir(place / "work/deep"))
        raise error

    monkeypatch.setattr(module, "_read_blocks", stop)
    (place / "archive").write_bytes(WHOLE[kind])
    before = tree(place)
    with pytest.raises((KeyboardInterrupt, StockpotError)) as caught:
        unpack(place / "archive", place / "work/deep/made")
    assert tree(place) == before
    if isinstance(error, OSError):
        assert str(caught.value).endswith(
            "1.jpg': cannot be written (No space left on device)"
        )


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_full_disk_is_said_first(place, monkeypatch, kind):
    usage = namedtuple("usage", "total used free")
    needed = len(WHOLE[kind]) if kind == "tar.gz" else sum(map(len, FILES.values()))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, needed - 1))
    refused(place, WHOLE[kind], "needs 20.kB on the disk of .*, which has 20.kB free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, needed))
    assert unpacked(place, WHOLE[kind]) == EXPECTED


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_unpacking_shows_its_progress(place, monkeypatch, kind):
    shown, data = [], WHOLE[kind]
    monkeypatch.setattr(module.Progress, "show", lambda self, *at: shown.append(at))
    unpacked(place, data)
    assert {total for _, total in shown} == {len(data)}
    assert 0 < shown[0][0] <= shown[-1][0] <= len(data)
    assert shown[-1][0] > 0.9 * len(data)


def test_members_of_a_tar_do_not_pile_up_in_memory(place, monkeypatch):
    opened, real = [], tarfile.open

    def watched(*arguments, **options):
        opened.append(real(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(archives.tarfile, "open", watched)
    unpacked(place, WHOLE["tar"])
    assert opened[0].members == []
