"""Which jobs are pending where a record of Snakemake cannot be read."""

from stockpot.runtime.snakemake_records import read_record
from tests.support.small_graphs import chain, make_outputs, note_file, run_names


def test_a_note_that_cannot_be_read_is_none(empty_folder):
    make_outputs(chain())
    for damaged in ("{", "[]", "7", '{"record_format_version": "x"}', ""):
        note_file("out/base-11111111").write_text(damaged)
        assert read_record("out/base-11111111") is None
    assert run_names(chain()) == []
    assert read_record("out/never") is None
