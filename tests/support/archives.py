"""Archives that tests make: whole ones, and what tests need to check them."""

import gzip
import io
import os
import random
import re
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib

import pytest

from stockpot.datasets.downloads.unpack import unpack
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


def tree(folder) -> dict:
    """Path -> what is there, links not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        body = path.read_bytes() if stat.S_ISREG(state.st_mode) else None
        found[str(path.relative_to(folder))] = (state.st_mode, body)
    return found


def refuse_archive(target_folder, data: bytes, says: str, **options):
    """Refused with one line, and the world is as before."""
    archive, folder = (
        target_folder / "work" / "archive",
        target_folder / "work" / "deep" / "made",
    )
    archive.write_bytes(data)
    before = tree(target_folder)
    with pytest.raises(StockpotError) as caught:
        unpack(archive, folder, **options)
    assert tree(target_folder) == before
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(archive))
    assert len(str(caught.value)) < 500
    assert re.search(says, str(caught.value)), str(caught.value)


def unpack_bytes(target_folder, data: bytes, **options) -> dict[str, bytes]:
    archive, folder = (
        target_folder / "work" / "archive",
        target_folder / "work" / "deep" / "made",
    )
    archive.write_bytes(data)
    count = unpack(archive, folder, **options)
    assert sorted(os.listdir(folder.parent)) == ["canary", "made"]
    files = {k: body for k, (mode, body) in tree(folder).items() if stat.S_ISREG(mode)}
    assert count == len(files)
    return files


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
