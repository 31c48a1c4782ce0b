"""What a source lists: encoded images, their labels, and how answers are scored."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image

from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular
from .dataset import Scoring
from .decoding.opening import open_image


class Encoded(Protocol):
    """One image that is opened when its turn comes, by one of many threads."""

    name: str

    def open(self) -> Image.Image: ...


@dataclass(frozen=True)
class File:
    """An image file, or the ``size`` bytes of a larger one (an archive) that begin at ``start``.
    listed: where a table names it, as its file and line."""

    path: str
    start: int = 0
    size: int = -1
    member: str = ""
    listed: str = ""

    @property
    def name(self) -> str:
        """What a message calls it: one line, whatever bytes the file's name has."""
        name = one_line(
            f"{self.path}: {self.member}" if self.member else self.path, 300
        )
        return f"{name} ({one_line(self.listed, 200)})" if self.listed else name

    def open(self) -> Image.Image:
        with open_regular(self.path) as file:
            file.seek(self.start)
            return open_image(file.read(self.size))


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
