"""Tests how the vocabulary of captions is learned."""

import gzip
import json
from collections import Counter

import pytest

from stockpot.models.vocabulary import caption_words, learn_merges, write_merges
from tests.support.paths import ARCHITECTURE
from tests.support.rendered_sets import captioned_scenes, every_word


def read_merges(path):
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    return [tuple(line.split()) for line in lines[1:]]


def test_the_vocabulary_file_is_what_write_merges_writes(tmp_path):
    path = ARCHITECTURE / "bpe.txt.gz"
    merges = read_merges(path)
    settings = json.loads((ARCHITECTURE / "open_clip_config.json").read_text())
    size = write_merges(merges, tmp_path / "bpe.txt.gz")
    assert size == settings["model_cfg"]["text_cfg"]["vocab_size"]
    assert (tmp_path / "bpe.txt.gz").read_bytes() == path.read_bytes()
    assert all(len(pair) == 2 for pair in merges)
    assert len(set(merges)) == len(merges)


@pytest.mark.slow
def test_the_vocabulary_file_is_learned_from_the_captions(monkeypatch):
    monkeypatch.setattr("stockpot.datasets.world.web.render", lambda scenes: None)
    assert learn_merges(caption_words()) == read_merges(ARCHITECTURE / "bpe.txt.gz")


def test_the_vocabulary_holds_only_parts_of_words():
    words = {word + "</w>" for word in every_word()}
    for first, second in read_merges(ARCHITECTURE / "bpe.txt.gz"):
        assert any(first + second in word for word in words), (first, second)


def test_merges_are_learned_from_the_most_frequent_pair_down():
    words = Counter({"low": 5, "lower": 2, "newest": 6, "widest": 3})
    merges = learn_merges(words)
    assert merges[0] == ("s", "t</w>"), "9 times, as (e, s); the later one goes first"
    pieces = {"".join(pair) for pair in merges}
    assert {word + "</w>" for word in words} <= pieces
    assert learn_merges(Counter(dict(reversed(words.items())))) == merges


def test_learned_merges_make_one_token_of_every_word(tmp_path):
    from stockpot.models.third_party import open_clip

    words = Counter(word for text in captioned_scenes()[1] for word in text.split())
    merges = learn_merges(words)
    size = write_merges(merges, tmp_path / "bpe.txt.gz")
    tokenize = open_clip.SimpleTokenizer(
        bpe_path=str(tmp_path / "bpe.txt.gz"), context_length=20
    )
    assert tokenize.vocab_size == size
    assert [word for word in words if len(tokenize.encode(word)) != 1] == []
