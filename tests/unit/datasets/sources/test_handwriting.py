"""Tests the source of scanned digits."""

from collections import Counter

import numpy as np

from stockpot.datasets import sources
from stockpot.datasets.world import vocabulary
from tests.support.rendered_sets import as_arrays, check_form


def handwriting_part(part, seed=0, side=32):
    spec = {"name": part, "part": part, "seed": seed, "image_size": side}
    return as_arrays(sources.load("handwriting")(spec))


def test_handwriting_parts_are_disjoint_and_complete():
    from sklearn.datasets import load_digits

    scans = load_digits()
    parts = {
        part: handwriting_part(part, side=8) for part in ("train", "held-out", "test")
    }
    for images, labels, classes in parts.values():
        check_form((images, labels, classes), len(labels), 8)
        assert classes == list(vocabulary.DIGITS)
    assert sum(len(labels) for _, labels, _ in parts.values()) == 1797
    found = Counter()
    for images, labels, _ in parts.values():
        grey = np.round(images[..., 0].astype(float) * 16 / 255).astype(int)
        found += Counter((g.tobytes(), int(label)) for g, label in zip(grey, labels))
    expected = Counter(
        (image.astype(int).tobytes(), int(label))
        for image, label in zip(scans.images, scans.target)
    )
    assert found == expected, "every scan is in one part, with its own label"


def test_handwriting_is_seeded_and_resized():
    first, again, other = (handwriting_part("held-out", seed) for seed in (0, 0, 1))
    check_form(first, len(first[1]), 32)
    assert first[0].tobytes() == again[0].tobytes()
    assert first[1].tobytes() == again[1].tobytes()
    assert first[1].tobytes() != other[1].tobytes()
    assert np.bincount(first[1], minlength=10).min() > 0.5 * len(first[1]) / 10
