"""Tests how whole archives are unpacked, and what a stopped call leaves."""

import os
import stat
import tarfile
from collections import namedtuple

import pytest

from stockpot.datasets import disk
from stockpot.datasets.downloads import archives
from stockpot.datasets.downloads import unpack as unpack_module
from stockpot.datasets.downloads.unpack import unpack
from stockpot.runtime.errors import StockpotError
from tests.support.archives import (
    EXPECTED,
    FILES,
    PASSWORD,
    WHOLE,
    refuse_archive,
    tar,
    tree,
    unpack_bytes,
    zipped,
)


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_archives_give_their_files(target_folder, kind):
    expected = {k: v for k, v in EXPECTED.items() if k.isascii() or kind != "tar, old"}
    assert unpack_bytes(target_folder, WHOLE[kind], password=PASSWORD) == expected


def test_an_archive_as_tar_of_a_folder_makes_it(target_folder):
    folders = [
        ("./", b"", {"type": tarfile.DIRTYPE}),
        ("./empty/", b"", {"type": tarfile.DIRTYPE}),
    ]
    data = tar([*folders, *folders, ("./file", b"1")])
    assert unpack_bytes(target_folder, data) == {"file": b"1"}
    assert (target_folder / "work/deep/made/empty").is_dir()


def test_a_zip_with_folders(target_folder):
    assert unpack_bytes(
        target_folder, zipped([("a/", b""), ("a/b", b"1"), ("c/", b"")])
    ) == {"a/b": b"1"}
    assert (target_folder / "work/deep/made/c").is_dir()


def test_the_folder_above_is_made(target_folder):
    (target_folder / "archive").write_bytes(WHOLE["zip"])
    assert unpack(
        target_folder / "archive", target_folder / "new" / "er" / "folder"
    ) == len(FILES)


@pytest.mark.parametrize("mode", [0o4755, 0o2777, 0o1777, 0o000])
def test_modes_are_those_of_new_files(target_folder, mode):
    umask = os.umask(0o022)
    try:
        folder = ("d/", b"", {"type": tarfile.DIRTYPE, "mode": mode})
        unpack_bytes(target_folder, tar([folder, ("d/f", b"1", {"mode": mode})]))
        os.rename(target_folder / "work/deep/made", target_folder / "tar")
        unpack_bytes(
            target_folder,
            zipped([("d/f", b"1", {"external_attr": (stat.S_IFREG | mode) << 16})]),
        )
        os.rename(target_folder / "work/deep/made", target_folder / "zip")
    finally:
        os.umask(umask)
    for kind in ("tar", "zip"):
        modes = [
            stat.S_IMODE((target_folder / kind / name).lstat().st_mode)
            for name in (".", "d", "d/f")
        ]
        assert modes == [0o755, 0o755, 0o644]


def test_a_password_for_an_archive_without_one_is_fine(target_folder):
    assert unpack_bytes(target_folder, WHOLE["zip"], password=b"x") == EXPECTED


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_is_there_is_not_touched(target_folder, there):
    folder = target_folder / "made"
    if there == "folder":
        folder.mkdir()
    elif there == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to("nowhere")
    (target_folder / "archive").write_bytes(WHOLE["zip"])
    before = tree(target_folder)
    with pytest.raises(StockpotError, match=r"made: is there already; move it away"):
        unpack(target_folder / "archive", folder)
    assert tree(target_folder) == before


def test_a_folder_that_appears_meanwhile_is_not_touched(target_folder, monkeypatch):
    take, folder = unpack_module._extract, target_folder / "work/deep/made"

    def slow(*arguments):
        (folder / "other").mkdir(parents=True, exist_ok=True)
        return take(*arguments)

    monkeypatch.setattr(unpack_module, "_extract", slow)
    (target_folder / "archive").write_bytes(WHOLE["tar"])
    with pytest.raises(StockpotError, match="cannot be written .Directory not empty"):
        unpack(target_folder / "archive", folder)
    assert sorted(os.listdir(folder.parent)) == ["canary", "made"]
    assert os.listdir(folder) == ["other"]


def test_an_archive_that_is_not_there(target_folder):
    for name, says in (("nowhere", "No such file"), ("work", "it is a folder")):
        with pytest.raises(StockpotError, match=rf"{name}: cannot be read \({says}"):
            unpack(target_folder / name, target_folder / "made")


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(28, "No space left on device")]
)
def test_an_interrupt_or_a_full_disk_leaves_nothing(
    target_folder, monkeypatch, kind, error
):
    blocks = unpack_module._read_blocks

    def stop(member, what):
        yield from blocks(member, what)
        assert any(".made." in name for name in os.listdir(target_folder / "work/deep"))
        raise error

    monkeypatch.setattr(unpack_module, "_read_blocks", stop)
    (target_folder / "archive").write_bytes(WHOLE[kind])
    before = tree(target_folder)
    with pytest.raises((KeyboardInterrupt, StockpotError)) as caught:
        unpack(target_folder / "archive", target_folder / "work/deep/made")
    assert tree(target_folder) == before
    if isinstance(error, OSError):
        assert str(caught.value).endswith(
            "1.jpg': cannot be written (No space left on device)"
        )


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_full_disk_is_said_first(target_folder, monkeypatch, kind):
    usage = namedtuple("usage", "total used free")
    needed = len(WHOLE[kind]) if kind == "tar.gz" else sum(map(len, FILES.values()))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, needed - 1))
    refuse_archive(
        target_folder,
        WHOLE[kind],
        "needs 20.kB on the disk of .*, which has 20.kB free",
    )
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, needed))
    assert unpack_bytes(target_folder, WHOLE[kind]) == EXPECTED


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_unpacking_shows_its_progress(target_folder, monkeypatch, kind):
    shown, data = [], WHOLE[kind]
    monkeypatch.setattr(
        unpack_module.Progress, "show", lambda self, *at: shown.append(at)
    )
    unpack_bytes(target_folder, data)
    assert {total for _, total in shown} == {len(data)}
    assert 0 < shown[0][0] <= shown[-1][0] <= len(data)
    assert shown[-1][0] > 0.9 * len(data)


def test_members_of_a_tar_do_not_pile_up_in_memory(target_folder, monkeypatch):
    opened, real = [], tarfile.open

    def watched(*arguments, **options):
        opened.append(real(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(archives.tarfile, "open", watched)
    unpack_bytes(target_folder, WHOLE["tar"])
    assert opened[0].members == []
