"""Split one folder of images in three: to train on, to choose on, to test on.

``split`` is an entry of the config: ``part`` is the name of the split; ``held_out`` and ``test``
say how much of every class these splits get, a fraction below 1 or a number of images; ``seed``
decides which images these are.
"""

import hashlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "held-out", "test")


def split_rows(
    keys: list[str],
    labels: "np.ndarray",
    split: dict[str, Any],
    listed: list[int] | None = None,
) -> "np.ndarray":
    """Select the images of one split.

    An image's rank follows from its key and the seed only, so that a few further images move few
    others to another split.

    Args:
        keys: A name per image, the same wherever the folder lies.
        labels: [n], class of each image.
        split: Entry of the config, see above.
        listed: Rows of the held-out images where a list names them. Then the test split is taken
            from the others.

    Returns:
        int64 [k], rows of the images, rising.
    """
    import numpy as np  # planning imports this module for the sizes, and needs no NumPy

    seed = split["seed"]
    ranks = np.array([_rank(key, seed) for key in keys], dtype=np.uint64)
    is_listed = np.zeros(len(keys), dtype=bool)
    is_listed[listed or []] = True
    selected = []
    for class_rows in _rows_by_class(np.asarray(labels)):
        if listed is None:
            class_split = split
        else:
            held_out = int(is_listed[class_rows].sum())
            class_split = {**split, "held_out": held_out}
        start, stop = _bounds(len(class_rows), class_split)
        # Images are ordered by rank. The first are held out, so listed ones stand before others.
        order = np.lexsort((ranks[class_rows], ~is_listed[class_rows]))
        selected.append(class_rows[order][start:stop])
    return np.sort(np.concatenate(selected))


def _rows_by_class(labels: "np.ndarray") -> list["np.ndarray"]:
    """Rows of each class that has images, rising."""
    import numpy as np

    # To look for each class in all labels would take too long where there are many classes.
    by_label = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[by_label])) + 1
    return np.split(by_label, starts)


def split_size(n: int, split: dict[str, Any]) -> int:
    """Count the images of one class in a split.

    Args:
        n: Number of images of the class.
        split: Entry of the config, see above.

    Returns:
        Number of images.
    """
    start, stop = _bounds(n, split)
    return stop - start


def listed_sizes(
    counts: list[int],
    split: dict[str, Any],
    listed: int,
) -> list[int]:
    """Estimate the images of each class in a split, where a list names the held-out images.

    Which classes the listed images have is not known before they are read. So they are spread over
    the classes in proportion to their sizes.

    Args:
        counts: Number of images of each class.
        split: Entry of the config, see above.
        listed: Length of the list.

    Returns:
        Number of images of each class in the split.
    """
    total = sum(counts)
    listed = min(listed, total)
    bounds = [0, *accumulate(counts)]
    sizes = []
    for count, (start, stop) in zip(counts, pairwise(bounds)):
        # Differences of rounded cumulative counts add up to the length of the list.
        held_out = stop * listed // total - start * listed // total
        sizes.append(split_size(count, {**split, "held_out": held_out}))
    return sizes


def _bounds(n: int, split: dict[str, Any]) -> tuple[int, int]:
    """First and last position (exclusive) of a split among the n ordered images of a class.

    The order is held-out, test, train.
    """
    held_out = _image_count(split["held_out"], n)
    test = min(_image_count(split["test"], n), n - held_out)
    if split["part"] == "held-out":
        return 0, held_out
    if split["part"] == "test":
        return held_out, held_out + test
    return held_out + test, n


def _image_count(amount: float, n: int) -> int:
    """Turn a fraction of n images, or a number of images, into a number of images."""
    if 0 < amount < 1:
        return min(n, max(1, round(amount * n)))
    return min(n, int(amount))


def _rank(key: str, seed: int) -> int:
    """A pseudo-random number of 64 bits for an image."""
    # Names of files need not be UTF-8.
    content = f"{seed} {key}".encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest, "big")
