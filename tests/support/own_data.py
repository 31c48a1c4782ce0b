"""What tests of the sources of users' own data share."""

import io
from pathlib import Path

from PIL import Image

from stockpot.datasets import sources
from tests.support.solid_colours import COLOURS, shown_colours


def encoded_colour(colour: str, kind: str = "png") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 36), COLOURS[colour]).save(stream, kind)
    return stream.getvalue()


def known_classes(source: str, **entry):
    """(classes, images per class) as a plan knows them."""
    module, entry = sources.module(source), {"source": source, **entry}
    return module.classes(entry, Path), module.counts(entry, Path)


def check_answers(painter, data):
    """Of a set of red dogs and green cats: all are taken for dogs."""
    answered = painter.ask(data, ["dog", "cat"], {"red": "dog", "green": "dog"})
    assert answered.names == ["dog"] * len(data)
    assert answered.correct == [colour == "red" for colour in shown_colours(data)]
