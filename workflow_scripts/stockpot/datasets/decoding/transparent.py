"""How many of a user's own images have an alpha channel: from the first bytes of each file.

Said when a study is planned, as what is transparent in them is laid on a background that models
see.
"""

from collections.abc import Iterable

from ...runtime.file_kinds import PNG_MARK
from ...runtime.regular_files import open_regular
from .. import sources

MOST = 1000  # images that are looked at; of more, so many that are evenly spread
START = 8192  # bytes of a file: what says so comes before the pixels
ALPHA_COLOURS = (4, 6)  # colour types of PNG: grey and colours, with alpha
# Places of the flags in a WebP file, and in the header of a BMP of 32 bits.
VP8X_ALPHA = 0x10
GIF_CONTROL = b"\x21\xf9\x04"
VP8L_ALPHA = 1 << 28


def says_alpha(start: bytes) -> bool:
    """Does an image file with this beginning have an alpha channel, or a transparent colour?"""
    if start.startswith(PNG_MARK):
        return start[25:26] in [
            bytes([kind]) for kind in ALPHA_COLOURS
        ] or _clear_colour(start)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        if start[12:16] == b"VP8X":
            flags = start[20:21]  # missing in a file that is cut short
            return bool(flags) and bool(flags[0] & VP8X_ALPHA)
        return start[12:16] == b"VP8L" and bool(
            int.from_bytes(start[21:25], "little") & VP8L_ALPHA
        )
    if start[:4] == b"GIF8":
        control = start.find(GIF_CONTROL)
        flags = start[control + 3 : control + 4]
        return control >= 0 and bool(flags) and bool(flags[0] & 1)
    if start[:2] == b"BM" and start[28:30] == b"\x20\0":
        return int.from_bytes(start[14:18], "little") >= 56 and start[66:70] != bytes(4)
    return False


def _clear_colour(start: bytes) -> bool:
    """Is there a tRNS chunk before the pixels of a PNG?"""
    at = len(PNG_MARK)
    while at + 8 <= len(start) and start[at + 4 : at + 8] != b"IDAT":
        if start[at + 4 : at + 8] == b"tRNS":
            return True
        at += 12 + int.from_bytes(start[at : at + 4], "big")
    return False


def alpha_lines(datasets: dict[str, dict], names: Iterable[str], locate) -> list[str]:
    """A line for each source of own images that has some with an alpha channel, in words for the
    plan. Data sets of one source share one."""
    groups = {}
    for name in sorted(names):
        entry = datasets[name]
        if _lies_in_files(entry["source"]):
            background = sources.with_defaults(entry)["background"]
            read = sources.identity(entry, locate).read
            groups.setdefault((read, background), []).append(name)
    lines = []
    for (_, background), group in groups.items():
        entry = datasets[group[0]]
        places = sources.ask("places", entry, locate)
        counted = _counted(places)
        if counted:
            lines.append(
                f"datasets.{', '.join(group)}: {counted} have an alpha channel; background: "
                f"{background}"
            )
    return lines


def _lies_in_files(source: str) -> bool:
    """Are these a user's own images, each of which is some bytes of a file?"""
    own = source in sources.names() and sources.is_own(source)
    return own and hasattr(sources.module(source), "places")


def _counted(places: list[tuple[str, int]]) -> str:
    """How many have one, in words; "" where none has."""
    n = len(places)
    looked_at = min(n, MOST)
    rows = [place * n // looked_at for place in range(looked_at)]
    found = sum(says_alpha(_start(*places[row])) for row in rows)
    if not found:
        return ""
    if looked_at == n:
        return f"{found:,} of {n:,} images"
    return f"{found:,} of {looked_at:,} images that were looked at (of {n:,})"


def _start(path: str, first: int) -> bytes:
    """The first bytes of an image; none of one that cannot be read, which is told later."""
    try:
        with open_regular(path) as file:
            file.seek(first)
            return file.read(START)
    except OSError:
        return b""
