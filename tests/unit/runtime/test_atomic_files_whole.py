"""A file appears whole or not at all."""

import pytest

from stockpot.runtime.atomic_files import atomic

pytestmark = pytest.mark.slow


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep/file.txt"

    def fail_half_way():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list(path.parent.iterdir()) == []
    with atomic(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]
