"""Every process has GPUs of its own: the locks, without any GPU."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from stockpot.runtime import gpus
from stockpot.runtime.errors import StockpotError

pytestmark = pytest.mark.process

CLAIM = """
import json, sys, time
from stockpot.runtime.gpus import acquire_gpus
import os
taken, began = acquire_gpus(int(sys.argv[1])), time.monotonic()
print(json.dumps(["has", taken, os.environ["CUDA_VISIBLE_DEVICES"], began]), flush=True)
time.sleep(float(sys.argv[2]))
print(json.dumps(["ends", time.monotonic()]), flush=True)
"""


@pytest.fixture
def start_claim(tmp_path, monkeypatch):
    """A function that starts a process which claims GPUs and holds them for a while."""
    made = []

    def start_claim(count=1, seconds=0.3, visible="0,1", job=""):
        own = {
            "CUDA_VISIBLE_DEVICES": visible,
            "TMPDIR": str(tmp_path),
            "SLURM_JOB_ID": job,
        }
        command = [sys.executable, "-c", CLAIM, str(count), str(seconds)]
        made.append(
            subprocess.Popen(
                command,
                env={**os.environ, **own},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return made[-1]

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    yield start_claim
    for process in made:
        process.kill()
        process.communicate()


def held(process):
    """(devices, from, to) of a process that has ended by itself."""
    out, err = process.communicate(timeout=300)
    (_, taken, shown, began), (_, ended) = map(json.loads, out.splitlines())
    assert shown == ",".join(taken), err
    return taken, began, ended


@pytest.mark.parametrize("count", [1, 2])
def test_no_two_processes_have_one_gpu_at_a_time(start_claim, count):
    first = [start_claim(count, 1000, "0,1,2,3") for _ in range(4 // count)]
    taken = [json.loads(process.stdout.readline())[1] for process in first]
    assert sorted(gpu for some in taken for gpu in some) == ["0", "1", "2", "3"], (
        "all are held, side by side"
    )
    second = [start_claim(count, 0.5, "0,1,2,3") for _ in range(5)]
    for process in first:
        process.kill()
    spans = [held(process) for process in second]
    for i, (mine, begin, end) in enumerate(spans):
        assert len(mine) == count
        for others, other_begin, other_end in spans[:i]:
            assert (
                not set(mine) & set(others) or end <= other_begin or other_end <= begin
            )


def test_the_gpus_of_a_killed_process_are_free(start_claim):
    first = start_claim(2, 100)
    assert json.loads(first.stdout.readline())[1] == ["0", "1"]
    second = start_claim(1)
    time.sleep(0.5)
    assert second.poll() is None
    first.send_signal(signal.SIGKILL)
    assert held(second)[0] == ["0"]


def test_another_job_of_the_scheduler_has_others_under_the_same_number(start_claim):
    assert json.loads(start_claim(1, 100, "0", job="7").stdout.readline())[1] == ["0"]
    assert held(start_claim(1, 0, "0", job="8"))[0] == ["0"]


def test_names_of_devices_are_kept(start_claim):
    assert held(start_claim(1, 0, "GPU-8932f937-d72c,MIG-1/2"))[0] == [
        "GPU-8932f937-d72c"
    ]


@pytest.mark.parametrize("visible", ["", "-1", " "])
def test_none_visible_is_none(monkeypatch, visible):
    monkeypatch.setenv(gpus.VISIBLE_DEVICES, visible)
    assert gpus.visible_gpus() == [] == gpus.acquire_gpus(2)


def test_more_than_there_are_is_an_error(monkeypatch):
    monkeypatch.setenv(gpus.VISIBLE_DEVICES, "0,1")
    with pytest.raises(
        StockpotError, match=r"^gpus: 3 wanted, but 2 visible here \(0,1\)"
    ):
        gpus.acquire_gpus(3)


PARENT = """
import json, subprocess, sys
from stockpot.runtime.gpus import acquire_gpus
taken = acquire_gpus(1)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], close_fds=False)
print(json.dumps([taken, child.pid]), flush=True)
child.wait()
"""


def test_a_gpu_is_held_as_long_as_a_runs_processes_live(start_claim, tmp_path):
    """Though the one that claimed it for them was killed."""
    own = {"CUDA_VISIBLE_DEVICES": "0", "TMPDIR": str(tmp_path), "SLURM_JOB_ID": ""}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(
        command, env={**os.environ, **own}, stdout=subprocess.PIPE
    ) as parent:
        taken, child = json.loads(parent.stdout.readline())
        assert taken == ["0"]
        parent.kill()
    try:
        second = start_claim(1, 0, "0")
        time.sleep(1)
        assert second.poll() is None
    finally:
        os.kill(child, signal.SIGKILL)
    assert held(second)[0] == ["0"]


# Folders for the locks.


def folder_of(tmp_path):
    return tmp_path / f"stockpot-gpus-{os.getuid()}"


def make_open_folder(folder):
    folder.mkdir()
    folder.chmod(0o777)


def make_link(folder):
    (folder.parent / "theirs").mkdir()
    folder.symlink_to(folder.parent / "theirs")


@pytest.fixture
def lock_folders(tmp_path, monkeypatch):
    """Where locks may lie: the folder for temporary files, that of the session, the home."""
    for name in ("tmp", "run", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr(gpus, "_HELD", {})
    yield tmp_path
    for descriptor in gpus._HELD.values():
        os.close(descriptor)


@pytest.mark.parametrize(
    "make",
    [make_open_folder, lambda f: f.write_text("a file"), make_link],
    ids=["open", "file", "link"],
)
def test_a_folder_that_is_not_ours_alone_is_not_used(lock_folders, make, caplog):
    """Whoever else can make locks in it could hold them for ever."""
    caplog.set_level("INFO")
    folder = folder_of(lock_folders / "tmp")
    make(folder)
    with contextlib.suppress(OSError), open(folder / "_0", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert gpus.acquire_gpus(1) == ["0"]
    gpus.acquire_gpus(1)
    assert (lock_folders / "run/stockpot-gpus/_0").exists()
    assert f"{folder}: not used for locks on GPUs" in caplog.text


def test_a_folder_of_another_user_is_not_used(lock_folders, monkeypatch):
    folder = folder_of(lock_folders / "tmp")
    folder.mkdir(mode=0o700)
    (lock_folders / "run/stockpot-gpus").write_text("in the way too")
    lstat = Path.lstat

    def theirs(path):
        found = lstat(path)
        return SimpleNamespace(
            st_uid=found.st_uid + (path == folder), st_mode=found.st_mode
        )

    monkeypatch.setattr(Path, "lstat", theirs)
    assert gpus.acquire_gpus(2) == ["0", "1"]
    assert list((lock_folders / "home/.cache").glob("stockpot-gpus-*/_0"))


def test_without_any_folder_gpus_are_taken_without_locks_and_that_is_said(
    lock_folders, caplog
):
    make_open_folder(folder_of(lock_folders / "tmp"))
    (lock_folders / "run/stockpot-gpus").write_text("")
    (lock_folders / "home/.cache").write_text("")
    assert gpus.acquire_gpus(1) == ["0"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert "other jobs may use the same GPUs" in caplog.text


def test_no_lock_is_opened_through_a_link(lock_folders):
    folder = folder_of(lock_folders / "tmp")
    folder.mkdir(mode=0o700)
    (folder / "_0").symlink_to(lock_folders / "victim")
    with pytest.raises(StockpotError, match="_0: a link is in the way"):
        gpus.acquire_gpus(1)
    assert not (lock_folders / "victim").exists()
