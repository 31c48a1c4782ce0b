"""Our own: one safetensors file and a card."""

import shutil

from . import Format

FILES = ("classifier.json", "classifier.safetensors")
FORMAT = Format(files=FILES)


def write(folder, weights, clip):
    for name in FILES:
        shutil.copyfile(weights.path.with_name(name), folder / name)
