"""Tests how images with an alpha channel are counted."""

import io
import tarfile
from pathlib import Path

import pytest

from stockpot.datasets.decoding import alpha_channel
from stockpot.datasets.decoding import decode as decode_module
from stockpot.datasets.decoding.alpha_channel import alpha_lines, declares_alpha
from stockpot.datasets.decoding.colours import has_alpha
from stockpot.datasets.decoding.opening import open_image
from stockpot.datasets.names import read_names
from stockpot.datasets.remarks import remarks
from tests.support.encoded_images import (
    emoji,
    image_file,
    prepare_with_card,
    random_pixels,
    write_square,
)


def test_images_of_ones_own_are_laid_on_white_and_counted(
    animal_folder, tmp_path, caplog
):
    emoji().save(animal_folder / "ant/emoji.png")
    data, card = prepare_with_card(animal_folder, tmp_path / "out")
    row = read_names(tmp_path / "out", range(7)).index(f"{animal_folder}/ant/emoji.png")
    assert data.images[row][0, 0].tolist() == [255, 255, 255]
    assert card["source"]["alpha"] == 1
    assert card["source"]["background"] == "white"
    assert "1 of 7 images have an alpha channel; background: white" in caplog.text
    assert remarks(card) == ["own: images with an alpha channel: 1; background: white."]
    black, _ = prepare_with_card(animal_folder, tmp_path / "black", background="black")
    assert black.images[row][0, 0].tolist() == [0, 0, 0]
    assert black.fingerprint != data.fingerprint


def test_only_images_that_count_are_counted_as_transparent(
    animal_folder, tmp_path, monkeypatch
):
    """Neither those that repeat another, nor those that cannot be read, in whatever shard."""
    monkeypatch.setattr(decode_module, "SHARD", 3)
    for name in ("ant/emoji.png", "ant/emoji_again.png", "bee/broken.png"):
        emoji().save(animal_folder / name)
    write_square(animal_folder, "bee/other.png", 7)
    broken = animal_folder / "bee/broken.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    _, card = prepare_with_card(animal_folder, tmp_path / "out", on_corrupt="skip")
    assert card["source"]["alpha"] == 1
    assert card["source"]["equal"] == 1
    assert card["source"]["left_out"] == 1
    _, card = prepare_with_card(
        animal_folder, tmp_path / "kept", on_corrupt="skip", duplicates="keep"
    )
    assert card["source"]["alpha"] == 2


def test_the_first_bytes_of_a_file_say_whether_it_has_an_alpha_channel():
    clear = emoji()
    flat = clear.convert("RGB")
    palette = clear.quantize(8)
    files = {
        True: [
            image_file(clear),
            image_file(clear.convert("LA")),
            image_file(clear, "WEBP"),
            image_file(palette),
            image_file(clear, "WEBP", lossless=True),
            image_file(clear, "GIF"),
            image_file(flat, transparency=(1, 2, 3)),
        ],
        False: [
            image_file(flat),
            image_file(flat.convert("L")),
            image_file(flat, "WEBP"),
            image_file(flat.quantize(8)),
            b"",
            image_file(flat, "WEBP", lossless=True),
            image_file(flat, "GIF"),
            image_file(flat, "BMP"),
            b"RIFF",
            image_file(flat, "JPEG"),
            image_file(flat)[:20],
            image_file(clear, "GIF")[:13],
            b"BM",
            image_file(clear, "WEBP")[:16],
            image_file(clear, "WEBP")[:20],
        ],
    }
    for expected, kinds in files.items():
        assert [declares_alpha(data) for data in kinds] == [expected] * len(kinds)
        for data in kinds if expected else kinds[:4]:
            with open_image(data) as image:
                assert has_alpha(image) == expected


@pytest.mark.process
def test_the_plan_counts_images_with_an_alpha_channel(
    animal_folder, tmp_path, monkeypatch
):
    emoji().save(animal_folder / "ant/emoji.png")
    folder = {"source": "folder", "path": str(animal_folder)}
    rows = "".join(
        f"own/{p.relative_to(animal_folder)},x\n"
        for p in sorted(animal_folder.glob("*/*"))
    )
    (tmp_path / "list.csv").write_text("path,label\n" + rows)
    with tarfile.open(tmp_path / "a.tar", "w") as shard:
        members = {
            "1.png": image_file(emoji()),
            "2.png": image_file(random_pixels(4, 4)),
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
    (animal_folder / "ant/emoji.png").rename(animal_folder / "ant/0.png")
    assert alpha_lines(datasets, ["test"], Path) == [
        "datasets.test: 1 of 3 images that were looked at (of 6) have an alpha channel; "
        "background: white"
    ]
