"""Files that stand in for another one are told by their first bytes."""

import os

import pytest

from stockpot.runtime.errors import StockpotError
from stockpot.runtime.file_kinds import refuse_stand_in, stand_in

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
PAGES = [
    b"<!DOCTYPE html>\n<html><head>",
    b"\xef\xbb\xbf\r\n  <HTML lang='en'>",
    b"<!-- saved --><!doctype html>",
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "x">',
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
]
OTHERS = [
    b"",
    b"version https://example.org/spec/v1\n",
    b"a photo of a {}.\n<{}>\n",
    b"\x89PNG\r\n\x1a\n",
    b"PK\x03\x04",
    b"<svg xmlns='http://www.w3.org/2000/svg'>",
    b"class,name\nhtml,<html>\n",
    b"<headphones> of a {}",
]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_pointer_says_how_its_file_is_fetched(line_end):
    pointer = POINTER.replace(b"\n", line_end)
    assert stand_in(pointer) == "a Git LFS pointer; git lfs pull fetches the file"


def test_a_pointer_of_git_annex():
    assert "git annex get" in stand_in(b"/annex/objects/SHA256E-s1--0.pt\n")


@pytest.mark.parametrize("start", PAGES)
def test_a_page_says_that_it_is_one(start):
    assert stand_in(start).startswith("a page of a website")


@pytest.mark.parametrize("start", OTHERS)
def test_any_other_file_is_itself(start):
    assert stand_in(start) == ""


def test_the_line_names_key_file_and_what_to_do(tmp_path):
    path = tmp_path / "ours.pt"
    path.write_bytes(POINTER)
    with pytest.raises(StockpotError) as error:
        refuse_stand_in(path, "checkpoints.ours.path")
    assert str(error.value) == (
        f"checkpoints.ours.path: {path} is a Git LFS pointer; git lfs pull fetches the file"
    )
    path.write_bytes(b"\x80\x02}.")
    refuse_stand_in(path, "checkpoints.ours.path")


def test_pipes_folders_and_missing_files_are_named_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("pipe", "it is a pipe"),
        ("", "it is a folder"),
        ("gone", "No such file"),
    ):
        with pytest.raises(
            StockpotError, match=rf"^key: cannot read {tmp_path}.* \({why}"
        ):
            refuse_stand_in(tmp_path / name, "key")
