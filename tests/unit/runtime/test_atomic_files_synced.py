"""A file is on the disk before it has its name, on any file system."""

import os

import pytest

from stockpot.evaluation.store import Store
from stockpot.runtime import atomic_files as files
from stockpot.runtime.errors import StockpotError
from tests.support.numbered_entries import numbered_entry

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_temporary_files_of_two_nodes_have_different_names(tmp_path):
    """Process numbers and clocks may be equal on two nodes."""
    with files.atomic(tmp_path / "a") as one, files.atomic(tmp_path / "a") as other:
        assert one != other
        assert one.parent == other.parent == tmp_path
        one.write_text("1")
        other.write_text("2")
    assert (tmp_path / "a").read_text() == "1", "the outer block ends last"


def test_content_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    happened = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda file: (happened.append("fsync"), fsync(file))
    )
    monkeypatch.setattr(
        os, "replace", lambda *a: (happened.append("replace"), replace(*a))
    )
    Store(tmp_path).put("ab12", numbered_entry(3, True), {}, "test")
    assert happened == ["fsync", "replace"]


@pytest.mark.parametrize("number", files._NO_SYNC)
def test_a_file_system_that_cannot_sync_is_no_error(tmp_path, monkeypatch, number):
    def fsync(_):
        raise OSError(number, "not here")

    monkeypatch.setattr(os, "fsync", fsync)
    with files.atomic(tmp_path / "a") as path:
        path.write_text("1")
    assert (tmp_path / "a").read_text() == "1"


def test_a_disk_that_fails_is_an_error(tmp_path, monkeypatch):
    def fsync(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with (
        pytest.raises(StockpotError, match="a: cannot be written .Input/output"),
        files.atomic(tmp_path / "a") as path,
    ):
        path.write_text("1")
    assert list(tmp_path.iterdir()) == []
