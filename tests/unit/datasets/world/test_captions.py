"""Tests captions: what they name, and how long they are."""

import re

import numpy as np
import pytest

from stockpot.datasets.world import captions as captions_code
from stockpot.datasets.world import glyphs, vocabulary
from stockpot.datasets.world.captions import captions
from stockpot.datasets.world.distributions import DISTRIBUTIONS
from stockpot.datasets.world.scene import KINDS, sample_scenes
from tests.support.rendered_sets import captioned_scenes, every_word


def class_of(kind: str, text: str) -> str | None:
    """The class that a caption names, read from its words."""
    if kind == "glyph":
        found = re.search(r"\b(?:letter|digit|number) (\w+)", text)
        return found and found[1]
    if kind == "swatch":
        found = re.search(r"\b(\w+) (?:texture|surface|pattern)\b", text)
        return found and found[1]
    found = set(text.split()) & set(vocabulary.SHAPES)
    return found.pop() if found else None


def test_captions_leave_out_or_mistake_the_class_at_their_rates():
    scenes, texts = captioned_scenes()
    names = {
        "object": vocabulary.SHAPES,
        "glyph": vocabulary.GLYPHS,
        "swatch": vocabulary.PATTERNS,
    }
    index = {"object": scenes.shape, "glyph": scenes.glyph, "swatch": scenes.material}
    without = wrong = 0
    for i, text in enumerate(texts):
        kind = KINDS[scenes.kind[i]]
        named = class_of(kind, text)
        without += named is None
        wrong += named is not None and named != names[kind][index[kind][i]]
    assert captions_code.WITHOUT_CLASS == 0.10
    assert captions_code.WRONG_CLASS == 0.05
    assert abs(without / 3000 - 0.10) < 0.025
    assert (
        abs(wrong / 3000 - 0.05 * 0.94) < 0.02
    )  # a wrong draw may hit the right class


def test_captions_never_name_a_colour_that_cannot_be_seen():
    rng = np.random.default_rng(0)
    scenes = sample_scenes(DISTRIBUTIONS["sketch"], 300, rng)
    for text in captions(scenes, rng):
        object_part = text.split(" on ")[0].split(" in front ")[0]
        if not text.startswith("something"):
            assert not set(object_part.split()) & set(vocabulary.COLOURS), text


def test_another_draw_gives_other_words():
    scenes, texts = captioned_scenes()
    other = captions(scenes, np.random.default_rng(12))
    assert sum(a != b for a, b in zip(texts, other)) > 1500
    assert len(set(texts)) > 1000


def test_the_list_of_words_is_complete():
    assert {
        word for text in captioned_scenes()[1] for word in text.split()
    } <= every_word()


def test_every_word_is_one_token(clip):
    tokenize = clip[1]
    assert {
        word: tokenize.encode(word)
        for word in every_word()
        if len(tokenize.encode(word)) != 1
    } == {}
    tokens = [tokenize.encode(word)[0] for word in every_word()]
    assert len(set(tokens)) == len(tokens)


@pytest.mark.slow
def test_every_caption_fits_into_the_context(clip):
    model, tokenize = clip
    texts = sorted(set(captioned_scenes()[1]))
    lengths = [len(tokenize.encode(text)) + 2 for text in texts]
    assert max(lengths) <= model.context_length == tokenize.context_length
    tokens = tokenize(texts)
    assert tokens.shape == (len(texts), model.context_length)
    assert ((tokens != 0).sum(1).numpy() == lengths).all()
    assert [
        tokenize.decode(tokenize.encode(text)).strip() for text in texts[:50]
    ] == texts[:50]


def test_the_longest_possible_caption_fits(clip):
    """The templates filled with the longest of everything."""
    module, typeface = (
        captions_code,
        max(glyphs.TYPEFACES, key=lambda face: len(face.split())),
    )
    longest = max(
        (m for media in module.MEDIA.values() for m in media),
        key=lambda m: len(m.split()),
    )
    thing = f"the red letter q in {typeface} type"
    for text in (
        *module._TEMPLATES,
        *module._TEMPLATES_WITH_BACKGROUND,
        *module._TEMPLATES_WITHOUT_CLASS,
    ):
        text = text.format(medium=longest, thing=thing, ground="red striped")
        assert len(clip[1].encode(text)) + 2 <= clip[0].context_length
