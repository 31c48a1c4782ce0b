"""The file that says that data sets were compared."""

import os

from stockpot.planning.comparison_marker import restore_compared


def test_the_file_that_says_that_data_sets_were_compared_comes_back(tmp_path):
    """A job that had to make it again would renew all training."""
    restore_compared(tmp_path)
    assert list(tmp_path.iterdir()) == [], "in a new folder the sets are compared first"
    (tmp_path / "classifiers").mkdir()
    restore_compared(tmp_path)
    assert not (tmp_path / "compared").exists(), "nothing was trained yet"
    (tmp_path / "classifiers/base-1234").mkdir()
    restore_compared(tmp_path)
    file = tmp_path / "compared"
    assert file.read_bytes() == b""
    os.utime(file, (1, 1))
    restore_compared(tmp_path)
    assert file.stat().st_mtime == 1, "one that is there is left alone"
