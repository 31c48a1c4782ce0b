"""Files are opened only where they are regular files."""

import os

import pytest

from stockpot.runtime.errors import StockpotError
from stockpot.runtime.regular_files import NotRegularError, open_regular, read_text


def test_only_regular_files_are_opened(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in (
        (pipe, "a pipe"),
        (tmp_path, "a folder"),
        ("/dev/zero", "a device"),
    ):
        with pytest.raises(NotRegularError, match=f"it is {kind}, not a file"):
            open_regular(path)
        with pytest.raises(StockpotError, match=rf"head.prompts: cannot read .*{kind}"):
            read_text(path, "head.prompts")
    file = tmp_path / "text.txt"
    file.write_bytes(b"\xef\xbb\xbfcaf\xc3\xa9\n")
    (tmp_path / "link").symlink_to(file)
    assert read_text(tmp_path / "link", "x") == "café\n"
    file.write_bytes(b"ok\ncaf\xe9\n")
    with pytest.raises(StockpotError, match=r"not UTF-8 \(line 2\); save it as UTF-8"):
        read_text(file, "x")
    with pytest.raises(StockpotError, match="larger than"):
        read_text(file, "x", limit=4)
