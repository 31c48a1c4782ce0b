"""One folder of images in three parts: to train on, to choose on, to test on."""

import hashlib
from itertools import accumulate, pairwise

PARTS = ("train", "held-out", "test")


def part_of(keys: list[str], labels, split: dict, listed: list[int] | None = None):
    """int64 [rows]: places of the examples of one part, in order.

    keys: a name per example, the same wherever the folder lies. split: part; held_out, test: how
    much of every class they get, a share below 1 or a number of images; seed. An image's rank
    follows from its key and the seed, so that a few images more move few others. listed: places of
    the held-out examples where a list names them; then test is taken from the others.
    """
    import numpy as np  # planning asks for sizes alone

    ranks = np.array([_rank(key, split["seed"]) for key in keys], dtype=np.uint64)
    labels, rows = np.asarray(labels), []
    by_label = np.argsort(labels, kind="stable")
    # Where the next class begins; looking for each class in all labels would take too long.
    starts = np.flatnonzero(np.diff(labels[by_label])) + 1
    is_listed = np.zeros(len(labels), dtype=bool)
    is_listed[listed or []] = True
    for own in np.split(by_label, starts):
        if listed is None:
            start, end = _place(len(own), split)
        else:
            # The listed ones come first, as the held-out ones of a draw do.
            held_out = int(is_listed[own].sum())
            start, end = _place(len(own), {**split, "held_out": held_out})
        order = np.lexsort((ranks[own], ~is_listed[own]))
        rows.append(own[order][start:end])
    return np.sort(np.concatenate(rows))


def part_size(n: int, split: dict) -> int:
    """How many of the n images of one class its part has."""
    start, end = _place(n, split)
    return end - start


def listed_sizes(counts: list[int], split: dict, listed: int) -> list[int]:
    """How many images of each class a part has where a list names the held-out ones.

    counts: images of each class. listed: length of the list; of which classes its images are is not
    known before they are read, so it is spread over them in proportion.
    """
    whole = sum(counts)
    listed = min(listed, whole)
    ends = [0, *accumulate(counts)]
    held_out = [
        end * listed // whole - start * listed // whole for start, end in pairwise(ends)
    ]
    return [part_size(n, {**split, "held_out": k}) for n, k in zip(counts, held_out)]


def _place(n: int, split: dict) -> tuple[int, int]:
    held_out = _amount(split["held_out"], n)
    test = min(_amount(split["test"], n), n - held_out)
    start = {"held-out": 0, "test": held_out, "train": held_out + test}[split["part"]]
    return start, start + {"held-out": held_out, "test": test}.get(
        split["part"], n - start
    )


def _amount(wanted: float, n: int) -> int:
    return min(n, max(1, round(wanted * n))) if 0 < wanted < 1 else min(n, int(wanted))


def _rank(key: str, seed: int) -> int:
    # Names of files need not be UTF-8.
    content = f"{seed} {key}".encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest, "big")
