"""Tests that files with new dates and the same content count as the files that they were."""

import os
from pathlib import Path

import pytest

from stockpot.datasets import same_content
from stockpot.datasets.same_content import collecting_listings, note_contents
from stockpot.datasets.sources import ask_source

LATER_TIME = 2_000_000_000  # seconds since 1970


@pytest.fixture
def noted_folder(tmp_path, monkeypatch):
    """A folder of two classes, and a list of its images, whose contents have been noted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(same_content, "SETTLED", 0)  # the files are made now
    for label in ("cat", "dog"):
        for number in range(3):
            path = tmp_path / "images" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{label} {number}".encode())
    rows = [
        f"{path.relative_to(tmp_path)},{path.parent.name}"
        for path in image_files(tmp_path)
    ]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    for source in ENTRIES:
        note_contents_of(source)
    return tmp_path


ENTRIES = {
    "folder": {"source": "folder", "path": "images"},
    "csv": {"source": "csv", "path": "list.csv"},
}


def image_files(folder):
    return sorted((folder / "images").rglob("*.png"))


def listing_digest(source, folder) -> str:
    return ask_source(
        "facts", ENTRIES[source], lambda path: folder / path, "datasets.x"
    )["files"]


def note_contents_of(source) -> None:
    with collecting_listings() as listings:
        ask_source(
            "facts", ENTRIES[source], lambda path: Path.cwd() / path, "datasets.x"
        )
    note_contents(listings, threads=2)


@pytest.mark.parametrize("source", ENTRIES)
def test_new_dates_alone_change_nothing(noted_folder, source):
    before = listing_digest(source, noted_folder)
    for path in image_files(noted_folder):
        os.utime(path, (LATER_TIME, LATER_TIME))
    assert listing_digest(source, noted_folder) == before


@pytest.mark.parametrize("source", ENTRIES)
def test_new_dates_cost_one_reading_of_the_files_concerned(
    noted_folder, source, monkeypatch
):
    read = []
    digest = same_content.sha256_file
    monkeypatch.setattr(
        same_content, "sha256_file", lambda p: read.append(p) or digest(p)
    )
    before = listing_digest(source, noted_folder)
    assert read == []
    os.utime(image_files(noted_folder)[0], (LATER_TIME, LATER_TIME))
    assert (
        listing_digest(source, noted_folder)
        == listing_digest(source, noted_folder)
        == before
    )
    assert read == [str(image_files(noted_folder)[0])]


@pytest.mark.parametrize("source", ENTRIES)
@pytest.mark.parametrize("change", ["content", "size", "another", "fewer", "swapped"])
def test_other_content_counts(noted_folder, source, change):
    before = listing_digest(source, noted_folder)
    one, two = image_files(noted_folder)[:2]
    if change == "content":
        one.write_bytes(b"cat X")
    elif change == "size":
        one.write_bytes(b"cat 00")
    elif change == "swapped":
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
    elif change == "another":
        (one.parent / "more.png").write_bytes(b"more")
        with open(noted_folder / "list.csv", "a") as file:
            file.write("images/cat/more.png,cat\n")
    else:
        one.unlink()
        rows = (noted_folder / "list.csv").read_text().splitlines()
        (noted_folder / "list.csv").write_text("\n".join([rows[0], *rows[2:]]) + "\n")
    for path in image_files(noted_folder):
        os.utime(path, (LATER_TIME, LATER_TIME))
    assert listing_digest(source, noted_folder) != before


def test_rows_count_by_their_content_whatever_the_dates(noted_folder):
    """The label of one image is another one, and the file has its old size and date."""
    before = listing_digest("csv", noted_folder)
    file = noted_folder / "list.csv"
    times = file.stat()
    text = file.read_text().replace("0.png,cat", "0.png,dog")
    file.write_text(text)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    for path in image_files(noted_folder):
        os.utime(path, (LATER_TIME, LATER_TIME))
    assert listing_digest("csv", noted_folder) != before


def test_the_first_content_comes_back(noted_folder):
    """After a change, the note of what was prepared still tells the old files."""
    before = listing_digest("folder", noted_folder)
    one = image_files(noted_folder)[0]
    content = one.read_bytes()
    one.write_bytes(b"cat X")
    assert listing_digest("folder", noted_folder) != before
    one.write_bytes(content)
    os.utime(one, (LATER_TIME, LATER_TIME))
    assert listing_digest("folder", noted_folder) == before


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_note_that_cannot_be_read_costs_a_preparation(noted_folder, damage):
    before = listing_digest("folder", noted_folder)
    for note_file in (noted_folder / "results/.listings").iterdir():
        if damage == "gone":
            note_file.unlink()
        else:
            note_file.write_bytes(note_file.read_bytes()[:-9])
    os.utime(image_files(noted_folder)[0], (LATER_TIME, LATER_TIME))
    assert listing_digest("folder", noted_folder) != before


def test_what_was_noted_with_new_dates_is_known_by_both(noted_folder):
    before = listing_digest("folder", noted_folder)
    os.utime(image_files(noted_folder)[0], (LATER_TIME, LATER_TIME))
    note_contents_of("folder")
    assert listing_digest("folder", noted_folder) == before


def test_a_file_that_is_written_while_it_is_read_is_not_noted(
    noted_folder, monkeypatch
):
    """Its new content would be taken for the one that was prepared."""
    for note_file in (noted_folder / "results/.listings").iterdir():
        note_file.unlink()
    before = listing_digest("folder", noted_folder)
    one = image_files(noted_folder)[0]
    digest = same_content.sha256_file

    def while_it_is_written(path):
        if path == str(one):
            one.write_bytes(b"cat X")
        return digest(path)

    monkeypatch.setattr(same_content, "sha256_file", while_it_is_written)
    note_contents_of("folder")
    assert listing_digest("folder", noted_folder) != before


def test_files_that_were_just_written_are_not_noted(noted_folder, monkeypatch):
    for note_file in (noted_folder / "results/.listings").iterdir():
        note_file.unlink()
    monkeypatch.setattr(same_content, "SETTLED", 2_000_000_000)
    note_contents_of("folder")
    assert not list((noted_folder / "results/.listings").iterdir())


def test_a_file_that_is_gone_costs_the_note_only(noted_folder):
    for note_file in (noted_folder / "results/.listings").iterdir():
        note_file.unlink()
    with collecting_listings() as listings:
        listing_digest("folder", noted_folder)
    image_files(noted_folder)[0].unlink()
    note_contents(listings)
    assert not list((noted_folder / "results/.listings").iterdir())


def test_a_working_folder_may_be_moved_with_its_data(noted_folder, monkeypatch):
    before = listing_digest("folder", noted_folder)
    moved = noted_folder.rename(noted_folder.with_name("moved"))
    monkeypatch.chdir(moved)
    os.utime(image_files(moved)[0], (LATER_TIME, LATER_TIME))
    assert listing_digest("folder", moved) == before
