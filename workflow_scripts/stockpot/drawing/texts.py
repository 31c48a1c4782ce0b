"""Texts that fit: how wide they are, how they are wrapped and shortened, and fonts for them."""

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
LONGEST = 10_000  # characters of a text that are looked at
# Tried first for characters that DejaVu Sans lacks; then every font of the machine is.
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
    font = _font(_font_path(FAMILY))
    if ord(character) not in font.get_charmap():
        return 1.0  # of another font: Chinese characters are as wide as high
    # At 72 dpi a point is a pixel; the size of 1,000 points makes up for whole pixels.
    font.set_size(1000, 72)
    glyph = font.load_char(ord(character), LoadFlags.NO_HINTING)
    # FreeType counts in 1/65536 of a pixel.
    return glyph.linearHoriAdvance / 65536 / 1000


def text_width(text: str, size: float) -> float:
    """Measure one line of text.

    Args:
        text: Without line breaks.
        size: Of the type, in points.

    Returns:
        Width in points.
    """
    return size * sum(_advance(character) for character in text)


def fit_text(
    text: object,
    room: float,
    size: float,
    lines: int = 1,
) -> str:
    """Wrap and shorten a text, so that no line is wider than the room.

    Lines break after blanks, hyphens and underscores and between Chinese characters, and within
    words only where these are wider than the room. A text that is too long for all lines loses
    its middle.

    Args:
        text: Anything; control characters are shown as escapes.
        room: Width in points.
        size: Of the type, in points.
        lines: Most lines.

    Returns:
        The lines, joined by line breaks.
    """
    whole = one_line(text, LONGEST)
    wrapped = _wrap(whole, room, size)
    kept = min(len(whole), 200)
    # One character less at a time, from the middle, until it fits.
    while len(wrapped) > lines and kept > 1:
        kept -= 1
        head_length = -(-kept // 2)  # rounded up
        tail_length = kept // 2
        tail = whole[len(whole) - tail_length :]
        wrapped = _wrap(
            whole[:head_length] + ELLIPSIS + tail,
            room,
            size,
        )
    return "\n".join(wrapped[:lines])


def breaks_words(
    text: str,
    room: float,
    size: float,
) -> bool:
    """Tell whether a word of a text is wider than the room.

    Args:
        text: The words.
        room: Width in points.
        size: Of the type, in points.

    Returns:
        Whether ``fit_text`` would break a word.
    """
    pieces = _pieces(one_line(text, LONGEST))
    return any(text_width(piece.rstrip(), size) > room for piece in pieces)


def _wrap(
    text: str,
    room: float,
    size: float,
) -> list[str]:
    """Lines of a text, none wider than the room; at least one."""
    lines = [""]
    for piece in _pieces(text):
        # A blank at the end of a line takes no room.
        extended = lines[-1] + piece
        if text_width(extended.rstrip(), size) <= room:
            lines[-1] = extended
            continue
        if lines[-1]:
            lines.append("")
        # A word that is wider than the room is broken between any two characters.
        for character in piece:
            if lines[-1] and text_width(lines[-1] + character, size) > room:
                lines.append("")
            lines[-1] += character
    stripped = [line.strip() for line in lines if line.strip()]
    return stripped or [""]


def _pieces(text: str) -> list[str]:
    """The text, cut where a line may end."""
    pieces = [""]
    for character in text:
        pieces[-1] += character
        # W and F: wide and full-width, that is Chinese, Japanese and Korean.
        is_wide = unicodedata.east_asian_width(character) in "WF"
        if is_wide or character in " -_/":
            pieces.append("")
    return [piece for piece in pieces if piece]


@cache
def _font_path(family: str) -> str:
    return font_manager.findfont(family, fallback_to_default=False)


@cache
def _font(path: str) -> FT2Font:
    return font_manager.get_font(path)


@cache
def _code_points(path: str) -> frozenset[int]:
    """What a font can draw; nothing if it cannot be read."""
    try:
        return frozenset(_font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def _without_glyph(characters: set[str], path: str) -> set[str]:
    """The characters that a font cannot draw."""
    code_points = _code_points(path)
    return {character for character in characters if ord(character) not in code_points}


def families_for(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    """Find fonts that together have all characters of some texts.

    Args:
        texts: Any texts.

    Returns:
        Families of fonts, the usual one first, and the characters that no font here has.
    """
    characters = set("".join(texts))
    visible = {character for character in characters if not character.isspace()}
    missing = _without_glyph(visible, _font_path(FAMILY))
    families = [FAMILY]
    if not missing:
        return families, missing  # without asking for all fonts, which takes long
    for family, path in _other_fonts():
        if not missing:
            break
        # A font that adds nothing is not taken.
        still_missing = _without_glyph(missing, path)
        if len(still_missing) < len(missing):
            families.append(family)
            missing = still_missing
    return families, missing


@cache
def _other_fonts() -> list[tuple[str, str]]:
    """(family, file) of all regular fonts of this machine, preferred ones first, by name."""
    entries = sorted(
        font_manager.fontManager.ttflist,
        key=lambda entry: (entry.name, entry.fname),
    )
    paths: dict[str, str] = {}
    for entry in entries:
        # The font "Last Resort" has a box for every character, and says nothing.
        is_usable = entry.name != FAMILY and "Last Resort" not in entry.name
        if is_usable and entry.style == "normal":
            paths.setdefault(entry.name, entry.fname)
    preferred = [name for name in PREFERRED if name in paths]
    others = [name for name in paths if name not in preferred]
    return [(name, paths[name]) for name in preferred + others]


def use_fonts(figure: Figure) -> set[str]:
    """Give every text of a figure the fonts that its characters need.

    Args:
        figure: Its texts are changed.

    Returns:
        The characters that no font of this machine has.
    """
    # Texts of ticks and legends are found, too.
    texts = figure.findobj(Text)
    families, missing = families_for(text.get_text() for text in texts)
    if len(families) > 1:
        for text in texts:
            text.set_fontfamily(families)
    return missing
