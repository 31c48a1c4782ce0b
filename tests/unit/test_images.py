"""Images of other people: formats, bounds, short data, colours of all kinds, transparency."""

import io
import re
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets import sources
from stockpot.datasets.dataset import read_card, read_dataset
from stockpot.datasets.decoding import alpha_channel
from stockpot.datasets.decoding import decode as module
from stockpot.datasets.decoding.alpha_channel import alpha_lines, declares_alpha
from stockpot.datasets.decoding.colours import has_alpha
from stockpot.datasets.decoding.decode import UnreachableError, decode, decode_all
from stockpot.datasets.decoding.memory_bounds import Budget
from stockpot.datasets.decoding.opening import UnreadFormatError, open_image, webp_size
from stockpot.datasets.decoding.transform import Transform
from stockpot.datasets.examples import ImageFile, Pixels
from stockpot.datasets.names import read_names
from stockpot.datasets.prepare import prepare
from stockpot.datasets.remarks import remarks
from stockpot.runtime.errors import StockpotError
from tests.support.data_specs import encoded_spec
from tests.support.paths import ROOT

WHITE = Transform(8, background="white", as_stored=False)


class Encoded:
    """The bytes of an image file."""

    def __init__(self, data, name="own.png"):
        self.data, self.name = data, name

    def open(self):
        return open_image(self.data)


def noise(width, height, bands=3, low=0, high=256, dtype=np.uint8):
    pixels = np.random.default_rng(0).integers(
        low, high, (height, width, bands), dtype=dtype
    )
    return pixels[..., 0] if bands == 1 else pixels


def file(image, kind="PNG", **options):
    stream = io.BytesIO()
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name, data):
    return (
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
    )


def png(width, height, depth, colours, rows, interlaced=0, before=b""):
    """A PNG of raw rows, each with its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


# Formats.

POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
)


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.eps"])
def test_postscript_starts_no_program(tmp_path, monkeypatch, name):
    """Pillow would run gs, the first one on the path."""
    ghostscript, called = tmp_path / "bin/gs", tmp_path / "called"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\necho called >> {called}\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", str(ghostscript.parent), prepend=":")
    (tmp_path / name).write_bytes(POSTSCRIPT)
    with pytest.raises(
        StockpotError, match=r"not a readable image \(PostScript is not read"
    ):
        decode(ImageFile(str(tmp_path / name)), WHITE)
    assert not called.exists()


@pytest.mark.parametrize(
    "kind", ["TIFF", "JPEG2000", "ICNS", "TGA", "PPM", "ICO", "PCX", "SGI"]
)
def test_formats_that_are_not_needed_are_not_read(kind):
    image = Image.fromarray(noise(32, 32)).convert("RGB")
    with pytest.raises(UnreadFormatError):
        open_image(file(image, kind))
    with pytest.raises(StockpotError, match=r"^own\.png: not a readable image \("):
        decode(Encoded(file(image, kind)), WHITE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF"])
def test_formats_that_are_needed_are_read_whatever_the_name(kind):
    grey = np.full((8, 8, 3), 200, np.uint8)
    found = decode(Encoded(file(grey, kind)), WHITE)
    assert (abs(found.astype(int) - 200) <= 2).all()


def test_a_pointer_instead_of_an_image_says_what_to_do():
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    with pytest.raises(StockpotError, match="git lfs pull fetches"):
        decode(Encoded(pointer), WHITE)


# Bounds.


def declared_webp(width, height):
    bits = (width - 1) | (height - 1) << 14
    body = (
        b"WEBPVP8L" + struct.pack("<IB", 10, 0x2F) + struct.pack("<I", bits) + b"\0" * 6
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_the_size_of_a_webp_is_known_before_it_is_opened():
    for options in ({}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}):
        assert webp_size(file(noise(31, 20), "WEBP", **options)) == (31, 20), options
    assert webp_size(file(noise(31, 20, 4), "WEBP")) == (31, 20)
    assert webp_size(file(noise(9, 9))) is None


BOMBS = {
    "png": lambda: png(9000, 9000, 8, 2, b""),
    "png of a palette": lambda: png(
        13000, 13000, 8, 3, b"", before=chunk(b"PLTE", b"abc")
    ),
    "webp": lambda: declared_webp(16000, 10000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_pixels_that_a_file_is_too_small_for_are_refused_before_they_take_memory(
    kind, monkeypatch
):
    monkeypatch.setattr(np, "empty", None)  # nothing is asked for
    with pytest.raises(
        StockpotError, match=r"pixels in \d+ bytes need [\d,]+ MB of memory"
    ):
        decode(Encoded(BOMBS[kind]()), WHITE)


def test_a_photograph_of_fifty_megapixels_may_be_read():
    """Of about ten megabytes, in each format, and progressive."""
    size, n = (8660, 5780), 10_000_000
    for kind, progressive in (
        ("JPEG", False),
        ("JPEG", True),
        ("WEBP", False),
        ("PNG", False),
    ):
        assert (
            module.require_few_pixels(size, kind, "RGB", n, progressive=progressive)
            < 720e6
        )


def test_a_progressive_file_of_many_scans_is_refused():
    """Each goes through all pixels, and a few bytes hold one."""
    data = file(noise(64, 64), "JPEG", progressive=True)
    assert decode(Encoded(data), WHITE).shape == (8, 8, 3)
    last = data.rindex(b"\xff\xda")
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x3f\x3f\x00" + b"\0"
    many = data[:last] + scan * 101 + data[last:]
    with pytest.raises(
        StockpotError, match="a progressive JPEG of more than 100 scans"
    ):
        decode(Encoded(many), WHITE)


@pytest.mark.parametrize("skip", [False, True])
def test_a_lack_of_memory_is_never_a_corrupt_image(tmp_path, skip, monkeypatch):
    def without_memory(image):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", lambda *_: without_memory(None))
    images = [Pixels(noise(9, 9), str(i)) for i in range(3)]
    with pytest.raises(UnreachableError, match=r"^0: no memory left to decode it"):
        decode_all(images, WHITE, tmp_path, skip=skip)


def test_images_side_by_side_share_a_budget():
    budget = Budget(100)
    with budget.hold(60), budget.hold(40):
        assert budget.taken == 100
    with budget.hold(1000):  # alone
        assert budget.taken == 1000
    with pytest.raises(MemoryError), budget.hold(1 << 60):
        pass
    assert budget.taken == 0


# Data that end early.


def cut_png(
    colours, channels, depth=8, interlaced=0, rows=10, height=16, width=16, before=b""
):
    """A whole PNG, and one whose data end after some rows, properly packed."""
    row = b"\0" + bytes([200]) * (width * channels * depth // 8)
    if not interlaced:
        return (
            png(width, height, depth, colours, row * height, before=before),
            png(width, height, depth, colours, row * rows, before=before),
        )
    whole = file(np.full((height, width, 3), 200, np.uint8))
    total = b""
    for columns, lines in ((2, 2), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8), (16, 8)):
        total += (b"\0" + bytes([200]) * columns * channels) * lines
    return (
        (
            png(width, height, depth, colours, total, 1),
            png(width, height, depth, colours, total[: len(total) // 2], 1),
        )
        if whole
        else None
    )


@pytest.mark.parametrize(
    "case",
    [
        {"colours": 2, "channels": 3},
        {"colours": 6, "channels": 4},
        {"colours": 0, "channels": 1},
        {"colours": 4, "channels": 2},
        {"colours": 2, "channels": 3, "depth": 16},
        {"colours": 2, "channels": 3, "interlaced": 1},
        {"colours": 2, "channels": 3, "rows": 15},
        {"colours": 2, "channels": 3, "rows": 0},
        {"colours": 3, "channels": 1, "before": chunk(b"PLTE", b"abc" * 256)},
    ],
    ids=str,
)
def test_a_png_whose_data_end_early_is_refused(case):
    whole, cut = cut_png(**case)
    assert decode(Encoded(whole), WHITE).shape == (8, 8, 3)
    with pytest.raises(StockpotError, match="truncated"):
        decode(Encoded(cut), WHITE)


def test_a_png_that_is_black_or_clear_at_its_end_is_whole():
    black = np.zeros((20, 20, 3), np.uint8)
    clear = np.zeros((20, 20, 4), np.uint8)
    for pixels in (black, clear, black[..., 0]):
        assert decode(Encoded(file(pixels)), WHITE).shape == (8, 8, 3)


@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 0}, {"grey": True}, {"quality": 30}], ids=str
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_jpeg_whose_data_end_early_but_properly_is_refused(options, share):
    pixels = noise(64, 64, 1 if options.pop("grey", False) else 3)
    data = file(pixels, "JPEG", **options)
    start = data.index(b"\xff\xda")
    cut = data[: start + int(share * (len(data) - start))].rstrip(b"\xff") + b"\xff\xd9"
    assert decode(Encoded(data), WHITE).shape == (8, 8, 3)
    with pytest.raises(StockpotError, match="truncated"):
        decode(Encoded(cut), WHITE)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_progressive_jpeg_without_its_last_scans_is_refused(mode, share):
    data = file(Image.fromarray(noise(64, 64)).convert(mode), "JPEG", progressive=True)
    assert decode(Encoded(data), WHITE).shape == (8, 8, 3)
    cut = data[: int(share * len(data))].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(StockpotError, match="truncated"):
        decode(Encoded(cut), WHITE)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(64, 64), (37, 19)], ids=str)
def test_a_jpeg_that_is_grey_at_its_end_is_whole(mode, size):
    grey = Image.new(mode, size, (128,) * len(mode) if len(mode) > 1 else 128)
    grey.paste(Image.fromarray(noise(10, 10)).convert(mode), (0, 0))
    for options in (
        {},
        {"progressive": True},
        {"restart_marker_blocks": 2},
        {"quality": 95},
    ):
        assert decode(Encoded(file(grey, "JPEG", **options)), WHITE).shape == (8, 8, 3)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP"])
def test_other_formats_whose_data_end_early_are_refused(kind):
    data = file(noise(64, 64), kind)
    with pytest.raises(StockpotError, match="not a readable image"):
        decode(Encoded(data[: len(data) // 2]), WHITE)


# Kinds of pixels.


def test_the_upper_eight_of_sixteen_bits_are_taken():
    grey = noise(8, 8, 1)
    deep = file(grey.astype(np.uint16) * 257)
    assert (decode(Encoded(deep), WHITE) == grey[..., None]).all()
    odd = noise(8, 8, 1, high=65536, dtype=np.uint16)
    assert (decode(Encoded(file(odd)), WHITE) == (odd >> 8)[..., None]).all()


@pytest.mark.parametrize(("colours", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_colours_of_sixteen_bits_too(colours, channels):
    values = noise(8, 8, channels, high=65536, dtype=np.uint16)
    if colours in (4, 6):
        values.reshape(64, channels)[:, -1] = 65535
    lines = values.reshape(8, -1).astype(">u2")
    rows = b"".join(b"\0" + line.tobytes() for line in lines)
    found = decode(Encoded(png(8, 8, 16, colours, rows)), WHITE)
    opaque = values.reshape(8, 8, channels)[..., : 1 if channels < 3 else 3]
    assert (found == (opaque >> 8)).all()


@pytest.mark.parametrize(("colours", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_twelve_bits_in_sixteen_are_refused(colours, channels):
    """They would be all but black."""
    values = noise(8, 8, channels, high=4096, dtype=np.uint16).reshape(8, 8, channels)
    if channels == 4:
        values[..., 3] = 65535
    rows = b"".join(
        b"\0" + line.tobytes() for line in values.reshape(8, -1).astype(">u2")
    )
    with pytest.raises(
        StockpotError, match=r"^own\.png: .*16 bits.* convert it to 8 bits"
    ):
        decode(Encoded(png(8, 8, 16, colours, rows)), WHITE)


@pytest.mark.parametrize("mode", ["F", "I", "LAB", "HSV"])
def test_values_without_a_known_range_are_refused(mode):
    class Opened(Encoded):
        def open(self):
            return Image.new(mode, (9, 9))

    with pytest.raises(
        StockpotError, match=r"^own\.png: .* convert it to 8 bits per channel"
    ):
        decode(Opened(b""), WHITE)


def test_palettes_are_resized_as_colours():
    """By the nearest entries, a fine pattern becomes one of its colours, or the other."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    image = Image.fromarray(stripes)
    expected = decode(Encoded(file(image)), WHITE)
    assert abs(expected.astype(int) - 128).max() <= 20
    for other in (image.quantize(4), image.convert("1")):
        assert other.mode in ("P", "1")
        for background in ("white", "black"):
            transform = Transform(8, background=background, as_stored=False)
            assert (decode(Encoded(file(other)), transform) == expected).all(), (
                other.mode
            )
    assert (decode(Encoded(file(image.quantize(4), "GIF")), WHITE) == expected).all()


# Transparency.

RED = (255, 0, 0)


def emoji(alpha=255):
    """A red disc on nothing."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[4:12, 4:12] = (*RED, alpha)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("background", "colour"),
    [
        ("white", (255,) * 3),
        ("#ffffff", (255,) * 3),
        ("lime", (0, 255, 0)),
        ("#102030", (16, 32, 48)),
        ("black", (0, 0, 0)),
        ("#000000", (0, 0, 0)),
    ],
)
def test_what_is_clear_shows_the_background(background, colour):
    transform = Transform(16, background=background, as_stored=False)
    grey = Image.merge("LA", [Image.new("L", (16, 16), 90), emoji().getchannel("A")])
    palette = emoji().quantize(8)
    for image, inside in ((emoji(), RED), (grey, (90,) * 3), (palette, RED)):
        found = decode(Encoded(file(image)), transform)
        if background not in ("black", "#000000") or image.mode != "LA":
            assert tuple(found[0, 0]) == colour, image.mode
        assert tuple(found[8, 8]) == inside, image.mode
    webp = decode(Encoded(file(emoji(), "WEBP", lossless=True, exact=True)), transform)
    assert tuple(webp[0, 0]) == colour
    assert tuple(webp[8, 8]) == RED


def test_what_is_half_clear_is_mixed_with_the_background():
    found = decode(Encoded(file(emoji(128))), Transform(16, background="white"))
    assert found[8, 8].tolist() == [255, 127, 127]


def test_an_image_on_a_background_is_the_flattened_image():
    """However it is resized."""
    pixels = noise(40, 31, 4)
    flat = Image.new("RGB", (40, 31), "teal")
    flat.paste(Image.fromarray(pixels), mask=Image.fromarray(pixels).getchannel("A"))
    for mode in ("shortest", "longest", "squash"):
        transform = Transform(16, mode, background="teal")
        expected = decode(Encoded(file(flat)), transform)
        assert (decode(Encoded(file(pixels)), transform) == expected).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
@pytest.mark.parametrize("background", ["white", "#123456"])
def test_images_without_transparency_need_no_background(mode, background):
    image = Image.fromarray(noise(20, 20)).convert(mode)
    plain = Transform(8, background="black", as_stored=False)
    other = Transform(8, background=background, as_stored=False)
    assert (
        decode(Encoded(file(image)), other) == decode(Encoded(file(image)), plain)
    ).all()


@pytest.mark.parametrize(
    ("depth", "colours", "key", "row"),
    [
        (8, 2, (9, 8, 7), bytes([9, 8, 7, 9, 8, 6])),
        (16, 2, (0x0908, 0x0807, 0x0706), b"\x09\x08\x08\x07\x07\x06" + b"\xff" * 6),
        (8, 0, (9,), bytes([9, 8])),
        (16, 0, (0x0908,), b"\x09\x08\xff\xff"),
        (4, 0, (9,), bytes([0x98])),
        (1, 0, (1,), bytes([0x80])),
    ],
)
def test_one_colour_may_be_clear(depth, colours, key, row):
    """The first of two pixels, in the file's own bits."""
    clear = chunk(b"tRNS", b"".join(struct.pack(">H", value) for value in key))
    data = png(2, 1, depth, colours, b"\0" + row, before=clear)
    found = decode(Encoded(data), Transform(2, "squash", "bilinear", background="lime"))
    assert found[0, 0].tolist() == [0, 255, 0]
    assert found[0, 1].tolist() != [0, 255, 0]


def test_errors_are_one_short_line():
    with pytest.raises(StockpotError) as error:
        decode(Encoded(b"no image" * 999, "a\x1b[31m.png"), WHITE)
    assert re.fullmatch(r"[^\n]{1,500}", str(error.value))


# From a folder to a data set.


def disc(folder, name, value):
    """A picture of its own: a square whose place follows from ``value``."""
    pixels = np.full((16, 16, 3), 60, np.uint8)
    pixels[value % 12 : value % 12 + 4, value // 12 : value // 12 + 4] = 220
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file(pixels))
    return path


def made(folder, to, **options):
    prepare(to, encoded_spec("folder", 16, path=str(folder), **options))
    return read_dataset(to), read_card(to)


@pytest.fixture
def animals(tmp_path):
    for value in range(6):
        disc(tmp_path / "own", f"{('ant', 'bee')[value % 2]}/{value}.png", value)
    return tmp_path / "own"


def test_images_of_ones_own_are_laid_on_white_and_counted(animals, tmp_path, caplog):
    emoji().save(animals / "ant/emoji.png")
    data, card = made(animals, tmp_path / "out")
    row = read_names(tmp_path / "out", range(7)).index(f"{animals}/ant/emoji.png")
    assert data.images[row][0, 0].tolist() == [255, 255, 255]
    assert card["source"]["alpha"] == 1
    assert card["source"]["background"] == "white"
    assert "1 of 7 images have an alpha channel; background: white" in caplog.text
    assert remarks(card) == ["own: images with an alpha channel: 1; background: white."]
    black, _ = made(animals, tmp_path / "black", background="black")
    assert black.images[row][0, 0].tolist() == [0, 0, 0]
    assert black.fingerprint != data.fingerprint


def test_only_images_that_count_are_counted_as_transparent(
    animals, tmp_path, monkeypatch
):
    """Neither those that repeat another, nor those that cannot be read, in whatever shard."""
    monkeypatch.setattr(module, "SHARD", 3)
    for name in ("ant/emoji.png", "ant/emoji_again.png", "bee/broken.png"):
        emoji().save(animals / name)
    disc(animals, "bee/other.png", 7)
    broken = animals / "bee/broken.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    _, card = made(animals, tmp_path / "out", on_corrupt="skip")
    assert card["source"]["alpha"] == 1
    assert card["source"]["equal"] == 1
    assert card["source"]["left_out"] == 1
    _, card = made(animals, tmp_path / "kept", on_corrupt="skip", duplicates="keep")
    assert card["source"]["alpha"] == 2


def test_an_image_that_is_there_twice_counts_once(animals, tmp_path, caplog):
    again = animals / "bee/again.png"
    again.write_bytes((animals / "bee/3.png").read_bytes())
    data, card = made(animals, tmp_path / "out")
    assert len(data) == 6
    assert card["source"]["equal"] == 1
    assert np.bincount(data.labels).tolist() == [3, 3]
    assert f"the same image: {animals}/bee/3.png and {again}" in caplog.text
    assert remarks(card) == ["own: 1 images that repeat another one are left out."]
    names = read_names(tmp_path / "out", range(6))
    assert names == [
        f"{animals}/{name}.png"
        for name in ("ant/0", "ant/2", "ant/4", "bee/1", "bee/3", "bee/5")
    ]
    every, _ = made(animals, tmp_path / "kept", duplicates="keep")
    assert len(every) == 7  # the repeated one is the last
    assert (np.array(data.images[:]) == np.array(every.images[:6])).all()


def test_one_image_under_two_labels_is_refused_by_name(animals, tmp_path):
    (animals / "ant/other.png").write_bytes((animals / "bee/1.png").read_bytes())
    said = rf"{animals}/ant/other\.png and {animals}/bee/1\.png .* two labels, 'ant' and 'bee'"
    with pytest.raises(StockpotError, match=said):
        made(animals, tmp_path / "out")
    data, _ = made(animals, tmp_path / "kept", duplicates="keep")
    assert len(data) == 7


def test_a_set_of_equal_images_is_refused(animals, tmp_path):
    for path in animals.glob("*/*"):
        path.write_bytes(file(np.full((9, 9), 70, np.uint8)))
    said = r"all 6 images are equal .*ant/0\.png and .*ant/2\.png"
    with pytest.raises(StockpotError, match=said):
        made(animals, tmp_path / "out")


def test_lines_of_a_table_are_named(tmp_path):
    for name in ("1.png", "2.png"):
        disc(tmp_path, name, 5)
    disc(tmp_path, "3.png", 7)
    (tmp_path / "list.csv").write_text("path,label\n1.png,a\n3.png,a\n2.png,b\n")
    spec = encoded_spec(
        "csv", 16, path=str(tmp_path / "list.csv"), image_folder=str(tmp_path)
    )
    said = r"1\.png \(.*list\.csv, line 2\) and .*2\.png \(.*list\.csv, line 4\)"
    with pytest.raises(StockpotError, match=said):
        prepare(tmp_path / "out", spec)


def test_a_class_without_a_readable_image_stops_the_study(animals, tmp_path):
    for path in animals.glob("bee/*"):
        path.write_bytes(b"no image")
    said = r"none of the 3 images of the class 'bee' can be read; .*bee/1\.png: not a readable"
    with pytest.raises(StockpotError, match=said):
        made(animals, tmp_path / "out", on_corrupt="skip")


@pytest.mark.parametrize("background", ["red", "#12ab9F", "White", "white"])
def test_backgrounds_that_are_colours(background):
    sources.check_background(
        {"source": "folder", "path": "x", "background": background}, "d"
    )


@pytest.mark.parametrize(
    "background", ["#123", "whites", "rgb(1,2,3)", "", "#12345678"]
)
def test_backgrounds_that_are_none(background):
    entry = {"source": "csv", "path": "x", "background": background}
    with pytest.raises(
        StockpotError, match=r"^datasets\.d\.background: .* is no colour"
    ):
        sources.check_background(entry, "datasets.d")


@pytest.mark.parametrize("name", ["folder", "csv", "webdataset", "parquet"])
def test_own_data_are_on_white_and_published_ones_on_black(name):
    assert sources.with_defaults({"source": name, "path": "x"})["background"] == "white"
    assert sources.with_defaults({"source": "imagenet-r"})["background"] == "black"
    assert "background" not in sources.with_defaults({"source": "world"})


# What the plan says of transparency.


def test_the_first_bytes_of_a_file_say_whether_it_has_an_alpha_channel():
    clear = emoji()
    flat = clear.convert("RGB")
    palette = clear.quantize(8)
    files = {
        True: [
            file(clear),
            file(clear.convert("LA")),
            file(clear, "WEBP"),
            file(palette),
            file(clear, "WEBP", lossless=True),
            file(clear, "GIF"),
            file(flat, transparency=(1, 2, 3)),
        ],
        False: [
            file(flat),
            file(flat.convert("L")),
            file(flat, "WEBP"),
            file(flat.quantize(8)),
            b"",
            file(flat, "WEBP", lossless=True),
            file(flat, "GIF"),
            file(flat, "BMP"),
            b"RIFF",
            file(flat, "JPEG"),
            file(flat)[:20],
            file(clear, "GIF")[:13],
            b"BM",
            file(clear, "WEBP")[:16],
            file(clear, "WEBP")[:20],
        ],
    }
    for expected, kinds in files.items():
        assert [declares_alpha(data) for data in kinds] == [expected] * len(kinds)
        for data in kinds if expected else kinds[:4]:
            with open_image(data) as image:
                assert has_alpha(image) == expected


@pytest.mark.process
def test_the_plan_counts_images_with_an_alpha_channel(animals, tmp_path, monkeypatch):
    emoji().save(animals / "ant/emoji.png")
    folder = {"source": "folder", "path": str(animals)}
    rows = "".join(
        f"own/{p.relative_to(animals)},x\n" for p in sorted(animals.glob("*/*"))
    )
    (tmp_path / "list.csv").write_text("path,label\n" + rows)
    with tarfile.open(tmp_path / "a.tar", "w") as shard:
        members = {
            "1.png": file(emoji()),
            "2.png": file(noise(4, 4)),
            "1.txt": b"x",
            "2.txt": b"x",
        }
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
    datasets = {
        "train": folder | {"split": {"part": "train"}},
        "test": folder | {"split": {"part": "test"}},
        "dark": folder | {"background": "black"},
        "listed": {"source": "csv", "path": str(tmp_path / "list.csv")},
        "shard": {"source": "webdataset", "path": str(tmp_path / "a.tar")},
        "published": {"source": "imagenet-r"},
        "rendered": {"source": "world"},
        "made of another": {"source": "corrupted", "dataset": "test"},
        "unused": {"source": "folder", "path": "/nowhere"},
    }
    names = set(datasets) - {"unused"}
    assert alpha_lines(datasets, names, Path) == [
        "datasets.dark: 1 of 7 images have an alpha channel; background: black",
        "datasets.listed: 1 of 7 images have an alpha channel; background: white",
        "datasets.shard: 1 of 2 images have an alpha channel; background: white",
        "datasets.test, train: 1 of 7 images have an alpha channel; background: white",
    ]
    monkeypatch.setattr(alpha_channel, "MAX_IMAGES", 3)
    (animals / "ant/emoji.png").rename(animals / "ant/0.png")
    assert alpha_lines(datasets, ["test"], Path) == [
        "datasets.test: 1 of 3 images that were looked at (of 6) have an alpha channel; "
        "background: white"
    ]


def test_formats_are_named_wherever_an_image_is_opened():
    for folder in ("workflow_scripts", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in re.findall(r"Image\.open\(.*", path.read_text("utf-8")):
                assert "formats=" in call, f"{path}: {call}"
