"""One folder of images in three parts: to train on, to choose on, to test on."""

import hashlib

PARTS = ("train", "held-out", "test")


def part_of(keys: list[str], labels, split: dict):
    """int64 [rows]: places of the examples of one part, in order.

    keys: a name per example, the same wherever the folder lies. split: part; held_out, test: how
    much of every class they get, a share below 1 or a number of images; seed. An image's rank
    follows from its key and the seed, so that a few images more move few others.
    """
    import numpy as np  # planning asks for sizes alone

    ranks = np.array([_rank(key, split["seed"]) for key in keys], dtype=np.uint64)
    labels, rows = np.asarray(labels), []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        start, end = _place(len(own), split)
        rows.append(own[np.argsort(ranks[own], kind="stable")][start:end])
    return np.sort(np.concatenate(rows))


def part_size(n: int, split: dict) -> int:
    """How many of the n images of one class its part has."""
    start, end = _place(n, split)
    return end - start


def _place(n: int, split: dict) -> tuple[int, int]:
    held_out = _amount(split["held_out"], n)
    test = min(_amount(split["test"], n), n - held_out)
    start = {"held-out": 0, "test": held_out, "train": held_out + test}[split["part"]]
    return start, start + {"held-out": held_out, "test": test}.get(split["part"], n - start)


def _amount(wanted: float, n: int) -> int:
    return min(n, max(1, round(wanted * n))) if 0 < wanted < 1 else min(n, int(wanted))


def _rank(key: str, seed: int) -> int:
    # Names of files need not be UTF-8.
    content = f"{seed} {key}".encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest, "big")
