"""Fixtures that several test files of planning share."""

import pytest


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
