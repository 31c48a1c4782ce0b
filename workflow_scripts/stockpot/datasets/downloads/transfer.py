"""Fetch a file: resumed where it broke off, checked against its hash, whole or not at all.

``download`` repeats attempts until the file is whole. An attempt is one request (``_attempt``). It
leaves the file whole, or raises ``_RetryError`` where another attempt may succeed, or StockpotError
where none can.
"""

import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse, InvalidURL
from pathlib import Path
from string import hexdigits
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..disk import format_bytes, require_space
from .connections import MIN_RATE, SlowConnectionGuard, urlopen
from .partial_file import PartialFile, file_digests, locked_partial_file
from .progress import Progress

log = logging.getLogger(__name__)

SCHEMES = ("http", "https", "file")
DIGITS = {"sha256": 64, "md5": 32}  # hex digits of a checksum
# Statuses that may pass: Request Timeout, Too Early, Too Many Requests; and all from 500 on.
TEMPORARY = (408, 425, 429)
OK = 200
PARTIAL_CONTENT = 206
RANGE_NOT_SATISFIABLE = 416
LONGEST_WAIT = 60  # seconds before another attempt
LONGEST_RETRY_AFTER = 600  # seconds, where a server asks for more
# In all of one download, beside those that large files earn: a server that sends a byte and breaks
# off, again and again, always brings something new.
MAX_ATTEMPTS = 100
BYTES_PER_MORE_ATTEMPT = 100 << 20
MAX_UNKNOWN_LENGTH = (
    2 << 30
)  # bytes where nobody says the length; the file may have no end
_BLOCK = 1 << 18  # bytes that are read at once


class _RetryError(Exception):
    """This attempt failed and another may not.

    Attributes:
        wait_s: Seconds that the server asks to wait for.
        start_over: Are the bytes that are there of no use to the next attempt?
        no_progress: Does the attempt count as one that brought nothing new?
    """

    def __init__(
        self,
        reason: str,
        wait_s: float = 0.0,
        *,
        start_over: bool = False,
        no_progress: bool = False,
    ) -> None:
        super().__init__(one_line(reason, 300))
        self.wait_s = wait_s
        self.start_over = start_over
        self.no_progress = no_progress


class _Checksum(NamedTuple):
    """What a file's digest must be.

    Attributes:
        algorithm: "sha256" or "md5".
        digits: Hex digits in lower case; "" where the digest is not known.
    """

    algorithm: str
    digits: str

    def differs(self, digests: dict[str, str]) -> bool:
        """Tell whether a file is another one.

        Args:
            digests: Algorithm -> hex digest of the file.

        Returns:
            False where the digest is not known.
        """
        return bool(self.digits) and digests[self.algorithm] != self.digits


@dataclass(frozen=True)
class _Job:
    """What to download, and how patiently.

    Attributes:
        url: Where the file is.
        size: Its length in bytes, or None.
        has_checksum: Will its content be checked?
        retries: Further attempts in a row that bring nothing new.
        timeout: Seconds without a byte after which a connection counts as dropped.
        wait: Sleeps for so many seconds.
    """

    url: str
    size: int | None
    has_checksum: bool
    retries: int
    timeout: float
    wait: Callable[[float], None]


def download(
    url: str,
    path: str | Path,
    checksum: str = "",
    size: int | None = None,
    retries: int = 5,
    timeout: float = 60.0,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Fetch a URL (http, https, file) to a path.

    What arrives lies in ``<path>.part`` and goes on from there, in this call or a later one, as
    long as the remote file is the same. Only a whole file that has its checksum gets the name
    ``path``. A file that is there already is checked and not fetched. Processes that want the same
    file wait for each other.

    The effort has bounds: a connection that brings less than ``MIN_RATE`` counts as dropped, there
    are at most ``MAX_ATTEMPTS`` (more for large files), and a file whose length nobody says has at
    most ``MAX_UNKNOWN_LENGTH`` bytes.

    Args:
        url: Where the file is.
        path: Where it goes.
        checksum: "sha256:<hex>", "md5:<hex>" or "" (the sha256 is logged).
        size: Bytes, where known.
        retries: Further attempts in a row that bring no byte beyond the furthest so far.
        timeout: Seconds without a byte after which a connection counts as dropped.
        wait: Sleeps for so many seconds.

    Returns:
        The sha256 of the file, in hex.

    Raises:
        StockpotError: The server refuses or cannot be reached, the checksum is wrong, the disk is
            full, or a file or link is in the way. It names the URL or the file.
    """
    path = Path(path)
    expected = _parse_checksum(checksum)
    job = _Job(
        url,
        size,
        bool(expected.digits),
        retries,
        timeout,
        wait,
    )
    title = _file_name(url)
    if path.exists():
        return _check_present_file(path, expected, size)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked_partial_file(path, {"sha256", expected.algorithm}) as partial_file:
            if path.exists():  # another process fetched it while this one waited
                partial_file.discard()
                return _check_present_file(path, expected, size)
            with Progress(title) as progress:
                _fetch(job, partial_file, progress)
            sha256 = _check_fetched(partial_file, expected, url)
            partial_file.move_to(path)
    except OSError as error:
        reason = error.strerror
        if error.filename:
            reason = f"{error.strerror}: {error.filename}"
        raise StockpotError(f"{path}: cannot be written ({reason})") from error
    _log_unchecked(path, sha256, expected)
    return sha256


def _parse_checksum(checksum: str) -> _Checksum:
    algorithm, _, digits = checksum.partition(":")
    if not checksum:
        return _Checksum("sha256", "")
    # .get: an unknown algorithm has None digits, which no length equals.
    if len(digits) != DIGITS.get(algorithm) or set(digits) - set(hexdigits):
        raise StockpotError(
            f"checksum: {checksum!r} is neither 'sha256:' and 64 hex digits nor 'md5:' and 32"
        )
    return _Checksum(algorithm, digits.lower())


def _file_name(url: str) -> str:
    """The last part of a URL's path; StockpotError where it is no URL that can be fetched."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StockpotError(f"{url!r}: not a URL ({error})") from error
    if parts.scheme not in SCHEMES:
        raise StockpotError(f"{url!r}: not a URL of {', '.join(SCHEMES)}")
    return one_line(parts.path.rpartition("/")[2] or url, 100)


def _check_present_file(
    path: Path,
    expected: _Checksum,
    size: int | None,
) -> str:
    """The sha256 of a file that is there already. Raises StockpotError if it is another one."""
    advice = "; move it away to fetch it again"
    if not path.is_file():
        raise StockpotError(f"{path}: this is not a file{advice}")
    length = path.stat().st_size
    if size is not None and length != size:
        raise StockpotError(
            f"{path}: this file has {length} bytes, but {size} were expected{advice}"
        )
    algorithm = expected.algorithm
    try:
        digests = file_digests(path, {"sha256", algorithm})
    except OSError as error:
        raise StockpotError(f"{path}: cannot be read ({error.strerror})") from error
    if expected.differs(digests):
        raise StockpotError(
            f"{path}: the {algorithm} of this file is {digests[algorithm]}, but "
            f"{expected.digits} was expected{advice}"
        )
    _log_unchecked(path, digests["sha256"], expected)
    return digests["sha256"]


def _check_fetched(
    partial_file: PartialFile,
    expected: _Checksum,
    url: str,
) -> str:
    """The sha256 of what was fetched; StockpotError, and nothing is left, if it is another file."""
    digests = partial_file.digests()
    if expected.differs(digests):
        partial_file.discard()
        raise StockpotError(
            f"{url}: its {expected.algorithm} is {digests[expected.algorithm]}, but "
            f"{expected.digits} was expected"
        )
    return digests["sha256"]


def _log_unchecked(
    path: Path,
    sha256: str,
    expected: _Checksum,
) -> None:
    if not expected.digits:
        log.info(
            "%s has no checksum to compare with; its own is sha256:%s", path, sha256
        )


# Attempts.


def _fetch(
    job: _Job,
    partial_file: PartialFile,
    progress: Progress,
) -> None:
    """Make attempts until the file is whole; StockpotError after too many."""
    if _resume(job, partial_file):
        return
    failures = 0  # in a row, that brought nothing new
    attempts = 0
    furthest = partial_file.size
    while True:
        try:
            _attempt(job, partial_file, progress)
        except _RetryError as error:
            has_new_bytes = partial_file.size > furthest
            if has_new_bytes and not error.start_over and not error.no_progress:
                failures = 0
                furthest = partial_file.size
            failures += 1
            attempts += 1
            if error.start_over:
                partial_file.restart({})
            _check_attempts(job, error, failures, attempts, furthest)
            # 1, 2, 4, ... seconds, or what the server asks for.
            pause = min(2 ** (failures - 1), LONGEST_WAIT)
            pause = max(error.wait_s, pause)
            log.warning("%s: %s; again in %.0f s", job.url, error, pause)
            job.wait(pause)
        else:
            return


def _resume(job: _Job, partial_file: PartialFile) -> bool:
    """Go on after the bytes of an earlier process, or forget them; is the file whole?"""
    if not partial_file.size or not _belongs(partial_file, job):
        partial_file.restart({})
        return False
    log.info("%s: going on after %s", job.url, format_bytes(partial_file.size))
    partial_file.resume()
    size = job.size
    if size is None:
        size = partial_file.remote.get("total")
    return partial_file.size == size


def _check_attempts(
    job: _Job, error: _RetryError, failures: int, attempts: int, furthest: int
) -> None:
    """Raise StockpotError if no further attempt is due."""
    # retries = 0: the first failure is the last.
    if failures > job.retries:
        raise StockpotError(
            f"{job.url}: {error}; {job.retries} more attempts brought no more bytes"
        ) from error
    if attempts >= MAX_ATTEMPTS + furthest // BYTES_PER_MORE_ATTEMPT:
        raise StockpotError(
            f"{job.url}: {error}; gave up after {attempts} attempts"
        ) from error


def _belongs(partial_file: PartialFile, job: _Job) -> bool:
    """Can more bytes from this URL go after those that are there?

    Where the server does not say which version of a file it sends, only a checksum finds out that
    two halves are of two files.
    """
    if partial_file.remote.get("url") != job.url:
        return False
    return job.has_checksum or bool(_validator(partial_file.remote))


def _validator(remote: dict[str, Any]) -> str:
    """What If-Range takes: an ETag that holds for bytes (not a weak one), else the time."""
    # A weak tag, W/"...", stays the same for contents that only mean the same.
    etag = remote.get("etag") or ""
    if etag and not etag.startswith("W/"):
        return etag
    return remote.get("modified") or ""


def _attempt(
    job: _Job,
    partial_file: PartialFile,
    progress: Progress,
) -> None:
    """Make one request. Raises _RetryError unless it leaves the file whole."""
    if partial_file.size and not _belongs(partial_file, job):
        partial_file.restart({})
    request = Request(job.url, headers={"User-Agent": "stockpot"})
    if partial_file.size:
        request.add_header("Range", f"bytes={partial_file.size}-")
        # The server sends the rest only if its file is still the same, else all of it.
        validator = _validator(partial_file.remote)
        if validator:
            request.add_header("If-Range", validator)
    with (
        SlowConnectionGuard(job.timeout) as guard,
        _open(request, job.timeout, guard) as response,
    ):
        _check_encoding(response, job)
        total = _start_receiving(response, job, partial_file)
        if total is not None:
            needed = total - partial_file.size
            require_space(partial_file.path.parent, needed, job.url)
        for block in _blocks(response, guard):
            partial_file.append(block)
            progress.show(partial_file.size, total)
            _check_length(partial_file.size, total, job.url)
    if total is not None and partial_file.size != total:
        raise _RetryError(
            f"the connection broke off after {partial_file.size} of {total} bytes"
        )


def _start_receiving(
    response: HTTPResponse, job: _Job, partial_file: PartialFile
) -> int | None:
    """Make the file ready for what a response holds; the length of the whole file, if known."""
    start, total = _extent(response)
    remote = {
        "url": job.url,
        "etag": response.headers.get("ETag"),
        "modified": response.headers.get("Last-Modified"),
        "total": total,
    }
    if start == 0:
        partial_file.restart(remote)
    elif start != partial_file.size or not _is_same_file(partial_file.remote, remote):
        raise _RetryError("the file has changed", start_over=True)
    if job.size is not None:
        # It starts over, as the bytes that are there may be of the other file.
        if total is not None and total != job.size:
            raise _RetryError(
                f"it has {total} bytes, but {job.size} were expected", start_over=True
            )
        return job.size
    if total is not None:
        return total
    # What an earlier response said of the same file.
    return partial_file.remote.get("total")


def _check_length(
    size: int,
    total: int | None,
    url: str,
) -> None:
    """Refuse a file that is longer than it may be."""
    if total is None and size > MAX_UNKNOWN_LENGTH:
        raise StockpotError(
            f"{url}: more than {format_bytes(MAX_UNKNOWN_LENGTH)} of a file whose length "
            "the server does not say; fetch it by other means and give its path"
        )
    if total is not None and size > total:
        raise _RetryError(
            f"it has more than the {total} bytes expected", start_over=True
        )


# What the server sends.


def _open(
    request: Request,
    timeout: float,
    guard: SlowConnectionGuard,
) -> HTTPResponse:
    """Send a request. Raises _RetryError where another may succeed, else StockpotError."""
    try:
        return urlopen(
            request,
            timeout=timeout,
            guard=guard,
        )
    except HTTPError as error:
        error.close()
        raise _refusal(request, error) from error
    except (OSError, HTTPException, ValueError) as error:
        if guard.too_slow:
            raise _too_slow() from error
        raise _unreachable(request, error) from error


def _refusal(request: Request, error: HTTPError) -> _RetryError | StockpotError:
    """What follows from an answer that is an error."""
    answer = " ".join(f"the server answers {error.code} {error.reason}".split())
    answer = one_line(answer, 300)
    if error.code == RANGE_NOT_SATISFIABLE and request.has_header("Range"):
        return _RetryError(answer, start_over=True)
    if error.code in TEMPORARY or error.code >= 500:
        return _RetryError(answer, _retry_after(error.headers.get("Retry-After")))
    return StockpotError(f"{request.full_url}: {answer}")


def _unreachable(request: Request, error: Exception) -> _RetryError | StockpotError:
    """What follows from a request without an answer."""
    # URLError wraps the error that says why.
    reason = getattr(error, "reason", error)
    # An error without a text, as of a timeout, is called by its type.
    text = f"cannot be reached ({one_line(reason or type(reason).__name__, 300)})"
    is_wrong_url = isinstance(error, InvalidURL | ValueError)
    is_refused_by_urllib = isinstance(reason, str)
    is_untrusted = isinstance(reason, ssl.SSLCertVerificationError)
    is_local = request.type == "file"
    if is_wrong_url or is_refused_by_urllib or is_untrusted or is_local:
        return StockpotError(f"{request.full_url}: {text}")
    return _RetryError(text)


def _check_encoding(response: HTTPResponse, job: _Job) -> None:
    """Refuse what a server packs by itself.

    Many call the file's own compression an encoding: gzip of a .tar.gz. The bytes are stored as
    they are sent, so that is right where the name says it or a checksum will tell.
    """
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    # A server that guesses the type of a .tar.gz by its name sends this header.
    is_packed_file = urlsplit(job.url).path.lower().endswith((".gz", ".tgz"))
    is_gzip = encoding in ("gzip", "x-gzip")
    if is_gzip and (job.has_checksum or is_packed_file):
        return
    if encoding != "identity":
        raise StockpotError(
            f"{one_line(response.url, 200)}: the server sends it packed "
            f"({one_line(encoding, 50)}), which was not asked for"
        )


def _extent(response: HTTPResponse) -> tuple[int, int | None]:
    """First byte of a response in the whole file, and the length of that or None."""
    if response.status == PARTIAL_CONTENT:
        return _extent_of_range(response)
    if response.status not in (None, OK):  # a file has no status
        raise StockpotError(
            f"{response.url}: the server answers {response.status}, not 200"
        )
    values = response.headers.get_all("Content-Length") or ()
    # A header may be repeated with the same value.
    lengths = {value.strip() for value in values}
    if not lengths:
        return 0, None
    length = lengths.pop()
    # Two different lengths, or one that is no number of at most 18 digits.
    if lengths or not re.fullmatch("[0-9]{1,18}", length):
        text = one_line(", ".join([length, *lengths]), 50)
        raise StockpotError(
            f"{one_line(response.url, 200)}: its length is said to be {text!r}"
        )
    return 0, int(length)


def _extent_of_range(response: HTTPResponse) -> tuple[int, int | None]:
    """As ``_extent``, of a response that holds a part of the file."""
    # "bytes <first>-<last>/<length>", where the length may be *.
    text = response.headers.get("Content-Range") or ""
    pattern = r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)"
    match = re.fullmatch(pattern, text.strip())
    error = _RetryError(
        f"the server sends a part that it calls {text!r}", start_over=True
    )
    if not match:
        raise error
    first = int(match[1])
    last = int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if first > last or (total is not None and last >= total):
        raise error
    return first, total


def _is_same_file(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Do two responses describe one file, as far as both say something?"""
    for key in ("etag", "modified", "total"):
        old_value = before.get(key)
        new_value = now[key]
        if None not in (old_value, new_value) and old_value != new_value:
            return False
    return True


def _too_slow() -> _RetryError:
    return _RetryError(
        f"the server sends less than {MIN_RATE} bytes a second", no_progress=True
    )


def _blocks(response: HTTPResponse, guard: SlowConnectionGuard) -> Iterator[bytes]:
    """The bytes of a response as they come. Raises _RetryError where the connection breaks off."""
    while True:
        try:
            block = response.read1(_BLOCK)
        except (OSError, HTTPException, ValueError) as error:
            if guard.too_slow:
                raise _too_slow() from error
            raise _RetryError(
                f"the connection broke off ({error or type(error).__name__})"
            ) from error
        # A connection that the guard breaks may look like one that ends.
        if not block and guard.too_slow:
            raise _too_slow()
        if not block:
            return
        guard.received += len(block)
        yield block


def _retry_after(text: str | None) -> float:
    """Seconds that a server asks to wait for, given as a number or a date; 0 if it does not."""
    text = (text or "").strip()
    try:
        if text.isdecimal():
            seconds = float(text)
        else:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
