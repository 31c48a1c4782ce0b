"""Tests downloads whose connections break: what is asked again, and from where."""

import os
import re
import socket
from email.utils import formatdate

import pytest

from stockpot.datasets.downloads import transfer
from tests.support.misbehaving_server import BODY, MD5, OTHER, SHA


@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_that_breaks_again_and_again_is_resumed(
    remote, fetch_file, chunked
):
    remote.plan = [{"cut": k, "chunked": chunked} for k in (100_000, 50_000, 70_000)]
    remote.plan += [{"chunked": chunked}]
    assert fetch_file() == SHA
    assert remote.ranges == [None, "bytes=100000-", "bytes=150000-", "bytes=220000-"]
    assert [request.get("If-Range") for request in remote.requests] == [
        None,
        *['"one"'] * 3,
    ]
    assert fetch_file.waits == [1, 1, 1]


def test_more_breaks_than_retries_are_fine_as_long_as_bytes_come(remote, fetch_file):
    remote.plan = [{"cut": 25_000}]
    assert fetch_file(retries=1) == SHA
    assert len(remote.requests) == 12


def test_attempts_that_bring_nothing_end_with_one_line_and_the_part_stays(
    remote, fetch_file
):
    remote.plan = [{"cut": 100_000}, {"cut": 0}]
    said = fetch_file(retries=3)
    assert said == (
        f"{remote.url}: the connection broke off after 100000 of 300000 bytes; "
        "3 more attempts brought no more bytes"
    )
    assert fetch_file.waits == [1, 2, 4]
    assert not fetch_file.path.exists()
    assert fetch_file.part.read_bytes() == BODY[:100_000]
    remote.plan = [{}]
    assert fetch_file() == SHA
    assert remote.ranges[-1] == "bytes=100000-"


def test_waits_grow_to_a_longest(remote, fetch_file):
    remote.plan = [{"status": 503}]
    assert "503 Service Unavailable" in fetch_file(retries=8)
    assert fetch_file.waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert os.listdir(fetch_file.path.parent) == []


def test_a_server_that_ignores_ranges_starts_over(remote, fetch_file):
    remote.plan = [{"cut": 100_000}, {"ranges": False}]
    assert fetch_file() == SHA
    assert fetch_file.path.read_bytes() == BODY
    assert remote.ranges == [None, "bytes=100000-"]


def test_a_server_that_ignores_ranges_and_breaks_off_is_given_up(remote, fetch_file):
    remote.plan = [{"cut": 100_000, "ranges": False}]
    assert "1 more attempts" in fetch_file(retries=1)
    assert len(remote.requests) == 2


def test_a_part_of_a_file_that_changed_is_thrown_away(remote, fetch_file):
    remote.plan = [{"body": OTHER, "cut": 100_000}, {"etag": '"two"'}]
    assert fetch_file() == SHA
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
def test_a_range_that_does_not_fit_the_part_is_not_put_after_it(
    remote, fetch_file, after
):
    before = {"body": OTHER, "cut": 100_000, "modified": formatdate(2e9, usegmt=True)}
    remote.plan = [before, after, {}]
    assert fetch_file() == SHA
    assert remote.ranges == [None, "bytes=100000-", None]


def test_a_weak_etag_does_not_vouch_for_bytes(remote, fetch_file):
    remote.plan = [{"etag": 'W/"one"', "cut": 100_000}]
    remote.plan += [
        {"etag": 'W/"one"', "modified": formatdate(1e9, usegmt=True), "cut": 100_000}
    ]
    remote.plan += [{"etag": 'W/"one"', "modified": formatdate(1e9, usegmt=True)}]
    assert fetch_file() == SHA
    assert remote.ranges == [None, None, "bytes=100000-"]
    assert remote.requests[2]["If-Range"] == formatdate(1e9, usegmt=True)


@pytest.mark.parametrize("checksum", ["", f"md5:{MD5}"])
def test_without_a_validator_only_a_checksum_allows_to_resume(
    remote, fetch_file, checksum
):
    remote.plan = [{"etag": None, "cut": 100_000}, {"etag": None}]
    assert fetch_file(checksum=checksum) == SHA
    assert remote.ranges == [None, "bytes=100000-" if checksum else None]


@pytest.mark.parametrize(("size", "requests"), [(None, 1), (len(BODY), 2)])
def test_without_a_content_length_a_known_size_finds_the_break(
    remote, fetch_file, size, requests
):
    remote.plan = [
        {"length": False, "cut": None if size is None else 100_000},
        {"length": False},
    ]
    assert fetch_file(size=size) == SHA
    assert len(remote.requests) == requests


def test_nobody_listens(fetch_file):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    assert re.fullmatch(
        rf"{url}: cannot be reached \(.*\); 2 more attempts .*",
        fetch_file(url=url, retries=2),
    )


# Answers other than the file.


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
def test_what_may_pass_is_tried_again(remote, fetch_file, status):
    remote.plan = [{"status": status}, {}]
    assert fetch_file() == SHA
    assert len(remote.requests) == 2
    assert fetch_file.waits == [1]


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
def test_a_server_says_how_long_to_wait(remote, fetch_file, asked, waited):
    remote.plan = [{"status": 429, "headers": {"Retry-After": asked}}, {}]
    assert fetch_file() == SHA
    assert fetch_file.waits == [waited]


def test_a_server_says_until_when_to_wait(remote, fetch_file, monkeypatch):
    monkeypatch.setattr(transfer.time, "time", lambda: 1e9 - 30)
    remote.plan = [
        {"status": 503, "headers": {"Retry-After": formatdate(1e9, usegmt=True)}},
        {},
    ]
    assert fetch_file() == SHA
    assert fetch_file.waits == [30]
