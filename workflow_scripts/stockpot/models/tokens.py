"""How many tokens a text has for CLIP's tokenizer, without open_clip: planning stays light.

The byte-pair encoding is that of ``open_clip.tokenizer.SimpleTokenizer``. Only the pieces are
needed here, not their numbers.
"""

import gzip
import html
import itertools
import re
import string
from functools import cached_property, lru_cache
from pathlib import Path

from .files import OPENAI_MERGES
from .hub_models import package_folder

STANDARD_VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"

# Endings, letters, digits one by one, and the rest. Numerals that are no digits count as letters
# here, unlike in open_clip, whose pattern needs another library.
WORDS = re.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE
)
# A word's pairs are merged in time that grows with its square; no model reads that many tokens.
LONGEST_WORD = 1000
CACHED_WORDS = 100_000
WORD_END = "</w>"

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class Tokens:
    """Cuts texts into tokens."""

    def __init__(self, vocabulary: Path | None = None, clean: str = "lower"):
        """Choose the vocabulary; it is not read yet.

        Args:
            vocabulary: File of merges; None for CLIP's own.
            clean: How texts are cleaned, as open_clip's option of a tokenizer.
        """
        self._vocabulary = vocabulary
        self._letters = _letters_of_bytes()
        self._clean = clean
        self._word = lru_cache(CACHED_WORDS)(self._pieces_of_word)

    @cached_property
    def _ranks(self) -> dict[tuple[str, ...], int]:
        """Pair of pieces -> when it is merged; read when a text is cut, which few plans need."""
        path = self._vocabulary or package_folder() / STANDARD_VOCABULARY
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
        # The first line is a comment.
        merges = lines[1 : OPENAI_MERGES + 1]
        return {tuple(merge.split()): rank for rank, merge in enumerate(merges)}

    def cleaned(self, text: str) -> str:
        """Clean a text as the tokenizer does.

        Args:
            text: Any text.

        Returns:
            What the tokenizer sees. Texts that are equal by then get the same row of a head.
        """
        # Twice, as in open_clip: texts of web pages are often escaped twice.
        unescaped = html.unescape(html.unescape(text))
        text = " ".join(unescaped.split())
        if self._clean == "canonicalize":
            words = text.replace("_", " ").translate(_NO_PUNCTUATION).split()
            text = " ".join(words)
        if self._clean == "whitespace":
            return text
        return text.lower()

    def pieces(self, text: str) -> list[str]:
        """Cut a text into tokens.

        Args:
            text: Any text.

        Returns:
            Its tokens, without the two marks around it.
        """
        pieces = []
        for word in WORDS.findall(self.cleaned(text)):
            pieces += self._word(word[:LONGEST_WORD])
        return pieces

    def _pieces_of_word(self, word: str) -> tuple[str, ...]:
        """Byte-pair encoding: merge the pair that the vocabulary has first, until it has none."""
        letters = [self._letters[byte] for byte in word.encode("utf-8", "replace")]
        pieces = [*letters[:-1], letters[-1] + WORD_END]
        no_rank = len(self._ranks)
        while len(pieces) > 1:
            pairs = list(itertools.pairwise(pieces))
            first_pair = min(pairs, key=lambda pair: self._ranks.get(pair, no_rank))
            if first_pair not in self._ranks:
                break
            pieces = _merged(pieces, first_pair)
        return tuple(pieces)


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """Make one piece of every occurrence of the pair, from the left."""
    merged = []
    i = 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == pair:
            merged.append(pieces[i] + pieces[i + 1])
            i += 2
        else:
            merged.append(pieces[i])
            i += 1
    return merged


def _letters_of_bytes() -> dict[int, str]:
    """GPT-2's printable letter for every byte: itself, or one above 255."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(0xA1, 0xAD),
        *range(0xAE, 0x100),
    ]
    letters = {byte: chr(byte) for byte in printable}
    others = [byte for byte in range(256) if byte not in printable]
    for index, byte in enumerate(others):
        letters[byte] = chr(256 + index)
    return letters
