"""Prompts of the zero-shot head."""

import pytest

from tests.support.config_mistakes import problems_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a photo of a {}\na photo\n", ["'a photo'", "{}"]),
        ("a {} of a {}\n", ["'a {} of a {}'", "{}"]),
        ("a {c}\n", ["'a {c}'", "{}"]),
        ("\n \n", ["no prompts"]),
    ],
)
def test_a_wrong_prompt_is_named(config, schema, tmp_path, text, words):
    file = tmp_path / "prompts.txt"
    file.write_text(text)
    config["head"]["prompts"] = str(file)
    (line,) = problems_of(config, schema)
    assert [w for w in ["head.prompts:", str(file), *words] if w not in line] == []


@pytest.mark.parametrize(
    "content",
    [
        b"a {} in {colour}\n",
        b"a {0} {}\n",
        b"a { {}\n",
        "ein schönes {}".encode("latin1"),
    ],
)
def test_a_prompt_that_cannot_be_filled_in_is_named(config, schema, tmp_path, content):
    (tmp_path / "prompts.txt").write_bytes(content)
    config["head"]["prompts"] = str(tmp_path / "prompts.txt")
    (line,) = problems_of(config, schema)
    assert line.startswith("head.prompts: ")
    assert "prompts.txt" in line
