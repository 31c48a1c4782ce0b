"""Lines of mistakes name the file that the key stands in."""

import pytest
import yaml

from stockpot.config.overlays import without_nulls
from tests.support.config_mistakes import problems_of


@pytest.fixture
def two_files(config, tmp_path):
    """A function that lays one config over another, each in a file of its own."""

    def merge(base, change):
        if not isinstance(change, dict) or not isinstance(base, dict):
            return change
        return {**base, **{k: merge(base.get(k), v) for k, v in change.items()}}

    def make(first: dict, second: dict, command_line: dict | None = None):
        files = []
        for name, content in (
            ("config.yaml", merge(config, first)),
            ("mine.yaml", second),
        ):
            files.append(tmp_path / name)
            files[-1].write_text(yaml.safe_dump(content))
        merged = merge(merge(merge(config, first), second), command_line or {})
        return merged, files

    return make


def test_lines_name_the_file_that_the_key_stands_in(schema, two_files):
    """Maps are merged, so a mistake may lie between the user's file and the default's."""
    merged, files = two_files(
        {"baselines": {"train": "trian"}}, {"sweep": {"targets": ["bsae"]}}
    )
    lines = problems_of(merged, schema, files)
    assert [line.rpartition(" (in ")[2] for line in lines] == [
        "config.yaml)",
        "mine.yaml)",
    ]


def test_a_key_that_the_user_did_not_write_is_not_blamed_on_his_file(schema, two_files):
    entry = {"source": "handwriting", "part": "train"}
    lines = problems_of(
        *with_schema(schema, two_files({}, {"datasets": {"train": entry}}))
    )
    assert lines[0].startswith("datasets.train: unknown key")
    assert "(in config.yaml)" in lines[0]


def test_a_name_that_the_users_file_takes_away_is_told_to_be_its_doing(
    schema, two_files
):
    """The list that still names it stands in the default's file."""
    merged, files = two_files({}, {"finetune": {"runs": {"linear": None}}})
    lines = problems_of(without_nulls(merged), schema, files)
    end = "(in config.yaml; mine.yaml removes it, so give this key there too)"
    assert any(
        line.startswith("sweep.targets.1: unknown") and line.endswith(end)
        for line in lines
    )


def test_what_the_command_line_says_is_blamed_on_no_file(schema, two_files):
    (line,) = problems_of(*with_schema(schema, two_files({}, {}, {"threads": 0})))
    assert line.startswith("threads: 0")
    assert "(in " not in line


def with_schema(schema, made):
    return made[0], schema, made[1]
