"""Where images come from: one module per source, found by its file name.

A source module defines

- ``OPTIONS``, a literal: the keys of its entries in the config (see ``registry.options``);
- ``SEEDED``: do its images follow from the study's seed?
- ``classes(entry, locate) -> list[str]``: class names, known before anything is prepared;
- ``identity(entry, locate) -> str``: entries of equal identity hold the same images, whatever
  their names; "" where the name itself makes them differ;
- ``count(entry, locate) -> int``: how many images there are;
- ``facts(entry, locate, key) -> dict``: what else ``prepare`` needs and what makes it run
  again, such as a digest of files; StockpotError naming the config's ``key``;
- ``prepare(spec) -> (images, labels, class_names)``: images uint8 [n, side, side, 3], labels
  int64 [n]. ``spec``: the entry with defaults, name, seed, side (pixels) and the facts.

``locate`` turns a path of the config into where the file is. The module is imported when a
study is planned, so what ``prepare`` alone needs is imported inside it.
"""

import importlib

from ... import registry


def names() -> list[str]:
    return registry.names(__file__)


def module(name: str):
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def options(name: str) -> dict[str, dict]:
    return registry.options(__file__, name)


def load(name: str):
    """The ``prepare`` function of a source."""
    return registry.load(__name__, __file__, name, "prepare", "dataset source")
