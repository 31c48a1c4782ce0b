"""Recognise files that stand in for another one: what a clone or a download left in its place.

A clone without Git LFS has small text files where the data should be. A download that needed a
login, or an address that moved, gives a page of a website. The first bytes tell both.
"""

import re
from pathlib import Path

from .errors import StockpotError
from .escape import one_line
from .regular_files import open_regular

PNG_MARK = b"\x89PNG\r\n\x1a\n"  # the first bytes of every PNG file
START_BYTES = 512  # as much of a file as ``stand_in`` needs

_LFS = re.compile(rb"version https?://(git-lfs\.github\.com|hawser\.github\.com)/spec/")
_ANNEX = re.compile(rb"(\.\./)*(\.git)?/annex/objects/")
_PAGE = re.compile(
    rb"<(!doctype\s+html|html|head|body|title|meta|script)[\s>]", re.IGNORECASE
)
# What may come before a page's first element: an XML declaration and comments.
_BEFORE_PAGE = re.compile(rb"\s*(<\?xml[^>]*\?>|<!--.*?-->)\s*", re.DOTALL)
# An object store answers with XML if a file is missing or forbidden.
_REFUSAL = re.compile(rb"<Error>\s*<Code>")
_UTF8_MARK = b"\xef\xbb\xbf"


def stand_in(start: bytes) -> str:
    """Say what a file is that stands in for another one, and what to do about it.

    Args:
        start: The file's first ``START_BYTES`` bytes, or all of a shorter one.

    Returns:
        Words for an error message, as "a Git LFS pointer; git lfs pull fetches the file"; empty
        for any other file.
    """
    text = start.removeprefix(_UTF8_MARK).lstrip()
    if _LFS.match(text):
        return "a Git LFS pointer; git lfs pull fetches the file"
    if _ANNEX.match(text):
        return "a git-annex pointer; git annex get fetches the file"
    prefix = _BEFORE_PAGE.match(text)
    while prefix:
        text = text[prefix.end() :]
        prefix = _BEFORE_PAGE.match(text)
    if _PAGE.match(text) or _REFUSAL.match(text):
        return (
            "a page of a website (HTML or XML), not the file itself; download it again, with a "
            "login if the site asks for one"
        )
    return ""


def refuse_stand_in(
    path: str | Path,
    key: str = "",
) -> None:
    """Refuse a file that stands in for another one, and anything that is no regular file.

    Args:
        path: The file; only its first bytes are read.
        key: Key of the config that names it; the error begins with it.

    Raises:
        StockpotError: If it is a pointer or a page, a pipe, a device or a folder, or cannot be
            read. The error is one line and says what to do.
    """
    prefix = f"{key}: " if key else ""
    shown_path = one_line(path, 200)
    try:
        with open_regular(path) as file:
            start = file.read(START_BYTES)
    except OSError as error:
        message = f"{prefix}cannot read {shown_path} ({error.strerror})"
        raise StockpotError(message) from error
    kind = stand_in(start)
    if kind:
        raise StockpotError(f"{prefix}{shown_path} is {kind}")
