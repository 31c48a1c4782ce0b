"""What a source lists: encoded images, their labels, and how answers are scored."""

import io
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image

from .dataset import Scoring


class Encoded(Protocol):
    """One image that is opened when its turn comes, by one of many threads."""

    name: str

    def open(self) -> Image.Image: ...


@dataclass(frozen=True)
class File:
    """An image file, or the ``size`` bytes of a larger one (an archive) that begin at ``start``."""

    path: str
    start: int = 0
    size: int = -1
    member: str = ""

    @property
    def name(self) -> str:
        return f"{self.path}: {self.member}" if self.member else self.path

    def open(self) -> Image.Image:
        with open(self.path, "rb") as file:
            file.seek(self.start)
            return Image.open(io.BytesIO(file.read(self.size)))


@dataclass(frozen=True)
class Pixels:
    """An image that comes as an array, uint8 [h, w] or [h, w, 3]."""

    array: np.ndarray
    name: str

    def open(self) -> Image.Image:
        return Image.fromarray(self.array)


@dataclass
class Examples:
    """images: to be decoded, or decoded already as uint8 [n, side, side, 3]; labels: [n], indices
    into class_names. keys: of encoded images, names that stay when the folder moves. border:
    pixels that are cut from every side first (ObjectNet)."""

    images: list[Encoded] | np.ndarray
    labels: np.ndarray
    class_names: list[str]
    keys: list[str] = field(default_factory=list)
    scoring: Scoring = field(default_factory=Scoring)
    border: int = 0
