"""A small byte-pair vocabulary in the file format of open_clip's ``SimpleTokenizer``.

``python -m stockpot.models.vocabulary FILE`` writes that of the embedded model.
"""

import gzip
import itertools
import sys
from collections import Counter
from pathlib import Path

from ..datasets.world.web import web_batch

WORD_END = "</w>"
BYTES = 256
MARKS = 2  # of the start and the end of a text

# The captions that the vocabulary is learned from; no other images have this seed.
CAPTIONS_PER_BATCH = 256
CAPTION_SEED = 10**6


def learn_merges(words: Counter[str]) -> list[tuple[str, str]]:
    """Merge the most frequent pair until every word is one token (Sennrich et al. 2016).

    Args:
        words: Word -> how often it occurs.

    Returns:
        The pairs in the order of their merges. Of pairs that are equally frequent, the last in
        alphabetical order comes first.
    """
    # A word begins as its letters; the last one carries the mark of the end.
    pieces_of = {}
    for word in words:
        pieces_of[word] = (*word[:-1], word[-1] + WORD_END)
    merges = []
    while True:
        pair_counts: Counter[tuple[str, str]] = Counter()
        for word, pieces in pieces_of.items():
            for pair in itertools.pairwise(pieces):
                pair_counts[pair] += words[word]
        if not pair_counts:
            return merges
        # The pair itself as the second criterion makes the result definite.
        best_pair = max(pair_counts, key=lambda pair: (pair_counts[pair], pair))
        merges.append(best_pair)
        for word, pieces in pieces_of.items():
            pieces_of[word] = _merged(pieces, best_pair)


def _merged(pieces: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """Make one piece of every occurrence of the pair, from the left."""
    merged = []
    i = 0
    while i < len(pieces):
        if pieces[i : i + 2] == pair:
            merged.append(pieces[i] + pieces[i + 1])
            i += 2
        else:
            merged.append(pieces[i])
            i += 1
    return tuple(merged)


def write_merges(merges: list[tuple[str, str]], path: Path) -> int:
    """Write the vocabulary file.

    Args:
        merges: Pairs in the order of their merges.
        path: The file.

    Returns:
        The number of tokens: each byte, each byte at the end of a word, the merges, and two marks.
    """
    lines = ["#version: stockpot"]
    lines += [" ".join(pair) for pair in merges]
    # Without a time stamp the file is the same every time.
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return 2 * BYTES + len(merges) + MARKS


def caption_words(batches: int = 40) -> Counter[str]:
    """Count the words of the rendered web's captions.

    Args:
        batches: How many batches of captions are read.

    Returns:
        Word -> how often it occurs.
    """
    words: Counter[str] = Counter()
    for step in range(batches):
        _, captions = web_batch(CAPTIONS_PER_BATCH, CAPTION_SEED, step)
        for caption in captions:
            words.update(caption.split())
    return words


if __name__ == "__main__":
    write_merges(learn_merges(caption_words()), Path(sys.argv[1]))
