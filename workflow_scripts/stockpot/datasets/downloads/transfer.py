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
from urllib.request import Request

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..disk import readable, require_space
from .connections import LEAST_RATE, Pace, urlopen
from .partial_file import Part, file_digests, own_part
from .progress import Progress

log = logging.getLogger(__name__)

SCHEMES = ("http", "https", "file")
DIGITS = {"sha256": 64, "md5": 32}
TEMPORARY = (408, 425, 429)  # these and all from 500 on may pass
LONGEST_WAIT, LONGEST_RETRY_AFTER = 60, 600  # seconds
# In all of one download, beside those that large files earn: a server that sends a byte and breaks
# off, again and again, always brings something new.
ATTEMPTS, EARNED_BY = 100, 100 << 20
MOST_UNKNOWN = 2 << 30  # bytes of a file whose length nobody says; it may have no end
_BLOCK = 1 << 18


class _Again(Exception):
    """This attempt failed and another may not; ``afresh``: what is there is of no use to it;
    ``idle``: what it brought is not worth another."""

    def __init__(
        self, said: str, after: float = 0.0, afresh: bool = False, idle: bool = False
    ) -> None:
        super().__init__(one_line(said, 300))
        self.after, self.afresh, self.idle = after, afresh, idle


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

    Bounded: a connection that brings less than ``LEAST_RATE`` counts as dropped, there are so many
    attempts in all, and a file whose length nobody says is at most ``MOST_UNKNOWN`` bytes long.

    Raises StockpotError naming the URL or file: for what the server refuses or what cannot be
    reached, a wrong checksum, a disk that is full, a file or a link in the way.
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
                ask = partial(
                    _attempt, url, part, size, bool(pinned), timeout, progress
                )
                _fetch(url, part, size, bool(pinned), retries, wait, ask)
            found = part.digests()
            if pinned and found[algorithm] != pinned:
                part.discard()
                raise StockpotError(
                    f"{url}: its {algorithm} is {found[algorithm]}, but {pinned} was expected"
                )
            part.move_to(path)
    except OSError as error:
        said = (
            f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        )
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
    return one_line(parts.path.rpartition("/")[2] or url, 100)


def _kept(path: Path, algorithm: str, pinned: str, size: int | None) -> str:
    """The sha256 of a file that is there already. Raises StockpotError if it is another one."""
    mend = "; move it away to fetch it again"
    if not path.is_file():
        raise StockpotError(f"{path}: there is something that is no file{mend}")
    length = path.stat().st_size
    if size is not None and length != size:
        raise StockpotError(
            f"{path}: this file has {length} bytes, but {size} were expected{mend}"
        )
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
        log.info(
            "%s has no checksum to compare with; its own is sha256:%s", path, found
        )


def _fetch(
    url: str, part: Part, size, checked: bool, retries: int, wait, attempt
) -> None:
    """Attempts until the part is whole."""
    if part.size and _belongs(part, url, checked):
        log.info("%s: going on after %s", url, readable(part.size))
        part.resume()
        if part.size == (part.remote.get("total") if size is None else size):
            return
    else:
        part.restart({})
    failures, attempts, furthest = 0, 0, part.size
    while True:
        try:
            return attempt()
        except _Again as error:
            if part.size > furthest and not (error.afresh or error.idle):
                failures, furthest = 0, part.size
            failures += 1
            attempts += 1
            if error.afresh:
                part.restart({})
            if failures > retries:
                raise StockpotError(
                    f"{url}: {error}; {retries} more attempts brought nothing new"
                ) from error
            if attempts >= ATTEMPTS + furthest // EARNED_BY:
                raise StockpotError(
                    f"{url}: {error}; {attempts} attempts are enough"
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


def _attempt(
    url, part: Part, size, checked: bool, timeout: float, progress: Progress
) -> None:
    """One request. Raises _Again unless it leaves the part whole."""
    if part.size and not _belongs(part, url, checked):
        part.restart({})
    request = Request(url, headers={"User-Agent": "stockpot"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if _validator(part.remote):
            request.add_header("If-Range", _validator(part.remote))
    with Pace(timeout) as pace:
        _receive(request, part, size, checked, timeout, progress, pace)


def _receive(
    request: Request,
    part: Part,
    size,
    checked: bool,
    timeout,
    progress: Progress,
    pace: Pace,
) -> None:
    url = request.full_url
    with _open(request, timeout, pace) as response:
        _check_coding(response, url, checked)
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
        total = next(
            (n for n in (size, total, part.remote.get("total")) if n is not None), None
        )
        if total is not None:
            require_space(part.path.parent, total - part.size, url)
        for block in _blocks(response, pace):
            part.append(block)
            progress.show(part.size, total)
            if total is None and part.size > MOST_UNKNOWN:
                raise StockpotError(
                    f"{url}: more than {readable(MOST_UNKNOWN)} of a file whose length the server "
                    "does not say; fetch it by other means and give its path"
                )
            if total is not None and part.size > total:
                raise _Again(
                    f"it has more than the {total} bytes expected", afresh=True
                )
    if total is not None and part.size != total:
        raise _Again(f"the connection broke off after {part.size} of {total} bytes")


def _check_coding(response, url: str, checked: bool) -> None:
    """Refuse what a server packs by itself.

    Many call the file's own compression a coding: gzip of a .tar.gz. The bytes are stored as they
    are sent, so that is right where the name says it or a checksum tells (``checked``).
    """
    coding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    is_packed_file = urlsplit(url).path.lower().endswith((".gz", ".tgz"))
    if coding in ("gzip", "x-gzip") and (checked or is_packed_file):
        return
    if coding != "identity":
        raise StockpotError(
            f"{one_line(response.url, 200)}: the server sends it packed "
            f"({one_line(coding, 50)}), which nobody asked for"
        )


def _open(request: Request, timeout: float, pace: Pace):
    url = request.full_url
    try:
        return urlopen(request, timeout=timeout, pace=pace)
    except HTTPError as error:
        error.close()
        said = " ".join(f"the server answers {error.code} {error.reason}".split())
        said = one_line(said, 300)
        if error.code == 416 and request.has_header("Range"):
            raise _Again(said, afresh=True) from error
        if error.code in TEMPORARY or error.code >= 500:
            raise _Again(
                said, _retry_after(error.headers.get("Retry-After"))
            ) from error
        raise StockpotError(f"{url}: {said}") from error
    except (OSError, HTTPException, ValueError) as error:
        if pace.too_slow:
            raise _too_slow() from error
        reason = getattr(error, "reason", error)
        said = f"cannot be reached ({one_line(reason or type(reason).__name__, 300)})"
        wrong_url = isinstance(error, InvalidURL | ValueError) or isinstance(
            reason, str
        )
        untrusted = isinstance(reason, ssl.SSLCertVerificationError)
        if wrong_url or untrusted or request.type == "file":
            raise StockpotError(f"{url}: {said}") from error
        raise _Again(said) from error


def _extent(response) -> tuple[int, int | None]:
    """(first byte, bytes of the whole file or None) of what a response holds."""
    if response.status == 206:
        text = response.headers.get("Content-Range") or ""
        match = re.fullmatch(
            r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", text.strip()
        )
        if not match or not int(match[1]) <= int(match[2]) < int(
            match[3].replace("*", "9" * 19)
        ):
            raise _Again(f"the server sends a part that it calls {text!r}", afresh=True)
        return int(match[1]), None if match[3] == "*" else int(match[3])
    if response.status not in (None, 200):  # a file has no status
        raise StockpotError(
            f"{response.url}: the server answers {response.status}, not 200"
        )
    lengths = {
        length.strip() for length in response.headers.get_all("Content-Length") or ()
    }
    if not lengths:
        return 0, None
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,18}", length):
        said = one_line(", ".join([length, *lengths]), 50)
        raise StockpotError(
            f"{one_line(response.url, 200)}: its length is said to be {said!r}"
        )
    return 0, int(length)


def _same(before: dict, now: dict) -> bool:
    pairs = [(before.get(key), now[key]) for key in ("etag", "modified", "total")]
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _too_slow() -> _Again:
    return _Again(f"the server sends less than {LEAST_RATE} bytes a second", idle=True)


def _blocks(response, pace: Pace) -> Iterator[bytes]:
    while True:
        try:
            block = response.read1(_BLOCK)
        except (OSError, HTTPException, ValueError) as error:
            if pace.too_slow:
                raise _too_slow() from error
            raise _Again(
                f"the connection broke off ({error or type(error).__name__})"
            ) from error
        if not block and pace.too_slow:
            raise _too_slow()
        if not block:
            return
        pace.received += len(block)
        yield block


def _retry_after(text: str | None) -> float:
    """Seconds that a server asks to wait for, given as a number or a date; 0 if it does not."""
    text = (text or "").strip()
    try:
        seconds = (
            float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp()
        )
        seconds -= 0 if text.isdecimal() else time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
