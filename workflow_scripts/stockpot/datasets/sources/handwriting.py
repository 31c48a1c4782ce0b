"""Real handwriting: the 1,797 scans of the UCI digits that ship with scikit-learn."""

from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..world.vocabulary import DIGITS
from . import Source


class Options(PluginOptions):
    part: Literal["train", "held-out", "test"] = Field(description="the published part")


SOURCE = Source(options=Options, seeded=True)

SCANS = 1797
PARTS = {"train": (0.0, 0.45), "held-out": (0.45, 0.6), "test": (0.6, 1.0)}


def classes(entry, locate):
    return list(DIGITS)


def identity(entry, locate):
    return entry["part"]


def counts(entry, locate):
    start, end = (round(share * SCANS) for share in PARTS[entry["part"]])
    return [end - start]


def facts(entry, locate, key):
    return {}


def prepare(spec):
    """One part of a seeded split of the scans, 8x8 grey values resized to side x side RGB."""
    import numpy as np
    from sklearn.datasets import load_digits

    from ..decoding.resize import resized
    from ..examples import Examples

    scans = load_digits()
    order = np.random.default_rng(spec["seed"]).permutation(len(scans.target))
    start, end = (round(share * len(order)) for share in PARTS[spec["part"]])
    rows = order[start:end]
    grey = np.round(scans.images[rows] * (255 / 16)).astype(np.uint8)
    rgb = resized(grey, spec["side"])[..., None].repeat(3, axis=3)
    return Examples(rgb, scans.target[rows], list(DIGITS))
