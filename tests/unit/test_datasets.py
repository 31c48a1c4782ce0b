"""Data sets: sources, the folder on disk, the rendered world and its captions."""

import gzip
import json
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stockpot.datasets import sources
from stockpot.datasets.dataset import (
    fingerprint,
    read_card,
    read_dataset,
    write_dataset,
)
from stockpot.datasets.listing import files_below, listing_digest
from stockpot.datasets.names import write_names
from stockpot.datasets.overlap import COUNTED_TWICE, overlaps, shared_names
from stockpot.datasets.prepare import prepare
from stockpot.datasets.sources._options import Download, Encoded
from stockpot.datasets.sources.world import TASKS
from stockpot.datasets.world import captions as captions_module
from stockpot.datasets.world import glyphs, vocabulary
from stockpot.datasets.world.captions import captions
from stockpot.datasets.world.distributions import DISTRIBUTIONS, WEB
from stockpot.datasets.world.render import render
from stockpot.datasets.world.scene import KINDS, sample_scenes
from stockpot.datasets.world.web import KINDS as WEB_KINDS
from stockpot.datasets.world.web import web_batch
from stockpot.models.vocabulary import caption_words, learn_merges, write_merges
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import sealed
from tests.support.data_specs import encoded_spec
from tests.support.interpreter import python
from tests.support.paths import ARCHITECTURE, ROOT


def world(**changes):
    spec = {
        "name": "x",
        "seed": 0,
        "task": "objects",
        "distribution": "reference",
        "images": 64,
    }
    return plain(sources.load("world")({**spec, "image_size": 32, **changes}))


def handwriting(part, seed=0, side=32):
    spec = {"name": part, "part": part, "seed": seed, "image_size": side}
    return plain(sources.load("handwriting")(spec))


def plain(examples):
    return examples.images, examples.labels, examples.class_names


def folder_source(path, side=16, **changes):
    with tempfile.TemporaryDirectory() as folder:
        spec = encoded_spec(
            "folder", side, path=str(path), duplicates="keep", **changes
        )
        prepare(Path(folder), spec, threads=2)
        made = read_dataset(folder)
        return np.array(made.images), made.labels, made.class_names


def check_form(made, n, side):
    images, labels, classes = made
    assert images.dtype == np.uint8
    assert images.shape == (n, side, side, 3)
    assert np.issubdtype(labels.dtype, np.integer)
    assert labels.shape == (n,)
    assert labels.min() >= 0
    assert labels.max() < len(classes)
    assert all(isinstance(name, str) for name in classes)
    assert len(set(classes)) == len(classes)


# Sources.


def test_sources_are_found_by_their_files():
    assert {"world", "handwriting", "folder"} <= set(sources.names())
    with pytest.raises(StockpotError, match="'wrld'.*folder, .*handwriting, .*world"):
        sources.load("wrld")


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_rendered_tasks_are_balanced_and_the_same_twice(task):
    made, again = (world(task=task, images=100) for _ in range(2))
    check_form(made, 100, 32)
    counts = np.bincount(made[1], minlength=len(made[2]))
    assert counts.max() - counts.min() <= 1
    assert made[0].tobytes() == again[0].tobytes()
    assert made[1].tobytes() == again[1].tobytes()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_renders_images_with_something_on_them(distribution):
    images, labels, classes = world(distribution=distribution, images=32)
    check_form((images, labels, classes), 32, 32)
    assert images.reshape(32, -1).std(1).min() > 5
    assert len({image.tobytes() for image in images}) == 32


def test_name_seed_and_distribution_each_give_other_images():
    base = {image.tobytes() for image in world()[0]}
    for change in (
        {"name": "y"},
        {"seed": 1},
        {"distribution": "sketch"},
        {"task": "digits"},
    ):
        assert base.isdisjoint(image.tobytes() for image in world(**change)[0]), change


def test_labels_are_what_is_drawn():
    """The label is the scene's shape, and scenes that differ in shape alone look different."""
    scenes = sample_scenes(
        DISTRIBUTIONS["typeset"], 32, np.random.default_rng(0), classes=16
    )
    before = render(scenes)
    scenes.shape = (scenes.shape + 1) % 16
    changed = (render(scenes) != before).reshape(32, -1).mean(1)
    assert changed.min() > 0.02


@pytest.mark.parametrize("tied", [True, False])
def test_ties_hold_on_the_reference_alone(tied):
    distribution = DISTRIBUTIONS["reference" if tied else "objectnet"]
    scenes = sample_scenes(distribution, 4000, np.random.default_rng(0), classes=16)
    favourite = np.mean(scenes.background == scenes.shape % 8)
    assert abs(favourite - (0.8 + 0.2 / 8 if tied else 1 / 8)) < 0.03


def test_blocks_do_not_show():
    """An image does not depend on how many are drawn with it, but for its noise."""
    scenes = sample_scenes(WEB, 150, np.random.default_rng(1), WEB_KINDS)
    scenes.noise[:] = 0
    whole, part = render(scenes), render(scenes.take(np.arange(70, 110)))
    assert np.abs(whole[70:110].astype(int) - part).max() <= 1


HASHES = """
import hashlib, json
from stockpot.datasets.sources import load
from stockpot.datasets.world.web import web_batch
spec = {"name": "x", "seed": 0, "distribution": "reference", "images": 48, "image_size": 32}
out = {}
for task in ("objects", "digits", "textures"):
    made = load("world")({**spec, "task": task})
    images, labels = made.images, made.labels
    out[task] = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
images, texts = web_batch(64, 0, 3)
out["web"] = hashlib.sha256(images.tobytes() + "\\n".join(texts).encode()).hexdigest()
made = load("handwriting")({"part": "held-out", "seed": 1, "image_size": 8})
scans, labels = made.images, made.labels
out["handwriting"] = hashlib.sha256(scans.tobytes() + labels.tobytes()).hexdigest()
print(json.dumps(out))
"""


@pytest.mark.process
@pytest.mark.slow
def test_two_processes_render_the_same_bytes():
    first, second = (python(HASHES, hash_seed) for hash_seed in (1, 2))
    assert first == second
    assert len(set(first.values())) == 5


def test_web_batches_follow_from_seed_and_step():
    images, texts = web_batch(32, 0, 5)
    again = web_batch(32, 0, 5)
    assert images.tobytes() == again[0].tobytes()
    assert texts == again[1]
    for other in (web_batch(32, 1, 5), web_batch(32, 0, 6)):
        assert {i.tobytes() for i in images}.isdisjoint(i.tobytes() for i in other[0])


def test_handwriting_parts_are_disjoint_and_complete():
    from sklearn.datasets import load_digits

    scans = load_digits()
    parts = {part: handwriting(part, side=8) for part in ("train", "held-out", "test")}
    for images, labels, classes in parts.values():
        check_form((images, labels, classes), len(labels), 8)
        assert classes == list(vocabulary.DIGITS)
    assert sum(len(labels) for _, labels, _ in parts.values()) == 1797
    found = Counter()
    for images, labels, _ in parts.values():
        grey = np.round(images[..., 0].astype(float) * 16 / 255).astype(int)
        found += Counter((g.tobytes(), int(label)) for g, label in zip(grey, labels))
    expected = Counter(
        (image.astype(int).tobytes(), int(label))
        for image, label in zip(scans.images, scans.target)
    )
    assert found == expected, "every scan is in one part, with its own label"


def test_handwriting_is_seeded_and_resized():
    first, again, other = (handwriting("held-out", seed) for seed in (0, 0, 1))
    check_form(first, len(first[1]), 32)
    assert first[0].tobytes() == again[0].tobytes()
    assert first[1].tobytes() == again[1].tobytes()
    assert first[1].tobytes() != other[1].tobytes()
    assert np.bincount(first[1], minlength=10).min() > 0.5 * len(first[1]) / 10


# The folder source.


@pytest.fixture
def pictures(tmp_path):
    """Classes "b dog" and "a cat" with one image of each kind, as saved by other programs."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    kinds = {
        "b dog/1.png": colour,
        "b dog/2.JPEG": colour.resize((40, 20)),
        "b dog/deep/3.bmp": colour,
        "a cat/grey.png": colour.convert("L"),
        "a cat/alpha.png": colour.convert("RGBA"),
        "a cat/palette.png": colour.convert("P"),
        "a cat/grey.jpg": colour.convert("L"),
        "a cat/print.jpg": colour.convert("CMYK"),
        "a cat/web.webp": colour,
        "a cat/bits.png": colour.convert("1"),
    }
    for name, image in kinds.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / name)
    (tmp_path / "a cat/notes.txt").write_text("not an image")
    (tmp_path / "readme.md").write_text("not a class")
    return tmp_path


def test_a_folder_of_all_kinds_of_images(pictures):
    made = folder_source(pictures)
    check_form(made, 10, 16)
    images, labels, classes = made
    assert classes == ["a cat", "b dog"]
    assert labels.tolist() == [0] * 7 + [1] * 3
    names = sorted(p.name for p in (pictures / "a cat").iterdir() if p.suffix != ".txt")
    grey = images[names.index("grey.png")]
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()
    assert folder_source(pictures)[0].tobytes() == images.tobytes()


def test_classes_and_files_are_sorted(tmp_path):
    """Whatever order the file system lists them in."""
    names = [f"{i:02d}" for i in np.random.default_rng(0).permutation(20)]
    for name in names:
        (tmp_path / name).mkdir()
        for file in names[:5]:
            value = 10 * int(name) + int(file) % 10
            Image.new("L", (4, 4), value).save(tmp_path / name / f"{file}.png")
    images, labels, classes = folder_source(tmp_path, 4)
    assert classes == sorted(names)
    assert labels.tolist() == [i for i in range(20) for _ in range(5)]
    values = images[:, 0, 0, 0].tolist()
    assert values == [
        10 * i + int(file) % 10 for i in range(20) for file in sorted(names[:5])
    ]


def test_folders_without_images_are_named(tmp_path):
    with pytest.raises(StockpotError, match="no/such: no such folder"):
        folder_source("no/such")
    with pytest.raises(StockpotError, match="no images.*png"):
        folder_source(tmp_path)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/1.gif").write_bytes(b"GIF89a")
    with pytest.raises(StockpotError, match=re.escape(str(tmp_path))):
        folder_source(tmp_path)


def noise_png(path) -> bytes:
    """A PNG file of several chunks of pixels."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)).save(path)
    return path.read_bytes()


def rename_second_chunk(data: bytes) -> bytes:
    second = data.index(b"IDAT", data.index(b"IDAT") + 4)
    return data[:second] + b"\xe8\xeaz\xf3" + data[second + 4 :]


PNG, JPEG, BMP = "b dog/1.png", "b dog/2.JPEG", "b dog/deep/3.bmp"
CORRUPT = {
    "text": (PNG, lambda data: b"this is no image"),
    "empty": (PNG, lambda data: b""),
    "cut short": (PNG, lambda data: data[: len(data) // 2]),
    "a jpeg cut short": (JPEG, lambda data: data[: len(data) // 2]),
    "a broken chunk": (PNG, rename_second_chunk),
    "an enormous size": (
        BMP,
        lambda d: d[:18] + (60_000).to_bytes(4, "little") * 2 + d[26:],
    ),
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_a_corrupt_image_is_named(pictures, kind):
    file, corrupt = CORRUPT[kind]
    noise_png(pictures / PNG)
    (pictures / file).write_bytes(corrupt((pictures / file).read_bytes()))
    with pytest.raises(StockpotError, match=re.escape(str(pictures / file))):
        folder_source(pictures)


def test_the_listing_of_a_missing_folder_names_the_key(tmp_path):
    with pytest.raises(
        StockpotError, match=r"datasets\.own\.path: no folder .*nowhere"
    ):
        listing_digest(tmp_path / "nowhere", "datasets.own.path")


def test_the_listing_does_not_depend_on_where_the_folder_is(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "cat").mkdir(parents=True)
        (tmp_path / name / "cat/1.png").write_bytes(b"1")
    shutil.copystat(tmp_path / "one/cat/1.png", tmp_path / "two/cat/1.png")
    one, two = (listing_digest(tmp_path / name, "key") for name in ("one", "two"))
    assert one == two
    (tmp_path / "two/cat/1.png").rename(tmp_path / "two/cat/2.png")
    assert listing_digest(tmp_path / "two", "key") != one


def test_the_docs_list_every_source_and_its_options():
    text = (ROOT / "docs/guide/datasets.md").read_text()
    listed = {
        name: row
        for row in text.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([\w-]+)`", row.split("|")[1])
    }
    for name in sources.names():
        if name not in ("world", "handwriting"):
            own = set(sources.declared(name).options.__annotations__) - {"path"}
            assert all(f"`{option}" in listed[name] for option in own), (name, own)
    assert set(Encoded.model_fields) | set(Download.model_fields) <= {
        name.partition(":")[0]
        for name in re.findall(r"^\| `([\w-]+:?)", text, re.MULTILINE)
    }


# The Dataset folder.


@pytest.fixture
def small():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    return images, np.array([0, 1, 2, 0, 1, 2]), ["ant", "bee", "cat"]


@pytest.fixture
def written(small, tmp_path):
    write_dataset(tmp_path / "set", "small", *small, {"source": "test"})
    return tmp_path / "set"


def test_write_and_read(small, written):
    data, card = read_dataset(written), read_card(written)
    assert data.name == "small"
    assert len(data) == 6
    assert (data.images == small[0]).all()
    assert data.images.dtype == np.uint8
    assert data.labels.tolist() == small[1].tolist()
    assert data.labels.dtype == np.int64
    assert data.class_names == small[2]
    assert data.fingerprint == card["fingerprint"] == fingerprint(*small)
    assert card["source"] == {"source": "test"}
    assert card["n"] == 6
    assert card["side"] == [4, 5]
    assert isinstance(data.images, np.memmap), "images stay on disk"


def test_writing_again_gives_the_same_files(small, written, tmp_path):
    """Among the same neighbours: a card says where it belongs."""
    again = tmp_path / "again" / written.parent.name / written.name
    write_dataset(again, "small", *small, {"source": "test"})
    files = ["dataset.json", "digests.npy", "images.npy", "labels.npy"]
    for file in files:
        assert (written / file).read_bytes() == (again / file).read_bytes()
    assert sorted(p.name for p in written.iterdir()) == files


def test_the_fingerprint_sees_everything_but_the_name(small):
    images, labels, classes = small
    before = fingerprint(images, labels, classes)
    other = images.copy()
    other[5, 3, 4, 2] ^= 1
    assert fingerprint(other, labels, classes) != before
    other = labels.copy()
    other[5] = 0
    assert fingerprint(images, other, classes) != before
    assert fingerprint(images, labels, ["ant", "bee", "cow"]) != before
    assert fingerprint(images[::-1], labels, classes) != before
    assert fingerprint(images.transpose(0, 2, 1, 3), labels, classes) != before
    assert fingerprint(images.reshape(6, 5, 4, 3), labels, classes) != before
    assert (
        fingerprint(np.asfortranarray(images), labels.copy(), list(classes)) == before
    )


def test_a_fingerprint_covers_every_block():
    images = np.zeros((5000, 1, 1, 3), np.uint8)
    labels = np.zeros(5000, np.int64)
    before = fingerprint(images, labels, ["a"])
    for row in (0, 4095, 4096, 4999):
        images[row] += 1
        assert fingerprint(images, labels, ["a"]) != before
        images[row] -= 1


WRONG_ARRAYS = {
    "float images": lambda i, y, c: (i.astype(np.float32), y, c),
    "grey images": lambda i, y, c: (i[..., :1], y, c),
    "flat images": lambda i, y, c: (i.reshape(6, -1), y, c),
    "too few labels": lambda i, y, c: (i, y[:-1], c),
    "nothing": lambda i, y, c: (i[:0], y[:0], c),
    "a label too many": lambda i, y, c: (i, y + 1, c),
    "a label below zero": lambda i, y, c: (i, y - 1, c),
}


@pytest.mark.parametrize("what", WRONG_ARRAYS)
def test_arrays_that_do_not_fit_are_not_written(small, tmp_path, what):
    with pytest.raises(StockpotError, match="^small: "):
        write_dataset(tmp_path / "set", "small", *WRONG_ARRAYS[what](*small), {})
    assert not (tmp_path / "set/dataset.json").exists()


def saved(file, change):
    """Load an array of the folder, change it, save it."""

    def edit(folder):
        np.save(folder / file, change(np.load(folder / file)))

    return edit


BROKEN = {
    "no card": lambda folder: (folder / "dataset.json").unlink(),
    "a card that is no JSON": lambda folder: (folder / "dataset.json").write_text("{"),
    "a card without keys": lambda folder: (folder / "dataset.json").write_text("{}"),
    "a card that is a list": lambda folder: (folder / "dataset.json").write_text("[]"),
    "another count in the card": lambda folder: (folder / "dataset.json").write_text(
        sealed({**read_card(folder), "n": 7})
    ),
    "no images": lambda folder: (folder / "images.npy").unlink(),
    "images cut short": lambda folder: (folder / "images.npy").write_bytes(
        (folder / "images.npy").read_bytes()[:-10]
    ),
    "empty images": lambda folder: (folder / "images.npy").write_bytes(b""),
    "too few images": saved("images.npy", lambda images: images[:-1]),
    "too few labels": saved("labels.npy", lambda labels: labels[:-1]),
    "pickled labels": saved("labels.npy", lambda labels: labels.astype(object)),
    "labels out of range": saved("labels.npy", lambda labels: labels + 1),
    "float images": saved("images.npy", lambda images: images.astype(np.float32)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_folder_is_named(written, what):
    BROKEN[what](written)
    with pytest.raises(StockpotError, match=re.escape(str(written))):
        read_dataset(written)


# Captions and their vocabulary.


@pytest.fixture(scope="module")
def captioned():
    """3000 scenes of the web and their captions."""
    rng = np.random.default_rng(11)
    scenes = sample_scenes(WEB, 3000, rng, WEB_KINDS)
    return scenes, captions(scenes, rng)


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


def test_captions_leave_out_or_mistake_the_class_at_their_rates(captioned):
    scenes, texts = captioned
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
    assert captions_module.WITHOUT_CLASS == 0.10
    assert captions_module.WRONG_CLASS == 0.05
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


def test_another_draw_gives_other_words(captioned):
    scenes, texts = captioned
    other = captions(scenes, np.random.default_rng(12))
    assert sum(a != b for a, b in zip(texts, other)) > 1500
    assert len(set(texts)) > 1000


def every_word() -> set[str]:
    """All words that a caption can hold, from its templates and its vocabulary."""
    module = captions_module
    templates = [
        *module._TEMPLATES,
        *module._TEMPLATES_WITH_BACKGROUND,
        *module._TEMPLATES_WITHOUT_CLASS,
    ]
    words = " ".join(re.sub(r"{\w+}", " ", text) for text in templates).split()
    for media in module.MEDIA.values():
        words += " ".join(media).split()
    words += " ".join(glyphs.TYPEFACES).split()
    words += ["a", "the", "texture", "surface", "pattern", "in", "type", "print"]
    words += ["digit", "letter", "number"]
    words += [
        *vocabulary.SHAPES,
        *vocabulary.GLYPHS,
        *vocabulary.PATTERNS,
        *vocabulary.COLOURS,
    ]
    return set(words)


def test_the_list_of_words_is_complete(captioned):
    assert {word for text in captioned[1] for word in text.split()} <= every_word()


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
def test_every_caption_fits_into_the_context(captioned, clip):
    model, tokenize = clip
    texts = sorted(set(captioned[1]))
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
        captions_module,
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


def test_learned_merges_make_one_token_of_every_word(tmp_path, captioned):
    from stockpot.models.third_party import open_clip

    words = Counter(word for text in captioned[1] for word in text.split())
    merges = learn_merges(words)
    size = write_merges(merges, tmp_path / "bpe.txt.gz")
    tokenize = open_clip.SimpleTokenizer(
        bpe_path=str(tmp_path / "bpe.txt.gz"), context_length=20
    )
    assert tokenize.vocab_size == size
    assert [word for word in words if len(tokenize.encode(word)) != 1] == []


def test_scenes_are_picked_by_row(captioned):
    scenes = captioned[0]
    picked = scenes.take(np.array([5, 3]))
    assert len(picked) == 2
    assert picked.noise_seed.tolist() == scenes.noise_seed[[5, 3]].tolist()
    assert picked.shift.shape == (2, 2)


# Images that two sets share.


def write_rows(folder, name, rows):
    images = np.stack([np.full((4, 4, 3), row, np.uint8) for row in rows])
    write_dataset(folder / name, name, images, np.zeros(len(rows), int), ["a"], {})
    return folder / name


def test_shared_images_are_counted(tmp_path):
    train = write_rows(tmp_path, "train", [*range(50), 3])
    test = write_rows(tmp_path, "test", [3, *range(100, 130), 3])
    other = write_rows(tmp_path, "other", [105, 106])
    found = [
        (o.seen_in, o.dataset, o.shared, o.n) for o in overlaps([train], [test, other])
    ]
    assert found == [("train", "test", 2, 32), ("train", "other", 0, 2)]


@pytest.mark.parametrize(
    ("train", "test", "line"),
    [
        ([1, 2, 3], [3, 1], "2 of its 2 images are also in train"),
        (
            range(10),
            range(110),
            r"10 of its 110 images are also in train \(which has 10\)",
        ),
        (range(100), [*range(88, 100), *range(100, 160)], "12 of its 72 images"),
    ],
    ids=["seen whole", "the training set is in it", "more than a tenth"],
)
def test_a_test_set_that_was_seen_is_refused(tmp_path, train, test, line):
    folders = write_rows(tmp_path, "train", train), write_rows(tmp_path, "test", test)
    with pytest.raises(StockpotError, match=rf"datasets\.test: {line}"):
        overlaps([folders[0]], [folders[1]])


def test_two_images_that_are_shared_are_named(tmp_path):
    """Of a file where names are known, else the row; all of them in a table."""
    train = write_rows(tmp_path, "train", range(4))
    test = write_rows(tmp_path, "test", [7, 2, 9, 0])
    write_names(test, [f"{row}.png (list.csv, line {row + 2})" for row in range(4)])
    with pytest.raises(StockpotError) as error:
        overlaps([train], [test], 0.1, COUNTED_TWICE)
    assert str(error.value) == (
        "datasets.test: 2 of its 4 images are also in train (which has 4), as 1.png (list.csv, "
        f"line 3), there image 2 of train; {COUNTED_TWICE}"
    )
    (pair,) = overlaps([train], [test], 1)
    assert shared_names(pair, train, test) == [
        ("1.png (list.csv, line 3)", "image 2 of train"),
        ("3.png (list.csv, line 5)", "image 0 of train"),
    ]


@pytest.mark.slow
def test_missing_digests_are_named(tmp_path):
    train, test = (
        write_rows(tmp_path, name, [i]) for i, name in enumerate(("train", "test"))
    )
    (test / "digests.npy").unlink()
    with pytest.raises(
        StockpotError,
        match=r"test/digests\.npy: damaged .* rm -rf \S*/test and the same command",
    ):
        overlaps([train], [test])


# Folders with links.


def test_links_are_followed_but_not_in_circles(tmp_path):
    real, folder = tmp_path / "real", tmp_path / "folder"
    (real / "deep").mkdir(parents=True)
    (real / "deep/2.png").write_bytes(b"2")
    (real / "deep/up").symlink_to(real)
    folder.mkdir()
    (folder / "1.png").write_bytes(b"1")
    (folder / "linked").symlink_to(real)
    names = [str(path.relative_to(folder)) for path in files_below(folder)]
    assert names == ["1.png", "linked/deep/2.png"]
    before = listing_digest(folder, "key")
    (real / "deep/2.png").write_bytes(b"22")
    assert listing_digest(folder, "key") != before


def test_hidden_files_are_none(tmp_path):
    for file in (
        "cat/1.png",
        "cat/._1.png",
        "cat/.ipynb_checkpoints/1.png",
        ".DS_Store",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"x")
    assert files_below(tmp_path) == [tmp_path / "cat/1.png"]


def test_a_link_to_nowhere_is_named(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    with pytest.raises(StockpotError, match=r"key: cannot read .*gone\.png"):
        listing_digest(tmp_path, "key")


@pytest.mark.parametrize("side", [32, 48])
def test_rendered_images_have_the_side_that_the_model_wants(side):
    entry = {"task": "objects", "distribution": "v2", "images": 3}
    images = sources.load("world")(
        {"name": "x", "seed": 0, "image_size": side, **entry}
    ).images
    assert images.shape == (3, side, side, 3)


@pytest.mark.parametrize("severity", range(1, 6))
def test_every_corruption_changes_images_more_with_its_severity(severity):
    from stockpot.datasets.corrupt import CORRUPTIONS, corrupt

    images = world()[0]
    found, which = corrupt(images, severity, seed=3)
    assert found.dtype == np.uint8
    assert found.shape == images.shape
    assert np.bincount(which).tolist() == [64 // len(CORRUPTIONS)] * len(CORRUPTIONS)
    change = np.abs(found.astype(float) - images).mean(axis=(1, 2, 3))
    assert (change > 0).all()
    if severity > 1:
        before, same = corrupt(images, severity - 1, seed=3)
        assert (which == same).all()
        less = np.abs(before.astype(float) - images).mean(axis=(1, 2, 3))
        for kind in range(len(CORRUPTIONS)):
            assert change[which == kind].mean() > less[which == kind].mean()


def test_corruptions_follow_from_the_seed_and_the_place():
    from stockpot.datasets.corrupt import corrupt

    images = world()[0]
    first, again, other = (
        corrupt(images, 3, 1),
        corrupt(images, 3, 1),
        corrupt(images, 3, 2),
    )
    assert (first[0] == again[0]).all()
    assert (first[0] != other[0]).any()
    with pytest.raises(ValueError, match="severity must be 1 to 5, got 6"):
        corrupt(images, 6, 1)


def test_a_corrupted_set_keeps_labels_and_classes(tmp_path):
    from stockpot.datasets.corrupt import write_corrupted

    images, labels, classes = world()
    write_dataset(tmp_path / "a", "a", images, labels, classes, {})
    spec = {"name": "b", "dataset": "a", "severity": 2, "seed": 0, "image_size": 32}
    write_corrupted(tmp_path / "b", spec, read_dataset(tmp_path / "a"))
    found = read_dataset(tmp_path / "b")
    assert (found.labels == labels).all()
    assert found.class_names == classes
    assert found.name == "b"
    assert found.fingerprint != read_dataset(tmp_path / "a").fingerprint
