"""Texts that fit: how wide they are, wrapped and shortened, and fonts for their characters."""

import unicodedata
from collections.abc import Iterable
from functools import cache

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.text import Text

from ..runtime.escape import one_line

FAMILY = "DejaVu Sans"  # shipped with matplotlib: the same on every machine
ELLIPSIS = "…"
# Asked first for characters that DejaVu Sans lacks; then every font of the machine is.
PREFERRED = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Emoji",
    "Symbola",
    "Unifont",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Nirmala UI",
    "Segoe UI Emoji",
)


@cache
def _advance(character: str) -> float:
    """Width of a character, in units of the size of the type."""
    font = _font(_path(FAMILY))
    if ord(character) not in font.get_charmap():
        return 1.0  # of another font: Chinese characters are as wide as high
    font.set_size(1000, 72)
    return (
        font.load_char(ord(character), LoadFlags.NO_HINTING).linearHoriAdvance
        / 65536
        / 1000
    )


def width(text: str, size: float) -> float:
    """Width of one line in points, of type of this size."""
    return size * sum(_advance(character) for character in text)


def fit(text: object, room: float, size: float, lines: int = 1) -> str:
    """A text of at most so many lines, none wider than ``room``.

    Breaks after blanks, hyphens and underscores and between Chinese characters, and within words
    only where these are wider than the room. What is too long for all lines loses its middle.

    Args:
        text: Anything; control characters are shown as escapes.
        room: Width in points.
        size: Of the type, in points.
        lines: Most lines.
    """
    whole = one_line(text, 10_000)
    wrapped = _wrap(whole, room, size)
    keep = min(len(whole), 200)
    while len(wrapped) > lines and keep > 1:
        keep -= 1
        head = -(-keep // 2)
        shortened = whole[:head] + ELLIPSIS + whole[len(whole) - keep // 2 :]
        wrapped = _wrap(shortened, room, size)
    return "\n".join(wrapped[:lines])


def breaks_words(text: str, room: float, size: float) -> bool:
    """Is a word of the text wider than the room?"""
    return any(
        width(piece.rstrip(), size) > room for piece in _pieces(one_line(text, 10_000))
    )


def _wrap(text: str, room: float, size: float) -> list[str]:
    lines = [""]
    for piece in _pieces(text):
        if width((lines[-1] + piece).rstrip(), size) <= room:
            lines[-1] += piece
            continue
        if lines[-1]:
            lines.append("")
        for character in piece:
            if lines[-1] and width(lines[-1] + character, size) > room:
                lines.append("")
            lines[-1] += character
    return [line.strip() for line in lines if line.strip()] or [""]


def _pieces(text: str) -> list[str]:
    """The text, cut where a line may end."""
    pieces = [""]
    for character in text:
        pieces[-1] += character
        if character in " -_/" or unicodedata.east_asian_width(character) in "WF":
            pieces.append("")
    return [piece for piece in pieces if piece]


@cache
def _path(family: str) -> str:
    return font_manager.findfont(family, fallback_to_default=False)


@cache
def _font(path: str) -> FT2Font:
    return font_manager.get_font(path)


@cache
def _characters(path: str) -> frozenset[int]:
    """What a font can draw; nothing of one that cannot be read."""
    try:
        return frozenset(_font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def families_for(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    """Fonts for some texts, the usual one first, and the characters that no font here has."""
    wanted = {c for text in texts for c in text if not c.isspace()}
    missing = {c for c in wanted if ord(c) not in _characters(_path(FAMILY))}
    families = [FAMILY]
    for family, path in _others() if missing else ():
        if not missing:
            break
        has = {c for c in missing if ord(c) in _characters(path)}
        if has:
            families.append(family)
            missing -= has
    return families, missing


@cache
def _others() -> list[tuple[str, str]]:
    """(family, file) of all regular fonts of this machine, preferred ones first, by name."""
    found = {}
    for entry in sorted(
        font_manager.fontManager.ttflist, key=lambda e: (e.name, e.fname)
    ):
        if (
            entry.style == "normal"
            and entry.name != FAMILY
            and "Last Resort" not in entry.name
        ):
            found.setdefault(entry.name, entry.fname)
    order = [name for name in PREFERRED if name in found]
    return [
        (name, found[name]) for name in [*order, *(n for n in found if n not in order)]
    ]


def use_fonts(figure: Figure) -> set[str]:
    """Give every text of a figure the fonts that its characters need; those that none has."""
    texts = figure.findobj(Text)
    families, missing = families_for(text.get_text() for text in texts)
    if len(families) > 1:
        for text in texts:
            text.set_fontfamily(families)
    return missing
