"""What a source lists: encoded images, their labels, and how answers are scored."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image

from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular
from .dataset import Scoring
from .decoding.opening import open_image


class EncodedImage(Protocol):
    """One image that is opened when its turn comes, by one of many threads.

    Attributes:
        name: What messages call it.
    """

    name: str

    def open(self) -> Image.Image:
        """Open the image; its pixels need not be decoded yet.

        Returns:
            An image of Pillow.
        """
        ...


@dataclass(frozen=True)
class ImageFile:
    """An image file, or a range of bytes of a larger file such as an archive.

    Attributes:
        path: The file.
        start: First byte of the image.
        size: Number of its bytes; -1 for all up to the end of the file.
        member: Name of the image within an archive, or "".
        listed: File and line of the table that names the image, or "".
    """

    path: str
    start: int = 0
    size: int = -1
    member: str = ""
    listed: str = ""

    @property
    def name(self) -> str:
        """What messages call the image.

        Returns:
            One line, whatever bytes the name of the file has.
        """
        location = f"{self.path}: {self.member}" if self.member else self.path
        name = one_line(location, 300)
        if not self.listed:
            return name
        return f"{name} ({one_line(self.listed, 200)})"

    def open(self) -> Image.Image:
        """Read the bytes and open the image; its pixels are not decoded yet.

        Returns:
            An image of Pillow.

        Raises:
            OSError: The file cannot be read.
            ValueError: The bytes are no image of a format that is read.
        """
        with open_regular(self.path) as file:
            file.seek(self.start)
            return open_image(file.read(self.size))


@dataclass(frozen=True)
class Pixels:
    """An image that comes as an array.

    Attributes:
        array: uint8 [h, w] or [h, w, 3].
        name: What messages call it.
    """

    array: np.ndarray
    name: str

    def open(self) -> Image.Image:
        """Wrap the array.

        Returns:
            An image of Pillow.
        """
        return Image.fromarray(self.array)


@dataclass
class Examples:
    """The images of a data set with all that belongs to them.

    Attributes:
        images: Images to decode; or decoded ones, uint8 [n, side, side, 3].
        labels: [n], indices into ``class_names``.
        class_names: Names of the classes.
        keys: Names of the encoded images that stay the same when their folder moves.
        scoring: How answers are scored.
        border: Pixels that are cut from every side before resizing (ObjectNet).
    """

    images: list[EncodedImage] | np.ndarray
    labels: np.ndarray
    class_names: list[str]
    keys: list[str] = field(default_factory=list)
    scoring: Scoring = field(default_factory=Scoring)
    border: int = 0
