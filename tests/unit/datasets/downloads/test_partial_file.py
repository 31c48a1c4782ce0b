"""Tests the file beside the target that a download writes to, and those who share it."""

import logging
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections import namedtuple
from functools import partial
from types import SimpleNamespace

import pytest

from stockpot.datasets import disk
from stockpot.datasets.downloads import partial_file
from stockpot.datasets.downloads.transfer import download
from tests.support.misbehaving_server import ABSENT, BODY, OTHER, SHA, refuse_network
from tests.support.paths import SCRIPTS


def interrupt_a_fetch(fetch_file, remote, cut=100_000):
    """A call that a signal ended in the middle."""

    def stop(_):
        raise KeyboardInterrupt

    remote.plan = [{"cut": cut}]
    with pytest.raises(KeyboardInterrupt):
        fetch_file(wait=stop)
    assert not fetch_file.path.exists()
    remote.plan, remote.requests = [{}], []


def test_another_call_goes_on(remote, fetch_file):
    interrupt_a_fetch(fetch_file, remote)
    assert fetch_file(checksum=f"sha256:{SHA}") == SHA
    assert remote.ranges == ["bytes=100000-"]


def test_a_part_of_another_url_or_of_nobody_knows_what_is_thrown_away(
    remote, fetch_file
):
    interrupt_a_fetch(fetch_file, remote)
    assert fetch_file(url=remote.url + "?other", checksum=f"sha256:{SHA}") == SHA
    for text in ("", "[1]", "{}", '{"url": "'):
        fetch_file.path.unlink()
        fetch_file.part.write_bytes(OTHER[:1000])
        fetch_file.part.with_name("file.tar.part.json").write_text(text)
        assert fetch_file(checksum=f"sha256:{SHA}") == SHA
    assert remote.ranges == [None] * 5


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_part_that_is_whole_needs_no_request(remote, fetch_file, monkeypatch, size):
    interrupt_a_fetch(fetch_file, remote)
    fetch_file.part.write_bytes(BODY)
    refuse_network(monkeypatch)
    assert fetch_file(size=size) == SHA


def test_a_part_longer_than_the_file_starts_over(remote, fetch_file):
    interrupt_a_fetch(fetch_file, remote)
    fetch_file.part.write_bytes(BODY + b"!")
    assert fetch_file() == SHA
    assert remote.ranges == ["bytes=300001-", None]


# The disk.


def test_a_full_disk_is_said_before_a_byte_is_written(remote, fetch_file, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 299_999))
    assert re.search(
        r"needs 300kB on the disk of .*, which has 300kB free", fetch_file()
    )
    assert fetch_file.waits == []
    assert os.listdir(fetch_file.path.parent) == []
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 300_000))
    assert fetch_file() == SHA


def test_only_the_rest_must_fit(remote, fetch_file, monkeypatch):
    usage = namedtuple("usage", "total used free")
    interrupt_a_fetch(fetch_file, remote)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, 200_000))
    assert fetch_file() == SHA


def test_a_disk_that_takes_no_more_is_one_line_and_no_broken_connection(
    remote, fetch_file
):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        said = fetch_file()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said == f"{fetch_file.part}: cannot be written (File too large)"
    assert fetch_file.waits == []
    assert not fetch_file.path.exists()
    assert fetch_file() == SHA
    assert remote.ranges == [None, "bytes=100000-"]


# Two at once.


@pytest.mark.process
def test_two_processes_fetch_once(remote, fetch_file, tmp_path):
    event = threading.Event()
    remote.plan = [{"pause": event}, {}]
    code = (
        "import sys; from stockpot.datasets.downloads.transfer import download; "
        "print(download(sys.argv[1], sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, remote.url, str(fetch_file.path)]
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
def test_many_threads_get_the_file_whole(
    remote, fetch_file, tmp_path, monkeypatch, locks
):
    def none(*_):
        raise OSError(38, "Function not implemented")

    if not locks:
        monkeypatch.setattr(partial_file.fcntl, "flock", none)
    remote.plan, found = [{"cut": 100_000}, {}], []

    def one():
        found.append(download(remote.url, fetch_file.path, wait=lambda _: None))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SHA] * 6
    assert fetch_file.path.read_bytes() == BODY
    assert os.listdir(tmp_path) == ["file.tar"]
    assert not locks or len(remote.requests) == 2


def test_one_that_waited_for_a_failure_starts_with_a_file_of_its_own(
    remote, fetch_file, caplog
):
    caplog.set_level(logging.INFO)
    event, found = threading.Event(), []
    remote.plan = [{"pause": event}, {}]
    for checksum, ready in (
        (ABSENT, lambda: remote.requests),
        (SHA, lambda: "waiting for a process that is still at" in caplog.text),
    ):
        job = partial(
            lambda c: found.append(fetch_file(checksum=f"sha256:{c}")), checksum
        )
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
    with partial_file.locked_partial_file(tmp_path / "x", {"sha256"}) as made:
        made.restart({})
        with made.file as file:
            made.file = SimpleNamespace(write=lambda rest: file.write(rest[:70_000]))
            made.append(BODY)
        assert made.digests() == {"sha256": SHA}
        assert made.size == len(BODY)
        assert made.path.read_bytes() == BODY


def test_without_locks_nothing_is_left_of_a_failure(
    remote, fetch_file, tmp_path, monkeypatch
):
    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(partial_file.fcntl, "flock", none)
    remote.plan = [{"cut": 100_000}, {"cut": 0}]
    assert "broke off" in fetch_file(retries=0)
    assert os.listdir(tmp_path) == []


# Folders that mean harm.


@pytest.mark.parametrize("suffix", [".part", ".part.json"])
def test_nothing_is_written_through_a_link(
    remote, fetch_file, tmp_path_factory, suffix
):
    """In a folder of many users, a link of one of them could lead into any file of another."""
    victim = tmp_path_factory.mktemp("theirs") / "victim"
    victim.write_text("precious")
    fetch_file.path.with_name(f"{fetch_file.path.name}{suffix}").symlink_to(victim)
    remote.plan = [{"cut": 1000}, {}]
    found = fetch_file()
    assert victim.read_text() == "precious"
    if suffix == ".part":
        assert "a link is in the way" in found
        assert not fetch_file.path.exists()
    else:
        assert found == SHA
        assert not fetch_file.path.is_symlink()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_part_that_is_no_file_is_said(remote, fetch_file, make):
    make(fetch_file.path.with_name(f"{fetch_file.path.name}.part"))
    assert fetch_file.path.name in fetch_file()
    assert not fetch_file.path.exists()


@pytest.mark.parametrize(
    "card", [b"", b"[]", b"{", b'{"url": 1}', b"\xff", b"[" * 100_000]
)
def test_a_note_beside_a_part_that_is_damaged_begins_anew(remote, fetch_file, card):
    part_file = fetch_file.path.with_name(f"{fetch_file.path.name}.part")
    part_file.write_bytes(OTHER[:1000])
    part_file.with_name(f"{part_file.name}.json").write_bytes(card)
    assert fetch_file() == SHA
    assert remote.ranges == [None]
