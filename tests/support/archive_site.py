"""A server that has two archives and a file, and what a folder has that was fetched from it."""

import hashlib
import io
import os
import tarfile
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

NOTE = ".fetched.json"


def tar(files, mode="gz"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{mode}") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


TRAIN, TEST = {"ball/1.png": "1", "moon/2.png": "2"}, {"ball/3.png": "3"}
LABELS = b"ball 0\n"

BODIES = {
    "/a/train.tar.gz": tar(TRAIN),
    "/a/test.zip": zipped(TEST),
    "/b/labels.txt": LABELS,
}


class Site:
    """What a server has; broken: paths whose connections are cut once, after 20 bytes."""

    def __init__(self, url):
        self.url, self.bodies, self.asked, self.broken = url, dict(BODIES), [], set()


class ArchiveHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.asked.append(self.path)
        body = site.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"
            )
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cut = self.path in site.broken
        site.broken.discard(self.path)
        self.wfile.write(body[start : start + 20] if cut else body[start:])
        self.close_connection = True

    def log_message(self, *_):
        pass


def archive_entry(site, path, into="", checksum=None):
    body = BODIES[path]
    pinned = f"sha256:{sha(path)}" if checksum is None else checksum
    return {"url": site.url + path, "checksum": pinned, "size": len(body), "into": into}


def sha(path):
    return hashlib.sha256(BODIES[path]).hexdigest()


def spec_of(folder, *archives, mirror=""):
    return {"path": str(folder), "archives": list(archives), "mirror": mirror}


def texts_below(folder):
    """Path -> text of all files below, but for the note."""
    files = [
        path for path in Path(folder).rglob("*") if path.is_file() and path.name != NOTE
    ]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def texts_in(folder, files):
    return {f"{folder}/{name}": text for name, text in files.items()}


WHOLE = (
    texts_in("train", TRAIN)
    | texts_in("deep/test", TEST)
    | {"meta/labels.txt": LABELS.decode()}
)

HASHES = {path.rpartition("/")[2]: sha(path) for path in BODIES}


def only_the_folder_is_left(tmp_path):
    return os.listdir(tmp_path) == ["own"]
