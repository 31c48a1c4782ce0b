"""A small byte-pair vocabulary in the file format of open_clip's ``SimpleTokenizer``.

``python -m stockpot.models.vocabulary FILE`` writes that of the embedded model.
"""

import gzip
import itertools
import sys
from collections import Counter
from pathlib import Path

from ..datasets.world.web import web_batch


def learn_merges(words: Counter) -> list[tuple[str, str]]:
    """Merge the most frequent pair until every word is one token (Sennrich et al. 2016)."""
    pieces = {word: (*word[:-1], word[-1] + "</w>") for word in words}
    merges = []
    while True:
        pairs = Counter()
        for word, parts in pieces.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += words[word]
        if not pairs:
            return merges
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        pieces = {word: _merge(parts, best) for word, parts in pieces.items()}


def _merge(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    out, i = [], 0
    while i < len(parts):
        if parts[i : i + 2] == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


def write_merges(merges: list[tuple[str, str]], path: Path) -> int:
    """Write the file and return the vocabulary size: bytes, byte ends, merges, 2 specials."""
    lines = ["#version: stockpot", *(" ".join(pair) for pair in merges)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return 512 + len(merges) + 2


def caption_words(batches: int = 40) -> Counter:
    """Words of the web's captions and how often they occur."""
    words = Counter()
    for step in range(batches):
        for caption in web_batch(256, 10**6, step)[1]:
            words.update(caption.split())
    return words


if __name__ == "__main__":
    write_merges(learn_merges(caption_words()), Path(sys.argv[1]))
