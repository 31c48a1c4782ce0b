"""A published data set is fetched and prepared when a study that asks for it runs."""

import re
import shutil
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.workflow import copy_project, write_images

SOURCE = """
from pathlib import Path

from . import Archive, Source
from ._options import Download, Encoded


class Options(Encoded, Download):
    path: str


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(url="http://nowhere.invalid/a/one.tar.gz", checksum="", size=None, into=""),
        Archive(url="http://nowhere.invalid/b/two.tar.gz", checksum="", size=None, into=""),
    ),
)

def classes(entry, locate):
    return ["ball", "moon"]

def counts(entry, locate):
    return [2, 2]

def identity(entry, locate):
    return ""

def facts(entry, locate, key):
    return {}

def prepare(spec):
    from .folder import prepare
    return prepare(spec)
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A server of this machine with two archives of one class each; what it was asked for."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    write_images(tmp_path / "images")
    (tmp_path / "site").mkdir()
    for archive, label in (("one", "ball"), ("two", "moon")):
        with tarfile.open(tmp_path / f"site/{archive}.tar.gz", "w:gz") as made:
            made.add(tmp_path / "images" / label, label)
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

        def log_message(self, *_):
            pass

    served = partial(Handler, directory=tmp_path / "site")
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def made(study, url, source=SOURCE):
    """The study with a published set, and the card of that."""
    (study.folder / "workflow_scripts/stockpot/datasets/sources/tiny.py").write_text(
        source
    )

    def add(config):
        config["datasets"]["own"] = {
            "source": "tiny",
            "path": "data/tiny",
            "download": url,
        }

    study.edit(add)
    planned = study.snakemake("--summary").stdout
    (card,) = set(re.findall(r"results/datasets/own-[^/]+/dataset\.json", planned))
    return study, card


def test_a_published_set_is_fetched_once(site, warm, tmp_path):
    url, asked = site
    study, card = made(warm(copy_project(tmp_path / "study")), url)
    assert study.run(card)[0] == {"fetch_dataset": 1, "prepare_dataset": 1}
    assert asked == ["/one.tar.gz", "/two.tar.gz"]
    images = list((study.folder / "data/tiny").rglob("*.png"))
    assert {path.parent.name for path in images} == {"ball", "moon"}
    assert len(images) == 4
    assert '"n": 4' in (study.folder / card).read_text()
    assert not study.run(card)[0], "nothing is to be done"
    assert len(asked) == 2
    assert not (study.folder / "data/tiny.downloads").exists()

    shutil.rmtree(study.folder / "data/tiny")
    assert not study.run(card)[0], "what is prepared needs it no longer"
    (study.folder / card).unlink()
    assert study.run(card)[0] == {"prepare_dataset": 1}
    assert len(asked) == 4, "what is to be prepared again is fetched again"
    assert '"n": 4' in (study.folder / card).read_text()
    assert not study.run(card)[0]


def test_a_wrong_hash_costs_one_download(site, warm, tmp_path):
    url, asked = site
    wrong = SOURCE.replace('checksum=""', f'checksum="md5:{"0" * 32}"')
    study, card = made(warm(copy_project(tmp_path / "study")), url, wrong)
    done = study.snakemake("--cores", "2", card, check=False)
    assert done.returncode
    assert "error: " in done.stdout + done.stderr
    assert asked == ["/one.tar.gz"]
