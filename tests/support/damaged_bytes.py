"""Changes to the bytes of a file, and calls that fail."""

import os

from stockpot.datasets.dataset import read_dataset


def rewrite_bytes(path, change) -> None:
    """Change the bytes of a file and keep its times, as a disk does."""
    times = os.stat(path)
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def flip_a_bit(place):
    """A function that flips one bit at a place, counted from the end where it is negative."""

    def flip(content):
        changed = bytearray(content)
        changed[place] ^= 4
        return bytes(changed)

    return flip


def raising(error):
    """A function that raises it, whatever it is called with."""

    def fail(*arguments, **options):
        raise error

    return fail


def read_all_images(folder) -> None:
    """Read all of a data set, as a job does."""
    data = read_dataset(folder)
    assert data.images[:].shape == (600, 4, 4, 3)
