"""Fixtures that several test files share."""

import pytest

from stockpot.runtime import code_digest as digest
from stockpot.runtime.code_digest import code_digest
from tests.support.small_package import ENTRY_OF_COPY, FILES, NEAR, THING


@pytest.fixture
def digest_in_small_package(monkeypatch, tmp_path):
    """A function: the digest of an entry in a small package, whose files may be given."""
    made = []

    def of(entry: str, **files: str) -> str:
        folder = tmp_path / str(len(made)) / "stockpot"
        made.append(folder)
        for name in FILES:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("X = 0\n")
        given = {
            "here/near.py": NEAR,
            "other/thing.py": THING,
            ENTRY_OF_COPY: entry,
            **files,
        }
        for name, text in given.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        monkeypatch.setattr(digest, "PACKAGE", folder.resolve())
        return code_digest(f"stockpot/{ENTRY_OF_COPY}")

    return of
