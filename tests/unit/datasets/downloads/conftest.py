"""Fixtures that several test files of this folder share."""

import hashlib
import os
import threading
from functools import partial
from http.server import ThreadingHTTPServer

import pytest

from stockpot.datasets.downloads import fetch as fetch_module
from stockpot.datasets.downloads.transfer import download
from stockpot.runtime.errors import StockpotError
from tests.support.archive_site import ArchiveHandler, Site, archive_entry, spec_of
from tests.support.misbehaving_server import Handler, Remote


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(
        fetch_module, "download", partial(download, wait=lambda _: None)
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), ArchiveHandler) as server:
        server.site = Site(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()


@pytest.fixture
def three_archives(site, tmp_path):
    """Two archives and a plain file, each into a folder of its own."""
    return spec_of(
        tmp_path / "own",
        archive_entry(site, "/a/train.tar.gz", "train"),
        archive_entry(site, "/a/test.zip", "deep/test"),
        archive_entry(site, "/b/labels.txt", "meta"),
    )


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
def fetch_file(remote, tmp_path):
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


@pytest.fixture
def target_folder(tmp_path):
    """Folders with files that nobody may touch around the folder to unpack to."""
    for name in ("canary", "work/canary", "work/deep/canary"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path
