"""Connections to servers that may be slow or hostile.

``urlopen`` is urllib's with three differences: a connection that brings too little is broken,
redirects to a weaker scheme are not followed, and file URLs open only regular files.
"""

import socket
import threading
from contextlib import suppress
from email.message import Message
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import IO
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

MIN_RATE = 1000  # bytes per second


class SlowConnectionGuard:
    """Breaks the connections of a block that bring less than ``MIN_RATE``.

    A server that sends a byte now and then never lets a time limit between two bytes pass.

    Attributes:
        seconds: Over which the rate is measured.
        received: Bytes so far; whoever reads from the connections counts them here.
        too_slow: Were the connections broken?
        sockets: Those of the connections.
    """

    def __init__(self, seconds: float):
        """Prepare a guard; it begins with the block.

        Args:
            seconds: Over which the rate is measured.
        """
        self.seconds = seconds
        self.received = 0
        self.too_slow = False
        self.sockets: list[socket.socket] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "SlowConnectionGuard":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        received_before = 0
        # wait() returns False when the time is over, True when the block is.
        while not self._is_over.wait(self.seconds):
            if self.received - received_before < MIN_RATE * self.seconds:
                self.too_slow = True
                self._break_connections()
                return
            received_before = self.received

    def _break_connections(self) -> None:
        """Make every read of the connections fail, in whatever thread it waits."""
        for connected in self.sockets:
            with suppress(OSError):
                # The method of the plain socket, which works below the layer of TLS.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, except those to a weaker scheme."""

    def redirect_request(
        self,
        request: Request,
        file: IO[bytes],
        code: int,
        message: str,
        headers: Message,
        url: str,
    ) -> Request | None:
        """Answer a redirect, as urllib asks.

        Args:
            request: The request that was redirected.
            file: Body of the answer.
            code: Its status.
            message: Its reason.
            headers: Its headers.
            url: Where it leads.

        Returns:
            The new request, or None.

        Raises:
            HTTPError: It leads to another scheme than http and https, or from https to http.
        """
        old_scheme = request.type
        new_scheme = urlsplit(url).scheme
        is_weaker = old_scheme == "https" and new_scheme == "http"
        if is_weaker or new_scheme not in ("http", "https"):
            reason = (
                f"a redirect from {old_scheme} to {new_scheme or 'nowhere'}, "
                "which is not followed"
            )
            raise HTTPError(request.full_url, code, reason, headers, file)
        return super().redirect_request(request, file, code, message, headers, url)


def urlopen(
    request: Request, timeout: float, guard: SlowConnectionGuard
) -> HTTPResponse:
    """Open a URL as urllib does, with sockets that ``guard`` may break.

    Args:
        request: What to ask for.
        timeout: Seconds without a byte after which a connection counts as dropped.
        guard: Is told of every socket.

    Returns:
        The response.

    Raises:
        OSError: As urllib's, and for a redirect or a file that must not be opened.
    """
    if request.type == "file":
        # Opened once to refuse pipes and devices, which urllib would read from.
        open_regular(url2pathname(urlsplit(request.full_url).path)).close()

    opener = build_opener(
        _GuardedHandler(guard),
        _GuardedTLSHandler(guard),
        _Redirects,
    )
    return opener.open(request, timeout=timeout)


# urllib opens http and https URLs through handlers, which make the connections.


class _GuardedHandler(HTTPHandler):
    """Opens http URLs."""

    def __init__(self, guard: SlowConnectionGuard):
        super().__init__()
        self.guard = guard

    def http_open(self, request: Request) -> HTTPResponse:
        """Open a URL, as urllib asks.

        Args:
            request: What to ask for.

        Returns:
            The response.
        """
        return self.do_open(_guarded(HTTPConnection, self.guard), request)


class _GuardedTLSHandler(HTTPSHandler):
    """Opens https URLs."""

    def __init__(self, guard: SlowConnectionGuard):
        super().__init__()
        self.guard = guard

    def https_open(self, request: Request) -> HTTPResponse:
        """Open a URL, as urllib asks.

        Args:
            request: What to ask for.

        Returns:
            The response.
        """
        return self.do_open(_guarded(HTTPSConnection, self.guard), request)


def _guarded(
    connection_class: type[HTTPConnection], guard: SlowConnectionGuard
) -> type[HTTPConnection]:
    """A class of connections that hand their socket to a guard."""

    class Guarded(connection_class):
        def connect(self) -> None:
            """Connect, and hand the socket to the guard.

            Raises:
                OSError: The server cannot be reached.
            """
            super().connect()
            guard.sockets.append(self.sock)

    return Guarded
