"""Fetch a file: resumed where it broke off, checked against its hash, whole or not at all."""

import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException, InvalidURL
from pathlib import Path
from string import hexdigits
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from ..errors import StockpotError
from .disk import readable, require_space
from .part import Part, file_digests, own_part
from .progress import Progress

log = logging.getLogger(__name__)

SCHEMES = ("http", "https", "file")
DIGITS = {"sha256": 64, "md5": 32}
TEMPORARY = (408, 425, 429)  # these and all from 500 on may pass
LONGEST_WAIT, LONGEST_RETRY_AFTER = 60, 600  # seconds
_BLOCK = 1 << 18


class _Again(Exception):
    """This attempt failed and another may not; ``afresh``: what is there is of no use to it."""

    def __init__(self, said: str, after: float = 0.0, afresh: bool = False) -> None:
        super().__init__(said)
        self.after, self.afresh = after, afresh


def download(
    url: str,
    path: str | Path,
    checksum: str = "",
    size: int | None = None,
    retries: int = 5,
    timeout: float = 60.0,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Fetch a URL (http, https, file) to a path; the sha256 of the file, in hex.

    What arrives lies in ``<path>.part`` and goes on from there, in this call or a later one, as
    long as the remote file is the same; only a whole file that has its checksum gets the name
    ``path``. A file that is there already is checked and not fetched. Processes that want the
    same file wait for each other.

    checksum: "sha256:<hex>", "md5:<hex>" or "" (the sha256 is logged). size: bytes, where known.
    retries: further attempts in a row that bring no byte beyond the furthest so far. timeout:
    seconds without a byte after which a connection counts as dropped. wait: sleeps for so many
    seconds.

    Raises StockpotError naming the URL or file: for what the server refuses or what cannot be
    reached, a wrong checksum, a disk that is full, a file in the way.
    """
    path, (algorithm, pinned) = Path(path), _pinned(checksum)
    name, algorithms = _file_name(url), {"sha256", algorithm}
    if path.exists():
        return _kept(path, algorithm, pinned, size)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with own_part(path, algorithms) as part:
            if path.exists():  # another process fetched it while this one waited
                part.discard()
                return _kept(path, algorithm, pinned, size)
            with Progress(name) as progress:
                ask = partial(_attempt, url, part, size, bool(pinned), timeout, progress)
                _fetch(url, part, size, bool(pinned), retries, wait, ask)
            found = part.digests()
            if pinned and found[algorithm] != pinned:
                part.discard()
                raise StockpotError(
                    f"{url}: its {algorithm} is {found[algorithm]}, but {pinned} was expected"
                )
            part.move_to(path)
    except OSError as error:
        said = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        raise StockpotError(f"{path}: cannot be written ({said})") from error
    _tell(path, found["sha256"], pinned)
    return found["sha256"]


def _pinned(checksum: str) -> tuple[str, str]:
    algorithm, _, digits = checksum.partition(":")
    if not checksum:
        return "sha256", ""
    if len(digits) != DIGITS.get(algorithm) or set(digits) - set(hexdigits):
        raise StockpotError(
            f"checksum: {checksum!r} is neither 'sha256:' and 64 hex digits nor 'md5:' and 32"
        )
    return algorithm, digits.lower()


def _file_name(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StockpotError(f"{url!r}: not a URL ({error})") from error
    if parts.scheme not in SCHEMES:
        raise StockpotError(f"{url!r}: not a URL of {', '.join(SCHEMES)}")
    return parts.path.rpartition("/")[2] or url


def _kept(path: Path, algorithm: str, pinned: str, size: int | None) -> str:
    """The sha256 of a file that is there already. Raises StockpotError if it is another one."""
    mend = "; move it away to fetch it again"
    if not path.is_file():
        raise StockpotError(f"{path}: there is something that is no file{mend}")
    length = path.stat().st_size
    if size is not None and length != size:
        raise StockpotError(f"{path}: this file has {length} bytes, but {size} were expected{mend}")
    try:
        found = file_digests(path, {"sha256", algorithm})
    except OSError as error:
        raise StockpotError(f"{path}: cannot be read ({error.strerror})") from error
    if pinned and found[algorithm] != pinned:
        raise StockpotError(
            f"{path}: the {algorithm} of this file is {found[algorithm]}, but {pinned} was "
            f"expected{mend}"
        )
    _tell(path, found["sha256"], pinned)
    return found["sha256"]


def _tell(path: Path, found: str, pinned: str) -> None:
    if not pinned:
        log.info("%s has no checksum to compare with; its own is sha256:%s", path, found)


def _fetch(url: str, part: Part, size, checked: bool, retries: int, wait, attempt) -> None:
    """Attempts until the part is whole."""
    if part.size and _belongs(part, url, checked):
        log.info("%s: going on after %s", url, readable(part.size))
        part.resume()
        if part.size == (part.remote.get("total") if size is None else size):
            return
    else:
        part.restart({})
    failures, furthest = 0, part.size
    while True:
        try:
            return attempt()
        except _Again as error:
            if part.size > furthest and not error.afresh:
                failures, furthest = 0, part.size
            failures += 1
            if error.afresh:
                part.restart({})
            if failures > retries:
                raise StockpotError(
                    f"{url}: {error}; {retries} more attempts brought nothing new"
                ) from error
            pause = max(error.after, min(2 ** (failures - 1), LONGEST_WAIT))
            log.warning("%s: %s; again in %.0f s", url, error, pause)
            wait(pause)


def _belongs(part: Part, url: str, checked: bool) -> bool:
    """Can more bytes from this URL go after those of the part?

    Without a word of the server for what it sends, only a checksum finds two halves of two files.
    """
    return part.remote.get("url") == url and bool(checked or _validator(part.remote))


def _validator(remote: dict) -> str:
    """What If-Range takes: an ETag that holds for bytes (not a weak one), else the time."""
    tag = remote.get("etag") or ""
    return tag if tag and not tag.startswith("W/") else remote.get("modified") or ""


def _attempt(url, part: Part, size, checked: bool, timeout: float, progress: Progress) -> None:
    """One request. Raises _Again unless it leaves the part whole."""
    if part.size and not _belongs(part, url, checked):
        part.restart({})
    request = Request(url, headers={"User-Agent": "stockpot"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if _validator(part.remote):
            request.add_header("If-Range", _validator(part.remote))
    with _open(request, timeout) as response:
        start, total = _extent(response)
        remote = {
            "url": url,
            "etag": response.headers.get("ETag"),
            "modified": response.headers.get("Last-Modified"),
            "total": total,
        }
        if not start:
            part.restart(remote)
        elif start != part.size or not _same(part.remote, remote):
            raise _Again("the file has changed", afresh=True)
        if size is not None and total not in (None, size):
            raise _Again(f"it has {total} bytes, but {size} were expected", afresh=True)
        total = next((n for n in (size, total, part.remote.get("total")) if n is not None), None)
        if total is not None:
            require_space(part.path.parent, total - part.size, url)
        for block in _blocks(response):
            part.append(block)
            progress.show(part.size, total)
            if total is not None and part.size > total:
                raise _Again(f"it has more than the {total} bytes expected", afresh=True)
    if total is not None and part.size != total:
        raise _Again(f"the connection broke off after {part.size} of {total} bytes")


def _open(request: Request, timeout: float):
    url = request.full_url
    try:
        return urlopen(request, timeout=timeout)
    except HTTPError as error:
        error.close()
        said = " ".join(f"the server answers {error.code} {error.reason}".split())
        if error.code == 416 and request.has_header("Range"):
            raise _Again(said, afresh=True) from error
        if error.code in TEMPORARY or error.code >= 500:
            raise _Again(said, _retry_after(error.headers.get("Retry-After"))) from error
        raise StockpotError(f"{url}: {said}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        said = f"cannot be reached ({reason or type(reason).__name__})"
        wrong_url = isinstance(error, InvalidURL | ValueError) or isinstance(reason, str)
        untrusted = isinstance(reason, ssl.SSLCertVerificationError)
        if wrong_url or untrusted or request.type == "file":
            raise StockpotError(f"{url}: {said}") from error
        raise _Again(said) from error


def _extent(response) -> tuple[int, int | None]:
    """(first byte, bytes of the whole file or None) of what a response holds."""
    if response.status == 206:
        text = response.headers.get("Content-Range") or ""
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", text.strip())
        if not match:
            raise _Again(f"the server sends a part that it calls {text!r}", afresh=True)
        return int(match[1]), None if match[2] == "*" else int(match[2])
    if response.status not in (None, 200):  # a file has no status
        raise StockpotError(f"{response.url}: the server answers {response.status}, not 200")
    length = response.headers.get("Content-Length") or ""
    return 0, int(length) if length.isdecimal() else None


def _same(before: dict, now: dict) -> bool:
    pairs = [(before.get(key), now[key]) for key in ("etag", "modified", "total")]
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _blocks(response) -> Iterator[bytes]:
    while True:
        try:
            block = response.read1(_BLOCK)
        except (OSError, HTTPException) as error:
            raise _Again(f"the connection broke off ({error or type(error).__name__})") from error
        if not block:
            return
        yield block


def _retry_after(text: str | None) -> float:
    """Seconds that a server asks to wait for, given as a number or a date; 0 if it does not."""
    text = (text or "").strip()
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp()
        seconds -= 0 if text.isdecimal() else time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
