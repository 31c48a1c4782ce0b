"""Published data sets: several files into one folder, from where a stopped call was."""

import errno
import fcntl
import hashlib
import io
import json
import os
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stockpot.datasets.downloads import fetch as module
from stockpot.datasets.downloads.fetch import fetch
from stockpot.datasets.downloads.transfer import download
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import read_sealed

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


class Handler(BaseHTTPRequestHandler):
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


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "download", partial(download, wait=lambda _: None))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.site = Site(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()


def entry(site, path, into="", checksum=None):
    body = BODIES[path]
    pinned = f"sha256:{sha(path)}" if checksum is None else checksum
    return {"url": site.url + path, "checksum": pinned, "size": len(body), "into": into}


def sha(path):
    return hashlib.sha256(BODIES[path]).hexdigest()


def spec_of(folder, *archives, mirror=""):
    return {"path": str(folder), "archives": list(archives), "mirror": mirror}


@pytest.fixture
def three(site, tmp_path):
    """Two archives and a plain file, each into a folder of its own."""
    return spec_of(
        tmp_path / "own",
        entry(site, "/a/train.tar.gz", "train"),
        entry(site, "/a/test.zip", "deep/test"),
        entry(site, "/b/labels.txt", "meta"),
    )


def below(folder):
    """Path -> text of all files below, but for the note."""
    files = [
        path for path in Path(folder).rglob("*") if path.is_file() and path.name != NOTE
    ]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def within(folder, files):
    return {f"{folder}/{name}": text for name, text in files.items()}


WHOLE = (
    within("train", TRAIN)
    | within("deep/test", TEST)
    | {"meta/labels.txt": LABELS.decode()}
)
HASHES = {path.rpartition("/")[2]: sha(path) for path in BODIES}


def only_the_folder_is_left(tmp_path):
    return os.listdir(tmp_path) == ["own"]


def test_archives_and_files_go_where_they_belong(site, three, tmp_path):
    assert fetch(three) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)
    assert read_sealed(tmp_path / "own" / NOTE) == HASHES
    assert site.asked == list(BODIES)


def test_a_second_call_fetches_nothing(site, three, tmp_path):
    fetch(three)
    site.asked.clear()
    assert fetch(three) == HASHES
    assert site.asked == []
    assert below(tmp_path / "own") == WHOLE


def test_a_note_of_an_earlier_version_counts_and_gets_a_seal(site, three, tmp_path):
    fetch(three)
    asked = list(site.asked)
    (tmp_path / "own" / NOTE).write_text(json.dumps(HASHES, indent=1) + "\n")
    assert fetch(three) == HASHES
    assert site.asked == asked
    assert read_sealed(tmp_path / "own" / NOTE) == HASHES


def test_an_archive_that_a_later_version_adds_is_fetched(site, three, tmp_path):
    assert set(fetch({**three, "archives": three["archives"][:2]})) == {
        "train.tar.gz",
        "test.zip",
    }
    site.asked.clear()
    assert fetch(three) == HASHES
    assert site.asked == ["/b/labels.txt"]
    assert below(tmp_path / "own") == WHOLE


@pytest.mark.parametrize("empty", [False, True])
def test_one_archive_is_the_folder(site, tmp_path, empty):
    """An empty folder is no data set of the user's."""
    if empty:
        (tmp_path / "own").mkdir()
    assert set(fetch(spec_of(tmp_path / "own", entry(site, "/a/test.zip")))) == {
        "test.zip"
    }
    assert below(tmp_path / "own") == TEST
    assert only_the_folder_is_left(tmp_path)


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_is_a_link_to_another_disk(site, three, tmp_path, exists):
    (tmp_path / "data").mkdir()
    (tmp_path / "own").symlink_to(tmp_path / "data/own")
    if exists:
        (tmp_path / "data/own").mkdir()
    fetch(three)
    assert below(tmp_path / "data/own") == WHOLE
    assert sorted(os.listdir(tmp_path)) == ["data", "own"]
    assert (tmp_path / "own").is_symlink()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
@pytest.mark.parametrize("into", ["", "all"])
def test_several_may_share_a_folder(site, tmp_path, order, into):
    site.bodies["/a/more.tar.xz"] = tar({"star/4.png": "4"}, "xz")
    more = {
        "url": f"{site.url}/a/more.tar.xz",
        "checksum": "",
        "size": None,
        "into": into,
    }
    files = [
        entry(site, "/a/train.tar.gz", into),
        more,
        entry(site, "/b/labels.txt", into),
    ]
    fetch(spec_of(tmp_path / "own", *(files[i] for i in order)))
    expected = TRAIN | {"star/4.png": "4", "labels.txt": LABELS.decode()}
    assert below(tmp_path / "own" / into) == expected
    assert only_the_folder_is_left(tmp_path)


def test_two_archives_with_the_same_name_in_them_are_refused(site, tmp_path):
    wanted = spec_of(
        tmp_path / "own",
        entry(site, "/a/train.tar.gz", "x"),
        entry(site, "/a/test.zip", "x"),
    )
    with pytest.raises(
        StockpotError, match=r"own/x/ball: is there already; move it away"
    ):
        fetch(wanted)
    assert below(tmp_path / "own") == within("x", TRAIN), (
        "nothing of it is written over"
    )
    (tmp_path / "own/x/ball").rename(tmp_path / "ball")
    fetch(wanted)
    assert below(tmp_path / "own/x") == {"moon/2.png": "2", "ball/3.png": "3"}


def test_a_query_is_no_part_of_the_name(site, tmp_path):
    site.bodies["/a/test.zip?download=1"] = site.bodies.pop("/a/test.zip")
    wanted = entry(site, "/a/test.zip")
    wanted["url"] += "?download=1"
    assert set(fetch(spec_of(tmp_path / "own", wanted))) == {"test.zip"}
    assert below(tmp_path / "own") == TEST


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
def test_every_kind_of_tar_is_unpacked(site, tmp_path, mode):
    name = f"/a/x.tar{mode and '.'}{mode}"
    site.bodies[name] = tar(TRAIN, mode)
    wanted = {"url": site.url + name, "checksum": "", "size": None, "into": ""}
    fetch(spec_of(tmp_path / "own", wanted))
    assert below(tmp_path / "own") == TRAIN


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_mirror_has_files_of_the_same_names(site, three, tmp_path, slash):
    site.bodies = {
        f"/mirror/{path.rpartition('/')[2]}": body for path, body in BODIES.items()
    }
    assert fetch({**three, "mirror": f"{site.url}/mirror{slash}"}) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert all(path.startswith("/mirror/") for path in site.asked)


def test_a_mirror_on_this_machine(three, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for path, body in BODIES.items():
        (mirror / path.rpartition("/")[2]).write_bytes(body)
    assert fetch({**three, "mirror": mirror.as_uri()}) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert len(os.listdir(mirror)) == 3


def test_a_folder_that_somebody_filled_is_left_alone(site, three, tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/theirs.png").write_text("theirs")
    assert fetch(three) == {}
    assert site.asked == []
    assert below(tmp_path) == {"own/theirs.png": "theirs"}
    assert "nothing is fetched" in caplog.text


def test_connections_that_are_cut_are_taken_up_again(site, three, tmp_path):
    site.broken = {"/a/train.tar.gz", "/a/test.zip"}
    assert fetch(three) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert [site.asked.count(path) for path in BODIES] == [2, 2, 1]


def test_a_wrong_checksum_is_one_line_and_what_came_before_stays(site, three, tmp_path):
    three["archives"][1]["checksum"] = "sha256:" + "0" * 64
    with pytest.raises(
        StockpotError, match=rf"^{site.url}/a/test\.zip: its sha256 is "
    ):
        fetch(three)
    assert below(tmp_path) == within("own/train", TRAIN)
    assert only_the_folder_is_left(tmp_path)
    three["archives"][1]["checksum"] = ""
    assert fetch(three) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert site.asked.count("/a/train.tar.gz") == 1


@pytest.mark.parametrize("into", ["", "x"])
def test_a_first_archive_that_is_damaged_leaves_no_data_set(site, tmp_path, into):
    site.bodies["/a/test.zip"] = b"no archive"
    broken = {
        "url": f"{site.url}/a/test.zip",
        "checksum": "",
        "size": None,
        "into": into,
    }
    with pytest.raises(StockpotError, match=r"test\.zip"):
        fetch(spec_of(tmp_path / "own", broken))
    assert not (tmp_path / "own").exists()


STEPS = ("download", "unpack", "_claim", "_place_file", "_move_contents", "_write_note")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [0, 1, 2])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "into", [("train", "deep/test", "meta"), ("", "deep/test", "meta")]
)
def test_a_call_that_was_stopped_anywhere_goes_on(
    site, three, tmp_path, monkeypatch, into, step, call, after
):
    """Before or after the n-th time that it downloads, unpacks, moves, notes."""
    for archive, place in zip(three["archives"], into):
        archive["into"] = place
    real, times = getattr(module, step), []

    def stop(*given, **named):
        times.append(1)
        if len(times) != call + 1:
            return real(*given, **named)
        if after:
            real(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, stop)
    try:
        fetch(three)
        assert len(times) <= call
    except KeyboardInterrupt:
        pass
    monkeypatch.setattr(module, step, real)
    assert fetch(three) == HASHES
    assert below(tmp_path / "own") == (
        WHOLE if into[0] else {**TRAIN, **without(WHOLE, "train")}
    )
    assert only_the_folder_is_left(tmp_path)
    archives = [path for path in BODIES if path.startswith("/a")]
    assert all(site.asked.count(path) == 1 for path in archives), (
        "no archive is fetched twice"
    )


def without(files, folder):
    return {
        name: text for name, text in files.items() if not name.startswith(f"{folder}/")
    }


@pytest.mark.parametrize("moved", [1, 2])
def test_an_archive_that_was_moved_in_part(site, three, tmp_path, monkeypatch, moved):
    """Half of an archive is in the folder: the other half follows."""
    real, times = Path.rename, []

    def stop(self, target):
        if ".unpacked" in str(self):
            times.append(1)
            if len(times) == moved:
                raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch(three)
    monkeypatch.setattr(Path, "rename", real)
    assert len(below(tmp_path / "own")) == moved - 1
    fetch(three)
    assert below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)


def test_a_file_in_the_folder_is_not_written_over(site, three, tmp_path):
    fetch({**three, "archives": three["archives"][:2]})
    (tmp_path / "own/meta").mkdir()
    (tmp_path / "own/meta/labels.txt").write_text("theirs")
    with pytest.raises(
        StockpotError, match=r"own/meta/labels\.txt: is there already; move it"
    ):
        fetch(three)
    assert (tmp_path / "own/meta/labels.txt").read_text() == "theirs"
    (tmp_path / "own/meta/labels.txt").unlink()
    assert fetch(three) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)
    assert site.asked == list(BODIES), "nothing is fetched twice"


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("name", [NOTE, f"./{NOTE}", ".Fetched.JSON", f"{NOTE}/1.png"])
@pytest.mark.parametrize("into", ["", "x"])
def test_an_archive_that_says_what_was_fetched_is_refused(
    site, tmp_path, make, name, into
):
    site.bodies["/a/test.zip"] = make({**TEST, name: "{}"})
    url = f"{site.url}/a/test.zip"
    wanted = {"url": url, "checksum": "", "size": None, "into": into}
    for _ in range(2):
        with pytest.raises(
            StockpotError, match=r"test\.zip, '.*': has a name that is kept"
        ):
            fetch(spec_of(tmp_path / "own", wanted))
        assert not (tmp_path / "own").exists()


# Several processes, disks without locks.


def test_those_who_want_the_same_folder_wait_for_each_other(
    site, three, tmp_path, monkeypatch
):
    for step in ("unpack", "_move_contents", "_write_note"):
        real = getattr(module, step)

        def slow(*given, real=real, **named):
            time.sleep(0.02)
            return real(*given, **named)

        monkeypatch.setattr(module, step, slow)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fetch(three), range(4)))
    assert found == [HASHES] * 4
    assert site.asked == list(BODIES)
    assert below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)


def test_the_folder_of_a_process_that_waited_is_gone_meanwhile(
    three, tmp_path, monkeypatch
):
    """The one before takes the folder away between another's making and locking it."""
    real, times = module.locked_partial_file, []

    def gone(target, algorithms):
        times.append(1)
        if len(times) == 1:
            target.parent.rmdir()
        return real(target, algorithms)

    monkeypatch.setattr(module, "locked_partial_file", gone)
    assert fetch(three) == HASHES
    assert len(times) == 2
    assert only_the_folder_is_left(tmp_path)


def test_a_disk_without_locks(three, tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert fetch(three) == HASHES
    assert below(tmp_path / "own") == WHOLE
    assert only_the_folder_is_left(tmp_path)


def test_a_disk_that_cannot_be_written_may_have_the_folder(
    three, tmp_path, monkeypatch
):
    fetch(three)

    def mkdir(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert fetch(three) == HASHES
