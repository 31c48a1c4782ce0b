"""Tests connections to servers that are slow or hostile."""

import socket
import ssl
import threading
from urllib.error import HTTPError, URLError
from urllib.request import Request

import pytest

from stockpot.datasets.downloads import connections, transfer
from tests.support.misbehaving_server import SHA


def test_a_server_that_stalls_counts_as_broken(remote, fetch_file):
    event = threading.Event()
    remote.plan = [{"pause": event}, {}]
    assert fetch_file(timeout=1) == SHA
    event.set()
    assert remote.ranges == [None, "bytes=150000-"]


def test_a_redirection_is_followed_and_a_circle_is_one_line(remote, fetch_file):
    remote.plan = [{"status": 302, "headers": {"Location": remote.url + "/there"}}, {}]
    assert fetch_file() == SHA
    fetch_file.path.unlink()
    remote.plan = [{"status": 302, "headers": {"Location": remote.url}}]
    assert "answers 302" in fetch_file()


def test_a_certificate_that_is_not_trusted_is_not_asked_again(fetch_file, monkeypatch):
    def distrust(*_, **__):
        raise URLError(ssl.SSLCertVerificationError("self-signed"))

    monkeypatch.setattr(transfer, "urlopen", distrust)
    assert "self-signed" in fetch_file(url="https://127.0.0.1/x")
    assert fetch_file.waits == []


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
def test_a_server_that_drips_is_left(fetch_file, head, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Drip(head, 0.02)
    try:
        assert "less than 1000 bytes a second" in fetch_file(
            url=server.url, timeout=0.15, retries=1
        )
        assert len(fetch_file.waits) == 1
    finally:
        server.over.set()
        server.socket.close()


def test_a_server_that_always_brings_a_byte_is_left(remote, fetch_file, monkeypatch):
    monkeypatch.setattr(transfer, "MAX_ATTEMPTS", 7)
    remote.plan = [{"cut": 1}]
    assert "gave up after 7 attempts" in fetch_file()
    assert len(remote.requests) == 7
