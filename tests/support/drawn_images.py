"""Images that tests draw, and what decoding makes of them."""

import io

import numpy as np
from PIL import Image

from stockpot.datasets.dataset import read_dataset
from stockpot.datasets.decoding.decode import decode
from stockpot.datasets.decoding.transform import Transform
from stockpot.datasets.prepare import prepare
from tests.support.data_specs import encoded_spec


def noise(width, height, mode="RGB", seed=0):
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    pixels = np.random.default_rng(seed).integers(
        0, 256, (height, width, bands), dtype=np.uint8
    )
    return Image.fromarray(pixels[..., 0] if bands == 1 else pixels, mode)


def palette(width, height):
    return noise(width, height).quantize(16)


def turned(width, height):
    """EXIF says that it has to be turned by 90 degrees."""
    image = noise(width, height)
    image.getexif()[0x0112] = 6
    return image


def noise_of_mode(mode):
    return lambda width, height: noise(width, height, mode)


KINDS = {
    "jpeg": (noise_of_mode("RGB"), "JPEG", {}),
    "jpeg grey": (noise_of_mode("L"), "JPEG", {}),
    "jpeg cmyk": (noise_of_mode("CMYK"), "JPEG", {}),
    "jpeg progressive": (noise_of_mode("RGB"), "JPEG", {"progressive": True}),
    "jpeg turned": (turned, "JPEG", {}),
    "png": (noise_of_mode("RGB"), "PNG", {}),
    "png grey": (noise_of_mode("L"), "PNG", {}),
    "png grey alpha": (noise_of_mode("LA"), "PNG", {}),
    "png alpha": (noise_of_mode("RGBA"), "PNG", {}),
    "png palette": (palette, "PNG", {}),
    "png palette, one colour clear": (palette, "PNG", {"transparency": 3}),
    "png palette, alphas": (palette, "PNG", {"transparency": bytes(range(0, 240, 15))}),
    "png one colour clear": (noise_of_mode("RGB"), "PNG", {"transparency": (1, 2, 3)}),
    "png bits": (lambda *size: noise(*size, "L").convert("1"), "PNG", {}),
    "webp": (noise_of_mode("RGB"), "WEBP", {}),
    "webp alpha": (noise_of_mode("RGBA"), "WEBP", {"lossless": True}),
    "bmp": (noise_of_mode("RGB"), "BMP", {}),
    "bmp palette": (palette, "BMP", {}),
    "bmp bits": (lambda *size: noise(*size, "L").convert("1"), "BMP", {}),
}

MODES = ("shortest", "longest", "squash")


class Bytes:
    """An encoded image in memory that counts how often it is opened."""

    def __init__(self, data, name="own.png"):
        self.data, self.name, self.opened = data, name, 0

    def open(self):
        self.opened += 1
        return Image.open(io.BytesIO(self.data))


def encoded(kind, width, height):
    make, form, options = KINDS[kind]
    stream = io.BytesIO()
    image = make(width, height)
    image.save(
        stream, form, **options, **({"exif": image.getexif()} if make is turned else {})
    )
    return Bytes(stream.getvalue(), kind)


class Drawn:
    """An image that counts how often it is opened, and may have to be stopped at."""

    def __init__(self, image, name="drawn"):
        self.image, self.name, self.opened = image, name, 0

    def open(self):
        self.opened += 1
        if isinstance(self.image, BaseException):
            raise self.image
        return self.image.copy()


def draw_images(n):
    return [Drawn(noise(12 + i, 10, seed=i), f"{i}.png") for i in range(n)]


BROKEN = OSError("broken")
TRANSFORM = Transform(8)


def expected_of(images):
    return np.stack([decode(Drawn(image.image), TRANSFORM) for image in images])


def write_classes(folder, sizes, start=0):
    """Files of one colour each, all of them different; sizes: class -> how many."""
    for label, (name, n) in enumerate(sizes.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(start, start + n):
            Image.new("RGB", (4, 4), (label, i // 256, i % 256)).save(
                folder / name / f"{i}.png"
            )


def colours_of(made):
    """Class name and colour of every image of a data set of ``write_classes``."""
    return [
        (made.class_names[label], tuple(image[0, 0].tolist()))
        for label, image in zip(made.labels, made.images)
    ]


def prepare_folder(folder, to, **options):
    prepare(to, encoded_spec("folder", 4, path=str(folder), **options), threads=2)
    assert sorted(p.name for p in to.iterdir()) == [
        "dataset.json",
        "digests.npy",
        "images.npy",
        "labels.npy",
        "names.json",
    ], "no state is left"
    return read_dataset(to)


def split_of(part, **options):
    return {"part": part, "held_out": 0.1, "test": 0.2, "seed": 0} | options
