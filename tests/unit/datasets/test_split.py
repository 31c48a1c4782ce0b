"""Tests the splits of a folder: disjoint, complete and of the planned sizes."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.datasets import sources
from stockpot.datasets.split import SPLITS, split_rows, split_size
from stockpot.runtime.errors import StockpotError
from tests.support.drawn_images import (
    colours_of,
    prepare_folder,
    split_of,
    write_classes,
)

SPLIT_OPTIONS = [
    {},
    {"held_out": 0.5, "test": 0.5},
    {"held_out": 2, "test": 1},
    {"seed": 3, "test": 0},
]


@pytest.mark.parametrize("options", SPLIT_OPTIONS, ids=str)
def test_parts_of_a_folder_are_disjoint_complete_and_of_the_size_that_was_planned(
    tmp_path, options
):
    sizes = {"ant": 1, "bee": 2, "cat": 3, "dog": 11, "eel": 40}
    write_classes(tmp_path / "own", sizes)
    whole, found = prepare_folder(tmp_path / "own", tmp_path / "whole"), Counter()
    for part in SPLITS:
        entry = {"path": str(tmp_path / "own"), "split": {"part": part, **options}}
        planned = sum(sources.counts({"source": "folder", **entry}, Path))
        if planned:
            made = prepare_folder(
                to=tmp_path / part,
                folder=entry["path"],
                split=split_of(**entry["split"]),
            )
            assert len(made) == planned
            assert made.class_names == list(sizes)
            assert made.labels.tolist() == sorted(made.labels), (
                "in the order of the folder"
            )
            found += Counter(colours_of(made))
    assert found == Counter(colours_of(whole))
    assert set(found.values()) == {1}


def test_a_part_without_images_is_a_line(tmp_path):
    write_classes(tmp_path / "own", {"ant": 1, "bee": 1})
    entry = {
        "source": "folder",
        "path": str(tmp_path / "own"),
        "split": {"part": "train"},
    }
    assert sources.counts(entry, Path) == [0, 0]
    with pytest.raises(StockpotError, match="^own: no images in this part of folder$"):
        prepare_folder(tmp_path / "own", tmp_path / "made", split=split_of("train"))


SIZES_OF_PARTS = {  # n, held_out, test: held-out, test, train
    (10, 0.1, 0.2): (1, 2, 7),
    (100, 0.1, 0.2): (10, 20, 70),
    (3, 0.1, 0.2): (1, 1, 1),
    (2, 0.1, 0.2): (1, 1, 0),
    (1, 0.1, 0.2): (1, 0, 0),
    (10, 3, 4): (3, 4, 3),
    (5, 3, 4): (3, 2, 0),
    (10, 0, 0): (0, 0, 10),
    (10, 0, 0.2): (0, 2, 8),
    (10, 0.5, 0.5): (5, 5, 0),
    (10, 0.99, 0.2): (10, 0, 0),
    (10, 1, 1): (1, 1, 8),
    (10, 0.25, 0.35): (2, 4, 4),
    (0, 0.1, 0.2): (0, 0, 0),
}


@pytest.mark.parametrize("amounts", SIZES_OF_PARTS, ids=str)
def test_shares_and_numbers_of_images(amounts):
    """A share is at least one image; held-out images come first, then test, then training."""
    n, held_out, test = amounts
    sizes = {
        p: split_size(n, split_of(p, held_out=held_out, test=test)) for p in SPLITS
    }
    assert (sizes["held-out"], sizes["test"], sizes["train"]) == SIZES_OF_PARTS[amounts]


AMOUNTS = st.one_of(st.integers(0, 12), st.floats(0, 0.999))


@given(
    st.lists(st.integers(1, 25), min_size=1, max_size=6),
    AMOUNTS,
    AMOUNTS,
    st.integers(0, 9),
)
def test_the_parts_of_any_folder(sizes, held_out, test, seed):
    """Disjoint, complete, as many of every class as planning counts."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    keys = [f"{label}/{i}.png" for i, label in enumerate(labels)]
    options = {"held_out": held_out, "test": test, "seed": seed}
    rows = {
        part: split_rows(keys, labels, split_of(part, **options)) for part in SPLITS
    }
    assert sorted(np.concatenate(list(rows.values()))) == list(range(len(labels)))
    for part, own in rows.items():
        planned = [split_size(n, split_of(part, **options)) for n in sizes]
        assert np.bincount(labels[own], minlength=len(sizes)).tolist() == planned
        assert own.tolist() == sorted(own)


@given(
    st.integers(2, 30),
    st.integers(0, 8),
    st.integers(0, 8),
    st.randoms(use_true_random=False),
)
def test_one_more_image_moves_few(n, held_out, test, random):
    """One of a class moves one image across each border; those of other classes none."""
    keys = [f"a/{i}" for i in range(n)]

    def parts(keys, labels):
        found = {}
        for part in SPLITS:
            rows = split_rows(
                keys, labels, split_of(part, held_out=held_out, test=test)
            )
            found[part] = {keys[row] for row in rows}
        return found

    before = parts(keys, [0] * n)
    beside = parts([*keys, "b/1", "b/2"], [0] * n + [1, 1])
    for part in SPLITS:
        assert before[part] == {key for key in beside[part] if key.startswith("a/")}
    more = [*keys, "a/new"]
    random.shuffle(more)
    after = parts(more, [0] * (n + 1))
    moved = {
        part: (before[part] - after[part], after[part] - before[part])
        for part in SPLITS
    }
    assert all(len(gone) <= 1 and len(come) <= 1 for gone, come in moved.values())


def test_a_part_stays_when_the_folder_moves_and_changes_with_the_seed(tmp_path):
    write_classes(tmp_path / "own", {"ant": 30, "bee": 30})
    first = prepare_folder(tmp_path / "own", tmp_path / "1", split=split_of("test"))
    shutil.move(tmp_path / "own", tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for i, place in enumerate(("elsewhere", "link")):
        again = prepare_folder(
            tmp_path / place, tmp_path / f"again{i}", split=split_of("test")
        )
        assert again.fingerprint == first.fingerprint
    other = prepare_folder(
        tmp_path / "link", tmp_path / "2", split=split_of("test", seed=1)
    )
    assert len(other) == len(first)
    assert set(colours_of(other)) != set(colours_of(first))
    write_classes(tmp_path / "link", {"cow": 5})
    more = prepare_folder(tmp_path / "link", tmp_path / "3", split=split_of("test"))
    assert [c for c in colours_of(more) if c[0] != "cow"] == colours_of(first)
