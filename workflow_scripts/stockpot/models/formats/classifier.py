"""Our own: one safetensors file and a card."""

import shutil

FILES = ["classifier.json", "classifier.safetensors"]


def write(folder, weights, clip):
    for name in FILES:
        shutil.copyfile(weights.path.with_name(name), folder / name)
