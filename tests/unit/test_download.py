"""Downloads, from a server on this machine that misbehaves in every way a server can."""

import hashlib
import logging
import os
import random
import re
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import namedtuple
from email.message import Message
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.error import HTTPError, URLError
from urllib.request import Request

import pytest

from stockpot.datasets import disk
from stockpot.datasets.downloads import connections, progress
from stockpot.datasets.downloads import partial_file as part
from stockpot.datasets.downloads import transfer as module
from stockpot.datasets.downloads.progress import Progress
from stockpot.datasets.downloads.transfer import download
from stockpot.runtime.errors import StockpotError
from tests.support.paths import SCRIPTS

BODY = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)
SHA, MD5 = hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest()
ABSENT = "0" * 64


class Remote:
    """What the server does, request by request; the last entry of a plan is repeated.

    An entry: body, etag, modified, cut (bytes after which the connection breaks), ranges (False:
    Range is ignored), status, headers, length (False: no Content-Length), said (another length),
    chunked, start (the first byte really sent of a range), pause (an event to wait for).
    """

    def __init__(self):
        self.plan, self.requests = [{}], []

    def answer(self, handler):
        entry = self.plan[min(len(self.requests), len(self.plan) - 1)]
        self.requests.append(dict(handler.headers))
        entry = {"body": BODY, "etag": '"one"', "ranges": True, "length": True} | entry
        if entry.get("status"):
            answer_without_body(handler, entry["status"], entry.get("headers", {}))
            return
        body, total, start = entry["body"], len(entry["body"]), 0
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
        condition = handler.headers.get("If-Range")
        fits = condition in (None, entry["etag"], entry.get("modified")) or entry.get(
            "deaf"
        )
        if asked and entry["ranges"] and fits:
            start = int(asked[1])
            if start >= total:
                answer_without_body(handler, 416, {"Content-Range": f"bytes */{total}"})
                return
            start = entry.get("start", start)
            handler.send_response(206)
            of = entry.get("of", total)
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{of}")
        else:
            handler.send_response(200)
        for name, key in (("ETag", "etag"), ("Last-Modified", "modified")):
            if entry.get(key):
                handler.send_header(name, entry[key])
        body = body[start:]
        if entry.get("chunked"):
            handler.send_header("Transfer-Encoding", "chunked")
        elif entry["length"]:
            handler.send_header("Content-Length", str(entry.get("said", len(body))))
        handler.end_headers()
        send_body(handler, entry, body)

    @property
    def ranges(self):
        return [request.get("Range") for request in self.requests]


def answer_without_body(handler, status, headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def send_body(handler, entry, body):
    """In two halves, as far as the entry lets it get."""
    body = body[: entry.get("cut")]
    if entry.get("chunked"):
        body = b"%x\r\n" % len(body) + body + b"\r\n"
        body += b"" if "cut" in entry else b"0\r\n\r\n"
    half = len(body) // 2
    for block in (body[:half], body[half:]):
        handler.wfile.write(block)
        handler.wfile.flush()
        if entry.get("pause"):
            entry["pause"].wait(300)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.remote.answer(self)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.remote = Remote()
    server.remote.url = f"http://127.0.0.1:{server.server_address[1]}/data/file.tar"
    return server.remote


@pytest.fixture
def fetch(remote, tmp_path):
    """Fetches with waits that are noted and not waited; the sha256, or the error."""

    def call(**options):
        path = tmp_path / "file.tar"
        options = {"url": remote.url, "path": path, "wait": call.waits.append} | options
        try:
            found, refusal = download(**options), ""
        except StockpotError as error:
            found, refusal = "", str(error)
        assert "\n" not in refusal
        if refusal:
            return refusal
        assert found == hashlib.sha256(path.read_bytes()).hexdigest()
        assert os.listdir(tmp_path) == ["file.tar"]
        return found

    call.waits, call.path = [], tmp_path / "file.tar"
    call.part = tmp_path / "file.tar.part"
    return call


def refuse_network(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("a request")

    monkeypatch.setattr(module, "urlopen", fail)


@pytest.mark.parametrize(
    "checksum", [f"sha256:{SHA}", f"md5:{MD5}", f"sha256:{SHA.upper()}", ""]
)
@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_file_arrives_whole(remote, fetch, checksum, size):
    assert fetch(checksum=checksum, size=size) == SHA
    assert fetch.path.read_bytes() == BODY
    assert remote.ranges == [None]
    assert fetch.waits == []


def test_folders_are_made_and_no_coding_is_asked_for(remote, tmp_path):
    path = tmp_path / "a" / "b" / "file"
    assert download(remote.url, path) == SHA
    assert remote.requests[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("size", [0, 5])
def test_an_empty_file_arrives_if_none_of_another_size_is_expected(remote, fetch, size):
    remote.plan = [{"body": b""}]
    if size:
        assert "it has 0 bytes, but 5 were expected" in fetch(size=size, retries=0)
    else:
        assert fetch(size=size) == hashlib.sha256().hexdigest()


def test_the_sha256_is_told_where_none_is_pinned(fetch, caplog):
    caplog.set_level(logging.INFO)
    fetch(checksum=f"sha256:{SHA}")
    assert "sha256" not in caplog.text
    fetch()
    assert f"sha256:{SHA}" in caplog.text


# Broken connections.


@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_that_breaks_again_and_again_is_resumed(remote, fetch, chunked):
    remote.plan = [{"cut": k, "chunked": chunked} for k in (100_000, 50_000, 70_000)]
    remote.plan += [{"chunked": chunked}]
    assert fetch() == SHA
    assert remote.ranges == [None, "bytes=100000-", "bytes=150000-", "bytes=220000-"]
    assert [request.get("If-Range") for request in remote.requests] == [
        None,
        *['"one"'] * 3,
    ]
    assert fetch.waits == [1, 1, 1]


def test_more_breaks_than_retries_are_fine_as_long_as_bytes_come(remote, fetch):
    remote.plan = [{"cut": 25_000}]
    assert fetch(retries=1) == SHA
    assert len(remote.requests) == 12


def test_attempts_that_bring_nothing_end_with_one_line_and_the_part_stays(
    remote, fetch
):
    remote.plan = [{"cut": 100_000}, {"cut": 0}]
    said = fetch(retries=3)
    assert said == (
        f"{remote.url}: the connection broke off after 100000 of 300000 bytes; "
        "3 more attempts brought no more bytes"
    )
    assert fetch.waits == [1, 2, 4]
    assert not fetch.path.exists()
    assert fetch.part.read_bytes() == BODY[:100_000]
    remote.plan = [{}]
    assert fetch() == SHA
    assert remote.ranges[-1] == "bytes=100000-"


def test_waits_grow_to_a_longest(remote, fetch):
    remote.plan = [{"status": 503}]
    assert "503 Service Unavailable" in fetch(retries=8)
    assert fetch.waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert os.listdir(fetch.path.parent) == []


def test_a_server_that_ignores_ranges_starts_over(remote, fetch):
    remote.plan = [{"cut": 100_000}, {"ranges": False}]
    assert fetch() == SHA
    assert fetch.path.read_bytes() == BODY
    assert remote.ranges == [None, "bytes=100000-"]


def test_a_server_that_ignores_ranges_and_breaks_off_is_given_up(remote, fetch):
    remote.plan = [{"cut": 100_000, "ranges": False}]
    assert "1 more attempts" in fetch(retries=1)
    assert len(remote.requests) == 2


def test_a_part_of_a_file_that_changed_is_thrown_away(remote, fetch):
    remote.plan = [{"body": OTHER, "cut": 100_000}, {"etag": '"two"'}]
    assert fetch() == SHA
    assert remote.ranges == [None, "bytes=100000-"]


@pytest.mark.parametrize(
    "after",
    [
        {"etag": '"two"', "deaf": True},
        {"etag": None, "modified": formatdate(1e9, usegmt=True), "deaf": True},
        {"body": BODY + b"!", "deaf": True},
        {"start": 100_001},
        {"of": "many"},
    ],
    ids=["etag", "modified", "length", "start", "extent"],
)
def test_a_range_that_does_not_fit_the_part_is_not_put_after_it(remote, fetch, after):
    before = {"body": OTHER, "cut": 100_000, "modified": formatdate(2e9, usegmt=True)}
    remote.plan = [before, after, {}]
    assert fetch() == SHA
    assert remote.ranges == [None, "bytes=100000-", None]


def test_a_weak_etag_does_not_vouch_for_bytes(remote, fetch):
    remote.plan = [{"etag": 'W/"one"', "cut": 100_000}]
    remote.plan += [
        {"etag": 'W/"one"', "modified": formatdate(1e9, usegmt=True), "cut": 100_000}
    ]
    remote.plan += [{"etag": 'W/"one"', "modified": formatdate(1e9, usegmt=True)}]
    assert fetch() == SHA
    assert remote.ranges == [None, None, "bytes=100000-"]
    assert remote.requests[2]["If-Range"] == formatdate(1e9, usegmt=True)


@pytest.mark.parametrize("checksum", ["", f"md5:{MD5}"])
def test_without_a_validator_only_a_checksum_allows_to_resume(remote, fetch, checksum):
    remote.plan = [{"etag": None, "cut": 100_000}, {"etag": None}]
    assert fetch(checksum=checksum) == SHA
    assert remote.ranges == [None, "bytes=100000-" if checksum else None]


@pytest.mark.parametrize(("size", "requests"), [(None, 1), (len(BODY), 2)])
def test_without_a_content_length_a_known_size_finds_the_break(
    remote, fetch, size, requests
):
    remote.plan = [
        {"length": False, "cut": None if size is None else 100_000},
        {"length": False},
    ]
    assert fetch(size=size) == SHA
    assert len(remote.requests) == requests


@pytest.mark.parametrize("length", [True, False])
def test_a_file_of_another_size_is_no_file(remote, fetch, length):
    remote.plan = [{"length": length, "body": BODY[: 200_001 + i]} for i in range(9)]
    said = fetch(size=200_000, retries=2)
    assert "200000 " in said
    assert "2 more attempts" in said
    assert len(remote.requests) == 3
    assert os.listdir(fetch.path.parent) == []


def test_a_server_that_stalls_counts_as_broken(remote, fetch):
    event = threading.Event()
    remote.plan = [{"pause": event}, {}]
    assert fetch(timeout=1) == SHA
    event.set()
    assert remote.ranges == [None, "bytes=150000-"]


def test_nobody_listens(fetch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    assert re.fullmatch(
        rf"{url}: cannot be reached \(.*\); 2 more attempts .*",
        fetch(url=url, retries=2),
    )


# Answers other than the file.


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
def test_what_may_pass_is_tried_again(remote, fetch, status):
    remote.plan = [{"status": status}, {}]
    assert fetch() == SHA
    assert len(remote.requests) == 2
    assert fetch.waits == [1]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("7", 7),
        ("0", 1),
        ("soon", 1),
        ("99999999999", 600),
        (formatdate(1e9, usegmt=True), 1),
    ],
)
def test_a_server_says_how_long_to_wait(remote, fetch, asked, waited):
    remote.plan = [{"status": 429, "headers": {"Retry-After": asked}}, {}]
    assert fetch() == SHA
    assert fetch.waits == [waited]


def test_a_server_says_until_when_to_wait(remote, fetch, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: 1e9 - 30)
    remote.plan = [
        {"status": 503, "headers": {"Retry-After": formatdate(1e9, usegmt=True)}},
        {},
    ]
    assert fetch() == SHA
    assert fetch.waits == [30]


@pytest.mark.parametrize(
    ("status", "name"), [(404, "Not Found"), (403, "Forbidden"), (416, "R")]
)
def test_what_will_not_pass_is_said_at_once(remote, fetch, status, name):
    remote.plan = [{"status": status}]
    assert fetch().startswith(f"{remote.url}: the server answers {status} {name}")
    assert len(remote.requests) == 1
    assert fetch.waits == []
    assert os.listdir(fetch.path.parent) == []


def test_an_answer_without_a_file_makes_none(remote, fetch):
    remote.plan = [{"status": 204}]
    assert "answers 204, not 200" in fetch()
    assert not fetch.path.exists()


def test_a_redirection_is_followed_and_a_circle_is_one_line(remote, fetch):
    remote.plan = [{"status": 302, "headers": {"Location": remote.url + "/there"}}, {}]
    assert fetch() == SHA
    fetch.path.unlink()
    remote.plan = [{"status": 302, "headers": {"Location": remote.url}}]
    assert "answers 302" in fetch()


def test_a_certificate_that_is_not_trusted_is_not_asked_again(fetch, monkeypatch):
    def distrust(*_, **__):
        raise URLError(ssl.SSLCertVerificationError("self-signed"))

    monkeypatch.setattr(module, "urlopen", distrust)
    assert "self-signed" in fetch(url="https://127.0.0.1/x")
    assert fetch.waits == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/b",
        "/a/b",
        "",
        "http://[a/b",
        "http:///b",
        "http://a b/c",
        "http://a:b/c",
    ],
)
def test_what_is_no_url_is_said_at_once(fetch, url):
    assert url in fetch(url=url)
    assert fetch.waits == []
    assert os.listdir(fetch.path.parent) == []


@pytest.mark.parametrize(
    "checksum", ["sha256:", "md5:" + "0" * 64, SHA, "sha1:" + "0" * 40]
)
def test_what_is_no_checksum_is_said_at_once(remote, fetch, checksum):
    assert repr(checksum) in fetch(checksum=checksum)
    assert remote.requests == []


def test_a_wrong_checksum_leaves_nothing(remote, fetch):
    (fetch.path.parent / "beside").write_text("mine")
    for algorithm, found, pinned in (
        ("sha256", SHA, ABSENT),
        ("md5", MD5, ABSENT[:32]),
    ):
        said = fetch(checksum=f"{algorithm}:{pinned}")
        assert (
            said
            == f"{remote.url}: its {algorithm} is {found}, but {pinned} was expected"
        )
    assert os.listdir(fetch.path.parent) == ["beside"]
    assert len(remote.requests) == 2


# What is there already.


@pytest.mark.parametrize("checksum", [f"sha256:{SHA}", f"md5:{MD5}", ""])
def test_a_right_file_is_not_fetched(fetch, monkeypatch, checksum):
    fetch.path.write_bytes(BODY)
    refuse_network(monkeypatch)
    assert fetch(checksum=checksum, size=len(BODY)) == SHA


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"checksum": f"sha256:{SHA}"}, SHA),
        ({"checksum": f"md5:{MD5}"}, MD5),
        ({"size": 5}, "5"),
    ],
)
def test_a_wrong_file_is_not_touched(fetch, monkeypatch, options, said):
    fetch.path.write_bytes(OTHER)
    refuse_network(monkeypatch)
    message = fetch(**options)
    assert message.startswith(f"{fetch.path}: ")
    assert f"but {said} w" in message
    assert fetch.path.read_bytes() == OTHER
    assert os.listdir(fetch.path.parent) == ["file.tar"]


def test_a_folder_in_the_way(fetch):
    fetch.path.mkdir()
    assert "no file" in fetch()
    fetch.path.with_name("file").write_text("")
    path = fetch.path.with_name("file") / "x"
    assert fetch(path=path) == f"{path}: cannot be written (File exists: {path.parent})"


def interrupted(fetch, remote, cut=100_000):
    """A call that a signal ended in the middle."""

    def stop(_):
        raise KeyboardInterrupt

    remote.plan = [{"cut": cut}]
    with pytest.raises(KeyboardInterrupt):
        fetch(wait=stop)
    assert not fetch.path.exists()
    remote.plan, remote.requests = [{}], []


def test_another_call_goes_on(remote, fetch):
    interrupted(fetch, remote)
    assert fetch(checksum=f"sha256:{SHA}") == SHA
    assert remote.ranges == ["bytes=100000-"]


def test_a_part_of_another_url_or_of_nobody_knows_what_is_thrown_away(remote, fetch):
    interrupted(fetch, remote)
    assert fetch(url=remote.url + "?other", checksum=f"sha256:{SHA}") == SHA
    for text in ("", "[1]", "{}", '{"url": "'):
        fetch.path.unlink()
        fetch.part.write_bytes(OTHER[:1000])
        fetch.part.with_name("file.tar.part.json").write_text(text)
        assert fetch(checksum=f"sha256:{SHA}") == SHA
    assert remote.ranges == [None] * 5


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_part_that_is_whole_needs_no_request(remote, fetch, monkeypatch, size):
    interrupted(fetch, remote)
    fetch.part.write_bytes(BODY)
    refuse_network(monkeypatch)
    assert fetch(size=size) == SHA


def test_a_part_longer_than_the_file_starts_over(remote, fetch):
    interrupted(fetch, remote)
    fetch.part.write_bytes(BODY + b"!")
    assert fetch() == SHA
    assert remote.ranges == ["bytes=300001-", None]


# The disk.


def test_a_full_disk_is_said_before_a_byte_is_written(remote, fetch, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 299_999))
    assert re.search(r"needs 300kB on the disk of .*, which has 300kB free", fetch())
    assert fetch.waits == []
    assert os.listdir(fetch.path.parent) == []
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 300_000))
    assert fetch() == SHA


def test_only_the_rest_must_fit(remote, fetch, monkeypatch):
    usage = namedtuple("usage", "total used free")
    interrupted(fetch, remote)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 200_000))
    assert fetch() == SHA


def test_a_disk_that_takes_no_more_is_one_line_and_no_broken_connection(remote, fetch):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        said = fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said == f"{fetch.part}: cannot be written (File too large)"
    assert fetch.waits == []
    assert not fetch.path.exists()
    assert fetch() == SHA
    assert remote.ranges == [None, "bytes=100000-"]


# Two at once.


@pytest.mark.process
def test_two_processes_fetch_once(remote, fetch, tmp_path):
    event = threading.Event()
    remote.plan = [{"pause": event}, {}]
    code = (
        "import sys; from stockpot.datasets.downloads.transfer import download; "
        "print(download(sys.argv[1], sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, remote.url, str(fetch.path)]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    threading.Timer(0.6, event.set).start()
    assert [
        process.communicate(timeout=300)[0].decode().strip() for process in both
    ] == [SHA] * 2
    assert len(remote.requests) == 1
    assert os.listdir(tmp_path) == ["file.tar"]


@pytest.mark.parametrize("locks", [True, False])
def test_many_threads_get_the_file_whole(remote, fetch, tmp_path, monkeypatch, locks):
    def none(*_):
        raise OSError(38, "Function not implemented")

    if not locks:
        monkeypatch.setattr(part.fcntl, "flock", none)
    remote.plan, found = [{"cut": 100_000}, {}], []

    def one():
        found.append(download(remote.url, fetch.path, wait=lambda _: None))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SHA] * 6
    assert fetch.path.read_bytes() == BODY
    assert os.listdir(tmp_path) == ["file.tar"]
    assert not locks or len(remote.requests) == 2


def test_one_that_waited_for_a_failure_starts_with_a_file_of_its_own(
    remote, fetch, caplog
):
    caplog.set_level(logging.INFO)
    event, found = threading.Event(), []
    remote.plan = [{"pause": event}, {}]
    for checksum, ready in (
        (ABSENT, lambda: remote.requests),
        (SHA, lambda: "waiting for a process that is still at" in caplog.text),
    ):
        job = partial(lambda c: found.append(fetch(checksum=f"sha256:{c}")), checksum)
        threading.Thread(target=job).start()
        wait_until(ready)
    event.set()
    wait_until(lambda: len(found) == 2)
    assert "was expected" in found[0]
    assert found[1] == SHA


def wait_until(ready):
    end = time.monotonic() + 300
    while not ready() and time.monotonic() < end:
        time.sleep(0.005)


def test_a_disk_that_takes_a_block_in_pieces(tmp_path):
    with part.locked_partial_file(tmp_path / "x", {"sha256"}) as made:
        made.restart({})
        with made.file as file:
            made.file = SimpleNamespace(write=lambda rest: file.write(rest[:70_000]))
            made.append(BODY)
        assert made.digests() == {"sha256": SHA}
        assert made.size == len(BODY)
        assert made.path.read_bytes() == BODY


def test_without_locks_nothing_is_left_of_a_failure(
    remote, fetch, tmp_path, monkeypatch
):
    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(part.fcntl, "flock", none)
    remote.plan = [{"cut": 100_000}, {"cut": 0}]
    assert "broke off" in fetch(retries=0)
    assert os.listdir(tmp_path) == []


# Files of this machine, and progress.


def test_file_urls(fetch, tmp_path):
    source = tmp_path / "sources" / "a file.bin"
    source.parent.mkdir()
    source.write_bytes(BODY)
    target = tmp_path / "made" / "file"
    assert download(source.as_uri(), target, f"md5:{MD5}", len(BODY)) == SHA
    assert target.read_bytes() == BODY
    assert os.listdir(target.parent) == ["file"]
    for url in ("file:///nowhere/at/all", source.parent.as_uri()):
        said = fetch(url=url)
        assert said.startswith(f"{url}: cannot be reached (")
        assert fetch.waits == []


def test_progress_is_a_line_of_the_log_every_few_seconds(caplog):
    caplog.set_level(logging.INFO)
    clock = iter([0, 5, 10, 11, 30, 40, 41, 50])
    with Progress("file", clock=lambda: next(clock)) as shown:
        for done in (1e6, 2e6, 21e6, 22e6, 31e6, 5e6, 6e6):
            shown.show(done, 101e6)
        shown.show(15e6)
    assert caplog.messages == [
        "file: 21.0MB of 101MB, 2.00MB/s, 00:40 left",
        "file: 31.0MB of 101MB, 500kB/s, 02:20 left",
        "file: 15.0MB, 1.00MB/s",
    ]


def test_progress_is_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("file") as shown:
        for done in (50, 10, 100):
            shown.show(done, 200)
        assert shown.bar.n == 100
        assert shown.bar.initial == 50
    assert "file:  50%" in capsys.readouterr().err


def test_a_download_shows_its_progress(remote, fetch, monkeypatch):
    shown = []
    monkeypatch.setattr(progress.Progress, "show", lambda self, *at: shown.append(at))
    remote.plan = [{"cut": 100_000}, {}]
    assert fetch() == SHA
    assert shown[-1] == (300_000, 300_000)
    assert (100_000, 300_000) in shown


# Servers and folders that mean harm.


@pytest.mark.parametrize("suffix", [".part", ".part.json"])
def test_nothing_is_written_through_a_link(remote, fetch, tmp_path_factory, suffix):
    """In a folder of many users, a link of one of them could lead into any file of another."""
    victim = tmp_path_factory.mktemp("theirs") / "victim"
    victim.write_text("precious")
    fetch.path.with_name(f"{fetch.path.name}{suffix}").symlink_to(victim)
    remote.plan = [{"cut": 1000}, {}]
    found = fetch()
    assert victim.read_text() == "precious"
    if suffix == ".part":
        assert "a link is in the way" in found
        assert not fetch.path.exists()
    else:
        assert found == SHA
        assert not fetch.path.is_symlink()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_part_that_is_no_file_is_said(remote, fetch, make):
    make(fetch.path.with_name(f"{fetch.path.name}.part"))
    assert fetch.path.name in fetch()
    assert not fetch.path.exists()


def test_a_target_that_is_a_dangling_link_is_replaced_and_not_followed(
    remote, fetch, tmp_path
):
    fetch.path.symlink_to(tmp_path / "elsewhere")
    assert fetch() == SHA
    assert not (tmp_path / "elsewhere").exists()
    assert not fetch.path.is_symlink()


@pytest.mark.parametrize(
    "card", [b"", b"[]", b"{", b'{"url": 1}', b"\xff", b"[" * 100_000]
)
def test_a_note_beside_a_part_that_is_damaged_begins_anew(remote, fetch, card):
    part_file = fetch.path.with_name(f"{fetch.path.name}.part")
    part_file.write_bytes(OTHER[:1000])
    part_file.with_name(f"{part_file.name}.json").write_bytes(card)
    assert fetch() == SHA
    assert remote.ranges == [None]


@pytest.mark.parametrize(
    "length", ["-5", "+300000", "3e5", "300_000", " ", "٣٠", "1" * 30]
)
def test_lengths_that_are_none_are_refused(remote, fetch, length):
    remote.plan = [{"said": length.encode("utf-8").decode("latin-1")}]
    assert "its length is said to be" in fetch()
    assert fetch.waits == []
    assert not fetch.path.exists()


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "deflate, gzip"])
def test_what_nobody_asked_to_be_packed_is_refused(remote, fetch, coding):
    remote.plan = [{"etag": f'"1"\r\nContent-Encoding: {coding}'}]
    assert "packed" in fetch()
    assert not fetch.path.exists()
    assert remote.requests[0].get("Accept-Encoding") in (None, "identity")


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
@pytest.mark.parametrize("name", ["file.tar.gz", "file.tgz", "file.tar"])
def test_the_compression_of_the_file_itself_is_no_packing(remote, fetch, coding, name):
    remote.plan = [{"etag": f'"1"\r\nContent-Encoding: {coding}'}]
    url = remote.url.replace("file.tar", name)
    assert fetch(url=url, checksum=f"sha256:{SHA}" if name == "file.tar" else "") == SHA


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https", "http://x/y"),
        ("http", "ftp://x/y"),
        ("https", "ftp://x/y"),
        ("http", "file:///e"),
    ],
)
def test_redirects_lead_to_no_weaker_scheme(before, after):
    request = Request(f"{before}://example.org/file")
    with pytest.raises(HTTPError) as caught:
        connections._Redirects().redirect_request(
            request, None, 302, "Found", {}, after
        )
    assert "which is not followed" in str(caught.value)
    for same in ("https://x/y", before + "://x/y"):
        assert connections._Redirects().redirect_request(
            request, None, 302, "Found", {}, same
        )


def test_what_a_server_says_has_no_control_characters(
    remote, fetch, monkeypatch, caplog
):
    def shout(*_, **__):
        raise HTTPError(
            "http://x", 500, "\x1b[2J\x07bad\u202e" + "x" * 5000, Message(), None
        )

    monkeypatch.setattr(module, "urlopen", shout)
    caplog.set_level("INFO")
    said = fetch()
    assert "bad" in said
    assert len(said) < 500
    for text in (said, caplog.text):
        assert not any(mark in text for mark in ("\x1b", "\x07", "\u202e"))


def test_a_name_with_control_characters_is_shown_without(remote, fetch, monkeypatch):
    names = []
    monkeypatch.setattr(
        module, "Progress", lambda name: (names.append(name), Progress(name))[1]
    )
    fetch(url=remote.url.replace("file.tar", "a%1b/\x1b[2Jfile.tar"))
    assert all("\x1b" not in name for name in names)


class Drip(threading.Thread):
    """A server that sends bytes one at a time: of its head, or of its body."""

    def __init__(self, head: bytes, wait: float):
        super().__init__(daemon=True)
        self.head, self.wait, self.over = head, wait, threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/file"
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                connection, _ = self.socket.accept()
                connection.recv(1000)
                connection.sendall(self.head)
                while not self.over.wait(self.wait):
                    connection.sendall(b"x")
            except OSError:
                pass


HEADS = {
    "in the head": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "in the body": b"HTTP/1.1 200 OK\r\n\r\n",
    "in the length of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_server_that_drips_is_left(fetch, head, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Drip(head, 0.02)
    try:
        assert "less than 1000 bytes a second" in fetch(
            url=server.url, timeout=0.15, retries=1
        )
        assert len(fetch.waits) == 1
    finally:
        server.over.set()
        server.socket.close()


def test_a_server_that_always_brings_a_byte_is_left(remote, fetch, monkeypatch):
    monkeypatch.setattr(module, "MAX_ATTEMPTS", 7)
    remote.plan = [{"cut": 1}]
    assert "gave up after 7 attempts" in fetch()
    assert len(remote.requests) == 7


def test_a_file_without_a_length_or_an_end_is_left(remote, fetch, monkeypatch):
    monkeypatch.setattr(module, "MAX_UNKNOWN_LENGTH", 200_000)
    remote.plan = [{"length": False}]
    assert "length the server does not say" in fetch()
    monkeypatch.setattr(module, "MAX_UNKNOWN_LENGTH", 300_000)
    assert fetch() == SHA


def test_a_pipe_or_a_device_is_no_file_to_fetch(fetch, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        assert "not a file" in fetch(url=f"file://{path}")
