"""Real handwriting: the 1,797 scans of the UCI digits that ship with scikit-learn."""

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from ..world.vocabulary import DIGITS

PARTS = {"train": (0.0, 0.45), "held-out": (0.45, 0.6), "test": (0.6, 1.0)}


def prepare(spec: dict) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """One part of a seeded split of the scans, 8x8 grey values resized to side x side RGB.

    spec: part (train, held-out or test), seed, side.
    """
    scans = load_digits()
    order = np.random.default_rng(spec["seed"]).permutation(len(scans.target))
    start, end = (round(share * len(order)) for share in PARTS[spec["part"]])
    rows = order[start:end]
    grey = np.round(scans.images[rows] * (255 / 16)).astype(np.uint8)
    side = (spec["side"], spec["side"])
    images = [Image.fromarray(g).resize(side, Image.Resampling.BICUBIC) for g in grey]
    rgb = np.stack([np.asarray(image) for image in images])[..., None].repeat(3, axis=3)
    return rgb, scans.target[rows], list(DIGITS)
