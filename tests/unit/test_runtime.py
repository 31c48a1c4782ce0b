"""Files, limits and text that every stage stands on."""

import json
import os
import pickle
import re
import time

import pytest

from stockpot.datasets import bounded as bounds
from stockpot.datasets.bounded import bounded
from stockpot.runtime import escape
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.regular_files import NotRegularError, open_regular, read_text
from stockpot.tables import escape as forms

NASTY = [
    "</script><script>alert(1)</script>",
    "![x](http://127.0.0.1/a.png)",
    "[x](javascript:alert(1))",
    "a|b`c*d_e",
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\nand \u2028 more",
    "\u202egnp.exe",
    "$\\frac{$",
    "=1+1",
    "caf\udce9",
]


@pytest.mark.parametrize("text", NASTY)
def test_a_line_is_one_line_without_controls(text):
    line = escape.one_line(text)
    assert line.isprintable()
    assert line.encode()
    assert escape.one_line("plain café 图") == "plain café 图"


def test_a_long_line_keeps_its_ends():
    line = escape.one_line("a" * 10_000 + "\x00" * 600 + "b" * 10_000, 200)
    assert len(line) == 200
    assert line.startswith("aaa")
    assert line.endswith("bbb")
    assert len(escape.one_line("\x00" * 1000, 100)) == 100


@pytest.mark.parametrize("text", NASTY)
def test_text_is_inert_in_pages(text):
    import markdown

    assert not re.search("[<>\"']", forms.html(text))
    data = forms.json_for_script({text: [text]})
    assert "<" not in data
    assert json.loads(data) == {text: [text]}
    page = markdown.markdown(forms.markdown(text))
    assert re.findall("<(/?[a-z]+)", page) == ["p", "/p"]
    assert forms.spreadsheet("=1+1") == "'=1+1"
    assert forms.spreadsheet(-1.5) == -1.5


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


def size_of(path, add=0):
    return os.path.getsize(path) + add


def grow(path):
    return len(b"x" * (300 << 20))


def spin(path):
    while True:
        pass


def refuse(path):
    raise StockpotError(f"{path}: no")


def fail(path):
    raise KeyError("k")


def crash(path):
    os.kill(os.getpid(), 11)


@pytest.mark.process
def test_a_bounded_reader_answers_or_ends_with_one_line(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert bounded(size_of, file, 2) == 7
    with pytest.raises(StockpotError, match=f"^{file}: no$"):
        bounded(refuse, file)
    with pytest.raises(KeyError, match="k"):
        bounded(fail, file)
    with pytest.raises(
        StockpotError, match="key: .*file: reading it needs more than 200 MB"
    ):
        bounded(grow, file, what="key")
    with pytest.raises(StockpotError, match="its reader crashed"):
        bounded(crash, file)
    monkeypatch.setattr(bounds, "CPU_BASE_S", 1)
    with pytest.raises(
        StockpotError, match="needs more than 1 seconds, too much for a file of 5"
    ):
        bounded(spin, file)


@pytest.mark.process
def test_a_bounded_reader_that_waits_is_ended(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"1")
    monkeypatch.setattr(bounds, "WALL_FACTOR", 0.01)
    with pytest.raises(StockpotError, match="needs more than"):
        bounded(lambda path: time.sleep(600), file)


@pytest.mark.process
def test_a_reader_that_the_system_killed_is_not_said_to_be_slow(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"1")
    with pytest.raises(
        StockpotError,
        match="key: .*the system killed the process that reads it.* memory left",
    ):
        bounded(lambda path: os.kill(os.getpid(), 9), file, what="key")


def test_no_reader_is_waited_for_longer_than_twenty_minutes():
    assert bounds.silence_limit(1) == bounds.silence_limit(2 << 30) == 1200


def test_an_error_of_a_library_is_its_first_line():
    assert escape.first_line(ValueError("\n a\x1b[0m: no\nmore")) == escape.one_line(
        "a\x1b[0m: no"
    )
    assert escape.first_line(KeyError()) == "KeyError()"


@pytest.mark.process
def test_a_larger_file_may_take_more(tmp_path):
    file = tmp_path / "file"
    with open(file, "wb") as sparse:
        sparse.truncate(64 << 20)
    assert bounded(grow, file) == 300 << 20


def test_an_error_is_a_short_line_for_each_mistake():
    error = StockpotError("a\x1b[31m: wrong", "b" * 10_000)
    first, second = str(error).split("\n")
    assert first == "a\\x1b[31m: wrong"
    assert len(second) == 500
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
