"""Which code made an artefact, by what Snakemake remembers and by our record."""

import base64
import json
import pickle
from pathlib import Path

import pytest

from stockpot.runtime.code_records import (
    digest_if_kept,
    digest_if_not_kept,
    record_file,
    write_record,
)
from stockpot.runtime.sealed import write_sealed
from stockpot.tables.notes import other_versions

FIRST, SECOND = "1111111111111111", "2222222222222222"
OUTPUT = "results/classifiers/base-0/classifier.json"


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_own_record(code: str, compared: str) -> None:
    content = {"code": code, "compared": compared, "made": "2026-01-31"}
    write_sealed(record_file("finetune", "base-0"), content)


def write_snakemake_note(code: str) -> None:
    """What Snakemake remembers of a file."""
    path = Path(
        ".snakemake/metadata", base64.urlsafe_b64encode(OUTPUT.encode()).decode()
    )
    path.parent.mkdir(parents=True)
    params = [repr({"name": "base"}), repr(code)]
    path.write_text(
        json.dumps({"record_format_version": 6, "params": params, "input": []})
    )


def test_what_is_kept_is_compared_by_the_code_that_made_it():
    write_own_record(FIRST, FIRST)
    assert digest_if_kept(SECOND, "finetune", "base-0", OUTPUT) == FIRST
    assert digest_if_not_kept(SECOND, "finetune", "base-0") == SECOND


def test_what_was_made_before_there_were_records_is_kept_by_snakemakes_note():
    write_snakemake_note(FIRST)
    assert digest_if_kept(SECOND, "finetune", "base-0", OUTPUT) == FIRST
    assert digest_if_not_kept(SECOND, "finetune", "base-0") == SECOND
    (sentence,) = other_versions(
        [["base", "finetune", "base-0", SECOND]], Path("results")
    )
    assert "made by an unknown version of the code of finetune: base" in sentence


def test_of_what_nobody_knows_the_present_code_counts():
    assert digest_if_kept(SECOND, "finetune", "base-0", OUTPUT) == SECOND


def test_what_was_made_again_while_kept_is_not_made_once_more_when_keep_ends():
    """Snakemake was told of the first code; the second made it."""
    write_own_record(SECOND, FIRST)
    assert digest_if_not_kept(SECOND, "finetune", "base-0") == FIRST


def test_what_was_made_again_while_kept_does_not_pass_for_what_the_first_code_made():
    write_own_record(SECOND, FIRST)
    compared = digest_if_not_kept(FIRST, "finetune", "base-0")
    assert compared != FIRST  # so it is made again
    # The job writes what it ran with; the next planning compares by what Snakemake was told then.
    write_record(
        Path("results/logs/finetune/base-0.log"), pickle.loads(pickle.dumps(compared))
    )
    assert digest_if_not_kept(FIRST, "finetune", "base-0") == compared


def test_an_unchanged_artefact_is_compared_by_the_present_code():
    write_own_record(SECOND, SECOND)
    assert digest_if_not_kept(SECOND, "finetune", "base-0") == SECOND
    assert (
        other_versions([["base", "finetune", "base-0", SECOND]], Path("results")) == []
    )
