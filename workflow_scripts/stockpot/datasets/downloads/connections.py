"""Connections to servers that may be slow or hostile."""

import socket
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
    url2pathname,
)

from ...runtime.regular_files import open_regular

LEAST_RATE = 1000  # bytes per second


class Pace:
    """Breaks the connections of a block that bring less than ``LEAST_RATE``.

    A server that sends a byte now and then never lets a time limit between two bytes pass.
    """

    def __init__(self, seconds: float):
        """seconds: over which the rate is measured."""
        self.seconds, self.received, self.too_slow = seconds, 0, False
        self.sockets: list[socket.socket] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Pace":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = 0
        while not self._over.wait(self.seconds):
            if self.received - before < LEAST_RATE * self.seconds:
                self.too_slow = True
                for connected in self.sockets:
                    with suppress(
                        OSError
                    ):  # that of a TLS connection too, below its own layer
                        socket.socket.shutdown(connected, socket.SHUT_RDWR)
                return
            before = self.received


class _Redirects(HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, url):
        before, after = request.type, urlsplit(url).scheme
        if after not in ("http", "https") or (before, after) == ("https", "http"):
            reason = f"a redirect from {before} to {after or 'nowhere'}, which is not followed"
            raise HTTPError(request.full_url, code, reason, headers, file)
        return super().redirect_request(request, file, code, message, headers, url)


def urlopen(request: Request, timeout: float, pace: Pace):
    """As urllib's, with sockets that ``pace`` may break. Redirects to other schemes than http and
    https, or from https to http, are not followed; of files regular ones alone are opened."""
    if request.type == "file":
        open_regular(url2pathname(urlsplit(request.full_url).path)).close()

    class Plain(HTTPConnection):
        def connect(self):
            super().connect()
            pace.sockets.append(self.sock)

    class Encrypted(HTTPSConnection):
        def connect(self):
            super().connect()
            pace.sockets.append(self.sock)

    class PlainHandler(HTTPHandler):
        def http_open(self, request):
            return self.do_open(Plain, request)

    class EncryptedHandler(HTTPSHandler):
        def https_open(self, request):
            return self.do_open(Encrypted, request)

    opener = build_opener(PlainHandler, EncryptedHandler, _Redirects)
    return opener.open(request, timeout=timeout)
