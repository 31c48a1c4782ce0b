"""A server on this machine that misbehaves in every way a server can."""

import hashlib
import random
import re
from http.server import BaseHTTPRequestHandler

from stockpot.datasets.downloads import transfer

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


def refuse_network(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("a request")

    monkeypatch.setattr(transfer, "urlopen", fail)
