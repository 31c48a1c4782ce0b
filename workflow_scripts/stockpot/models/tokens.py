"""How many tokens a text has for CLIP's tokenizer, without open_clip: planning stays light.

The same byte-pair encoding as ``open_clip.tokenizer.SimpleTokenizer``, of which only the pieces are
wanted and not their numbers.
"""

import gzip
import html
import itertools
import re
import string
from functools import cached_property, lru_cache
from pathlib import Path

from .files import OPENAI_MERGES
from .named import package_folder

STANDARD = "bpe_simple_vocab_16e6.txt.gz"
# Endings, letters, digits one by one, and the rest. Numerals that are no digits count as letters
# here, unlike in open_clip, whose pattern needs another library.
WORDS = re.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE
)
# A word's pairs are merged in time that grows with its square; no model reads that many tokens.
LONGEST_WORD = 1000
_PUNCTUATION = str.maketrans("", "", string.punctuation)


class Tokens:
    """The pieces that a text is cut into.

    vocabulary: file of merges; None for CLIP's own. clean: as open_clip's option of a tokenizer.
    """

    def __init__(self, vocabulary: Path | None = None, clean: str = "lower"):
        self._vocabulary = vocabulary
        self._letters = _letters_of_bytes()
        self._clean = clean
        self._word = lru_cache(100_000)(self._pieces_of_word)

    @cached_property
    def _ranks(self) -> dict[tuple[str, ...], int]:
        """Pair of pieces -> when it is merged; read when a text is cut, which few plans need."""
        path = self._vocabulary or package_folder() / STANDARD
        merges = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
        return {
            tuple(merge.split()): i
            for i, merge in enumerate(merges[1 : OPENAI_MERGES + 1])
        }

    def cleaned(self, text: str) -> str:
        """The text as the tokenizer sees it: texts that differ in nothing else give one row."""
        text = " ".join(html.unescape(html.unescape(text)).split())
        if self._clean == "canonicalize":
            text = " ".join(text.replace("_", " ").translate(_PUNCTUATION).split())
        return text if self._clean == "whitespace" else text.lower()

    def pieces(self, text: str) -> list[str]:
        """Tokens of a text, without the two marks around it."""
        found = []
        for word in WORDS.findall(self.cleaned(text)):
            found += self._word(word[:LONGEST_WORD])
        return found

    def _pieces_of_word(self, word: str) -> tuple[str, ...]:
        letters = [self._letters[byte] for byte in word.encode("utf-8", "replace")]
        pieces = [*letters[:-1], letters[-1] + "</w>"]
        while len(pieces) > 1:
            pairs = list(itertools.pairwise(pieces))
            best = min(pairs, key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            pieces = _merged(pieces, best)
        return tuple(pieces)


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """Every occurrence of the pair, from the left, as one piece."""
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
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable}
    return letters | {byte: chr(256 + i) for i, byte in enumerate(others)}
