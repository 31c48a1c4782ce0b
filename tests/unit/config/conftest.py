"""Fixtures that several test files share."""

from pathlib import Path

import pytest


@pytest.fixture
def photo_folders(tmp_path, monkeypatch) -> Path:
    """A working directory with images of two classes of two kinds."""
    for kind, images in (("photos", 20), ("drawings", 3)):
        for name in ("cat", "dog"):
            folder = tmp_path / kind / name
            folder.mkdir(parents=True)
            for i in range(images):
                (folder / f"{i}.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path
