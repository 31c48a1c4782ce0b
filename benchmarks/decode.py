"""Decoding JPEGs for a model with all cores, against three other ways.

The others are one core, a loader of worker processes with open_clip's own transform, and reading
the decoded images again.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stockpot.datasets.decoding.decode import decode, decode_all
from stockpot.datasets.decoding.transform import Transform
from stockpot.datasets.examples import ImageFile
from stockpot.models.third_party import open_clip
from timing import cores, interleaved

IMAGES, SIZE, SIDE = 600, (500, 375), 224


def measure() -> list[tuple[str, str, str]]:
    """Compare the ways on the same files.

    Returns:
        Rows: what, measured, wanted.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = jpegs(Path(folder))
        seconds = compare(files, Path(folder))
    one, rate = seconds["one"], IMAGES / seconds["all"]
    size = f"{IMAGES} JPEGs of {SIZE[0]}x{SIZE[1]} to {SIDE}"
    return [
        (
            f"speed of decoding {size}: {cores()} threads / 1 thread",
            f"{one / seconds['all']:.2f} ({rate:.0f} images/s)",
            f"{0.85 * cores():.1f} or more",
        ),
        (
            f"speed of decoding {size}: {cores()} threads / torch's loader with {cores()} workers",
            f"{seconds['loader'] / seconds['all']:.2f}",
            "1 or more",
        ),
        (
            f"speed of reading decoded images again, 1 thread / of decoding, {cores()} threads",
            f"{seconds['all'] / seconds['read']:.0f} ({IMAGES / seconds['read']:.0f} images/s)",
            "reported",
        ),
    ]


def jpegs(folder: Path) -> list[ImageFile]:
    """Smooth pictures with some noise: about as many bytes as a photograph of that size."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(IMAGES):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC), float)
        noisy = np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(
            np.uint8
        )
        path = folder / f"{i}.jpg"
        Image.fromarray(noisy).save(path, quality=90)
        found.append(ImageFile(str(path)))
    return found


class Loaded(torch.utils.data.Dataset):
    """As the originals: PIL and the model's transform in worker processes."""

    def __init__(self, files: list[ImageFile]):
        self.files = files
        self.transform = open_clip.image_transform(SIDE, is_train=False)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, row):
        return self.transform(Image.open(self.files[row].path, formats=("JPEG",)))


def compare(files: list[ImageFile], folder: Path) -> dict[str, float]:
    """Time each way.

    Args:
        files: The images.
        folder: Where decoded images are written.

    Returns:
        Way -> least seconds for all images.
    """
    transform, turn = Transform(SIDE), iter(range(10**6))

    def every():
        decode_all(files, transform, folder / f"state-{next(turn)}", threads=cores())

    def loader():
        batches = torch.utils.data.DataLoader(Loaded(files), 100, num_workers=cores())
        return sum(len(batch) for batch in batches)

    def read():
        return int(
            np.load(folder / "state-0" / "images.npy", mmap_mode="r")[:].sum(
                dtype=np.int64
            )
        )

    return interleaved(
        {
            "all": every,
            "one": lambda: [decode(file, transform) for file in files],
            "loader": loader,
            "read": read,
        }
    )
