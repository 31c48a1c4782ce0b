"""Tests downloads: a file that is whole and as it was wanted, or one line that says why not."""

import hashlib
import logging
import os
from email.message import Message
from urllib.error import HTTPError

import pytest

from stockpot.datasets.downloads import transfer
from stockpot.datasets.downloads.progress import Progress
from stockpot.datasets.downloads.transfer import download
from tests.support.misbehaving_server import (
    ABSENT,
    BODY,
    MD5,
    OTHER,
    SHA,
    refuse_network,
)


@pytest.mark.parametrize(
    "checksum", [f"sha256:{SHA}", f"md5:{MD5}", f"sha256:{SHA.upper()}", ""]
)
@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_file_arrives_whole(remote, fetch_file, checksum, size):
    assert fetch_file(checksum=checksum, size=size) == SHA
    assert fetch_file.path.read_bytes() == BODY
    assert remote.ranges == [None]
    assert fetch_file.waits == []


def test_folders_are_made_and_no_coding_is_asked_for(remote, tmp_path):
    path = tmp_path / "a" / "b" / "file"
    assert download(remote.url, path) == SHA
    assert remote.requests[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("size", [0, 5])
def test_an_empty_file_arrives_if_none_of_another_size_is_expected(
    remote, fetch_file, size
):
    remote.plan = [{"body": b""}]
    if size:
        assert "it has 0 bytes, but 5 were expected" in fetch_file(size=size, retries=0)
    else:
        assert fetch_file(size=size) == hashlib.sha256().hexdigest()


def test_the_sha256_is_told_where_none_is_pinned(fetch_file, caplog):
    caplog.set_level(logging.INFO)
    fetch_file(checksum=f"sha256:{SHA}")
    assert "sha256" not in caplog.text
    fetch_file()
    assert f"sha256:{SHA}" in caplog.text


@pytest.mark.parametrize("length", [True, False])
def test_a_file_of_another_size_is_no_file(remote, fetch_file, length):
    remote.plan = [{"length": length, "body": BODY[: 200_001 + i]} for i in range(9)]
    said = fetch_file(size=200_000, retries=2)
    assert "200000 " in said
    assert "2 more attempts" in said
    assert len(remote.requests) == 3
    assert os.listdir(fetch_file.path.parent) == []


@pytest.mark.parametrize(
    ("status", "name"), [(404, "Not Found"), (403, "Forbidden"), (416, "R")]
)
def test_what_will_not_pass_is_said_at_once(remote, fetch_file, status, name):
    remote.plan = [{"status": status}]
    assert fetch_file().startswith(f"{remote.url}: the server answers {status} {name}")
    assert len(remote.requests) == 1
    assert fetch_file.waits == []
    assert os.listdir(fetch_file.path.parent) == []


def test_an_answer_without_a_file_makes_none(remote, fetch_file):
    remote.plan = [{"status": 204}]
    assert "answers 204, not 200" in fetch_file()
    assert not fetch_file.path.exists()


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
def test_what_is_no_url_is_said_at_once(fetch_file, url):
    assert url in fetch_file(url=url)
    assert fetch_file.waits == []
    assert os.listdir(fetch_file.path.parent) == []


@pytest.mark.parametrize(
    "checksum", ["sha256:", "md5:" + "0" * 64, SHA, "sha1:" + "0" * 40]
)
def test_what_is_no_checksum_is_said_at_once(remote, fetch_file, checksum):
    assert repr(checksum) in fetch_file(checksum=checksum)
    assert remote.requests == []


def test_a_wrong_checksum_leaves_nothing(remote, fetch_file):
    (fetch_file.path.parent / "beside").write_text("mine")
    for algorithm, found, pinned in (
        ("sha256", SHA, ABSENT),
        ("md5", MD5, ABSENT[:32]),
    ):
        said = fetch_file(checksum=f"{algorithm}:{pinned}")
        assert (
            said
            == f"{remote.url}: its {algorithm} is {found}, but {pinned} was expected"
        )
    assert os.listdir(fetch_file.path.parent) == ["beside"]
    assert len(remote.requests) == 2


# What is there already.


@pytest.mark.parametrize("checksum", [f"sha256:{SHA}", f"md5:{MD5}", ""])
def test_a_right_file_is_not_fetched(fetch_file, monkeypatch, checksum):
    fetch_file.path.write_bytes(BODY)
    refuse_network(monkeypatch)
    assert fetch_file(checksum=checksum, size=len(BODY)) == SHA


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"checksum": f"sha256:{SHA}"}, SHA),
        ({"checksum": f"md5:{MD5}"}, MD5),
        ({"size": 5}, "5"),
    ],
)
def test_a_wrong_file_is_not_touched(fetch_file, monkeypatch, options, said):
    fetch_file.path.write_bytes(OTHER)
    refuse_network(monkeypatch)
    message = fetch_file(**options)
    assert message.startswith(f"{fetch_file.path}: ")
    assert f"but {said} w" in message
    assert fetch_file.path.read_bytes() == OTHER
    assert os.listdir(fetch_file.path.parent) == ["file.tar"]


def test_a_folder_in_the_way(fetch_file):
    fetch_file.path.mkdir()
    assert "this is not a file" in fetch_file()
    fetch_file.path.with_name("file").write_text("")
    path = fetch_file.path.with_name("file") / "x"
    assert (
        fetch_file(path=path)
        == f"{path}: cannot be written (File exists: {path.parent})"
    )


# Files of this machine.


def test_file_urls(fetch_file, tmp_path):
    source = tmp_path / "sources" / "a file.bin"
    source.parent.mkdir()
    source.write_bytes(BODY)
    target = tmp_path / "made" / "file"
    assert download(source.as_uri(), target, f"md5:{MD5}", len(BODY)) == SHA
    assert target.read_bytes() == BODY
    assert os.listdir(target.parent) == ["file"]
    for url in ("file:///nowhere/at/all", source.parent.as_uri()):
        said = fetch_file(url=url)
        assert said.startswith(f"{url}: cannot be reached (")
        assert fetch_file.waits == []


def test_a_target_that_is_a_dangling_link_is_replaced_and_not_followed(
    remote, fetch_file, tmp_path
):
    fetch_file.path.symlink_to(tmp_path / "elsewhere")
    assert fetch_file() == SHA
    assert not (tmp_path / "elsewhere").exists()
    assert not fetch_file.path.is_symlink()


@pytest.mark.parametrize(
    "length", ["-5", "+300000", "3e5", "300_000", " ", "٣٠", "1" * 30]
)
def test_lengths_that_are_none_are_refused(remote, fetch_file, length):
    remote.plan = [{"said": length.encode("utf-8").decode("latin-1")}]
    assert "its length is said to be" in fetch_file()
    assert fetch_file.waits == []
    assert not fetch_file.path.exists()


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "deflate, gzip"])
def test_what_nobody_asked_to_be_packed_is_refused(remote, fetch_file, coding):
    remote.plan = [{"etag": f'"1"\r\nContent-Encoding: {coding}'}]
    assert "packed" in fetch_file()
    assert not fetch_file.path.exists()
    assert remote.requests[0].get("Accept-Encoding") in (None, "identity")


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
@pytest.mark.parametrize("name", ["file.tar.gz", "file.tgz", "file.tar"])
def test_the_compression_of_the_file_itself_is_no_packing(
    remote, fetch_file, coding, name
):
    remote.plan = [{"etag": f'"1"\r\nContent-Encoding: {coding}'}]
    url = remote.url.replace("file.tar", name)
    assert (
        fetch_file(url=url, checksum=f"sha256:{SHA}" if name == "file.tar" else "")
        == SHA
    )


def test_what_a_server_says_has_no_control_characters(
    remote, fetch_file, monkeypatch, caplog
):
    def shout(*_, **__):
        raise HTTPError(
            "http://x", 500, "\x1b[2J\x07bad\u202e" + "x" * 5000, Message(), None
        )

    monkeypatch.setattr(transfer, "urlopen", shout)
    caplog.set_level("INFO")
    said = fetch_file()
    assert "bad" in said
    assert len(said) < 500
    for text in (said, caplog.text):
        assert not any(mark in text for mark in ("\x1b", "\x07", "\u202e"))


def test_a_name_with_control_characters_is_shown_without(
    remote, fetch_file, monkeypatch
):
    names = []
    monkeypatch.setattr(
        transfer, "Progress", lambda name: (names.append(name), Progress(name))[1]
    )
    fetch_file(url=remote.url.replace("file.tar", "a%1b/\x1b[2Jfile.tar"))
    assert all("\x1b" not in name for name in names)


def test_a_file_without_a_length_or_an_end_is_left(remote, fetch_file, monkeypatch):
    monkeypatch.setattr(transfer, "MAX_UNKNOWN_LENGTH", 200_000)
    remote.plan = [{"length": False}]
    assert "length the server does not say" in fetch_file()
    monkeypatch.setattr(transfer, "MAX_UNKNOWN_LENGTH", 300_000)
    assert fetch_file() == SHA


def test_a_pipe_or_a_device_is_no_file_to_fetch(fetch_file, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        assert "not a file" in fetch_file(url=f"file://{path}")
