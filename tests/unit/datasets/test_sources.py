"""Tests how sources are found, and what all of them answer."""

from stockpot.datasets import sources


def test_every_own_source_has_the_choice():
    own = [name for name in sources.names() if sources.reads_user_files(name)]
    assert own == ["csv", "folder", "parquet", "webdataset"]
    for name in own:
        assert sources.options(name)["classes"]["default"] == "all"
