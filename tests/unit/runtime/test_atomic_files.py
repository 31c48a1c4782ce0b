"""Tests files that are written whole or not at all."""

import errno
import multiprocessing
import os
import resource
import signal

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from stockpot.datasets.dataset import write_dataset
from stockpot.drawing.style import save
from stockpot.evaluation import store
from stockpot.evaluation.predictions import predictions
from stockpot.models.weights_file import save_weights
from stockpot.runtime import atomic_files, sealed
from stockpot.runtime.errors import StockpotError
from stockpot.tables.measurements import write_table
from stockpot.training import state_file
from stockpot.training.averages import Averages

LIMIT = 20_000  # bytes that a file may have


def writers_of_large_files(tmp_path) -> dict:
    """Name of a file -> a function that writes more than ``LIMIT`` bytes to it."""
    big = torch.zeros(100, 100)
    table = pd.DataFrame({"x": np.arange(20_000)})
    figure = Figure((8, 8))
    figure.subplots().imshow(np.random.default_rng(0).random((200, 200)))
    images, labels = np.zeros((100, 16, 16, 3), np.uint8), np.zeros(100, int)
    cell = predictions(
        torch.zeros(5000, 3), torch.zeros(5000, dtype=int), keep_logits=True
    )
    averages = Averages(torch.nn.Linear(100, 100), [0.9], 1, 1)
    return {
        "state.pt": lambda path: state_file.write_state(path, {"model": {"w": big}}),
        "weights.safetensors": lambda path: save_weights(path, {"w": big}),
        "table.csv": lambda path: write_table(table, path),
        "sealed.json": lambda path: sealed.write_sealed(
            path, {"x": list(range(20_000))}
        ),
        "figure.png": lambda path: save(figure, path),
        "images.npy": lambda path: write_dataset(
            path.parent, "x", images, labels, ["a"], {}
        ),
        "averages.safetensors": lambda path: averages.save(path.parent),
        "ab/abcd.safetensors": lambda path: store.Store(path.parents[1]).put(
            "abcd", cell, {}, "x"
        ),
    }


def write_within_limit(tmp_path, name, queue) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = writers_of_large_files(tmp_path)[name]
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    try:
        writer(tmp_path / name)
        queue.put("written")
    except StockpotError as error:
        queue.put(str(error))
    except BaseException as error:
        queue.put(repr(error))


@pytest.mark.process
@pytest.mark.parametrize(
    "name",
    [
        "state.pt",
        "weights.safetensors",
        "table.csv",
        "sealed.json",
        "figure.png",
        "images.npy",
        "averages.safetensors",
        "ab/abcd.safetensors",
    ],
)
def test_a_disk_that_takes_no_more_is_one_line_with_the_path(tmp_path, name):
    """A limit of the file's size stands for the disk's: writing fails in the same places."""
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    process = fork.Process(target=write_within_limit, args=(tmp_path, name, queue))
    process.start()
    line = queue.get(timeout=120)
    process.join()
    assert line == f"{tmp_path / name}: cannot be written (File too large)"
    assert [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and "labels" not in path.name and "digests" not in path.name
    ] == []


def failing_with(error):
    def fail(*_):
        raise error

    return fail


LIBRARIES = {
    "numpy": OSError("3072 requested and 1024 written"),
    "torch": RuntimeError(
        "[enforce fail at inline_container.cc:603] . unexpected pos 57 vs 52"
    ),
    "a stream": RuntimeError("basic_ios::clear: iostream error"),
}


@pytest.mark.parametrize("error", LIBRARIES.values(), ids=LIBRARIES)
def test_the_reason_that_a_library_swallows_is_asked_for(tmp_path, monkeypatch, error):
    monkeypatch.setattr(
        os, "fsync", failing_with(OSError(errno.ENOSPC, "No space left on device"))
    )
    with (
        pytest.raises(
            StockpotError, match="x: cannot be written .No space left on device"
        ),
        atomic_files.atomic(tmp_path / "x"),
    ):
        raise error


def test_errors_about_other_files_are_left_as_they_are(tmp_path):
    for error in (
        FileNotFoundError(2, "no", "/another/file"),
        ValueError("x"),
        RuntimeError("y"),
    ):
        with pytest.raises(type(error)), atomic_files.atomic(tmp_path / "x"):
            raise error


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "results").write_text("a file in the way")
    with (
        pytest.raises(
            StockpotError,
            match=r"results/x\.json: cannot be written .(File exists|Not a)",
        ),
        atomic_files.atomic(tmp_path / "results/x.json"),
    ):
        pass
