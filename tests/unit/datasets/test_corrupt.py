"""Tests corrupted images."""

import numpy as np
import pytest

from stockpot.datasets.dataset import read_dataset, write_dataset
from tests.support.rendered_sets import rendered_world


@pytest.mark.parametrize("severity", range(1, 6))
def test_every_corruption_changes_images_more_with_its_severity(severity):
    from stockpot.datasets.corrupt import CORRUPTIONS, corrupt

    images = rendered_world()[0]
    found, which = corrupt(images, severity, seed=3)
    assert found.dtype == np.uint8
    assert found.shape == images.shape
    assert np.bincount(which).tolist() == [64 // len(CORRUPTIONS)] * len(CORRUPTIONS)
    change = np.abs(found.astype(float) - images).mean(axis=(1, 2, 3))
    assert (change > 0).all()
    if severity > 1:
        before, same = corrupt(images, severity - 1, seed=3)
        assert (which == same).all()
        less = np.abs(before.astype(float) - images).mean(axis=(1, 2, 3))
        for kind in range(len(CORRUPTIONS)):
            assert change[which == kind].mean() > less[which == kind].mean()


def test_corruptions_follow_from_the_seed_and_the_place():
    from stockpot.datasets.corrupt import corrupt

    images = rendered_world()[0]
    first, again, other = (
        corrupt(images, 3, 1),
        corrupt(images, 3, 1),
        corrupt(images, 3, 2),
    )
    assert (first[0] == again[0]).all()
    assert (first[0] != other[0]).any()
    with pytest.raises(ValueError, match="severity must be 1 to 5, got 6"):
        corrupt(images, 6, 1)


def test_a_corrupted_set_keeps_labels_and_classes(tmp_path):
    from stockpot.datasets.corrupt import write_corrupted

    images, labels, classes = rendered_world()
    write_dataset(tmp_path / "a", "a", images, labels, classes, {})
    spec = {"name": "b", "dataset": "a", "severity": 2, "seed": 0, "image_size": 32}
    write_corrupted(tmp_path / "b", spec, read_dataset(tmp_path / "a"))
    found = read_dataset(tmp_path / "b")
    assert (found.labels == labels).all()
    assert found.class_names == classes
    assert found.name == "b"
    assert found.fingerprint != read_dataset(tmp_path / "a").fingerprint
