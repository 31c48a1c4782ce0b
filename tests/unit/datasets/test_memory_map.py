"""Tests arrays that stay on the disk until they are read."""

import errno
import os
import re
from pathlib import Path

import pytest

from stockpot.datasets import memory_map
from stockpot.datasets.dataset import read_dataset
from stockpot.runtime import sealed
from stockpot.runtime.errors import StockpotError
from tests.support.damaged_bytes import raising


@pytest.mark.parametrize(
    "code", [errno.ENOMEM, errno.EACCES, errno.EMFILE, errno.ESTALE, errno.EIO]
)
def test_a_fault_of_the_machine_advises_to_remove_nothing(
    dataset_folder, monkeypatch, code
):
    error = OSError(code, os.strerror(code))
    with monkeypatch.context() as patched:
        patched.setattr(memory_map.mmap, "mmap", raising(error))
        with pytest.raises(StockpotError) as of_images:
            read_dataset(dataset_folder)
    monkeypatch.setattr(sealed.Path, "read_bytes", raising(error))
    with pytest.raises(StockpotError) as of_card:
        read_dataset(dataset_folder)
    for caught in (of_images, of_card):
        line = str(caught.value)
        assert f"cannot be read ({os.strerror(code)})" in line
        assert "rm -" not in line


@pytest.mark.skipif(
    not os.path.exists("/proc/self/smaps"), reason="Linux says how it maps"
)
def test_images_take_no_room_of_the_memory_until_they_are_read(dataset_folder):
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "2":
        pytest.skip("this machine counts every page")
    data = read_dataset(dataset_folder)
    assert data.images.flags.writeable  # or torch warns
    maps = re.split(
        r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text()
    )
    writable = [text for text in maps if str(dataset_folder / "images.npy") in text]
    flags = [text.partition("VmFlags:")[2].split() for text in writable]
    assert flags
    assert all("ac" not in each for each in flags)
