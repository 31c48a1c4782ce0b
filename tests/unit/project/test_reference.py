"""What follows from the declarations of options is up to date, and says the same everywhere."""

import json
import re
import sys
from collections.abc import Iterator

import jsonschema
import pytest
import yaml

from stockpot.config.overlays import without_nulls
from tests.support.paths import ROOT

sys.path.insert(0, str(ROOT / "docs" / "scripts"))
import reference


@pytest.fixture(scope="module")
def generated_pages():
    return reference.pages()


def test_what_is_made_from_declarations_is_up_to_date(generated_pages):
    stale = [
        str(path)
        for path, text in generated_pages.items()
        if (ROOT / path).read_text("utf-8") != text
    ]
    assert stale == [], "make reference makes them again"


@pytest.mark.slow
def test_the_schema_for_editors_has_no_references_and_takes_every_study(
    generated_pages,
):
    schema = json.loads(generated_pages[reference.EDITOR_SCHEMA])
    assert "$ref" not in generated_pages[reference.EDITOR_SCHEMA]
    jsonschema.Draft202012Validator.check_schema(schema)
    config = without_nulls(yaml.safe_load((ROOT / "config.yaml").read_text("utf-8")))
    jsonschema.validate(config, schema)
    wrong = {**config, "soups": {"mine": {"method": "ema", "decya": 0.9}}}
    with pytest.raises(jsonschema.ValidationError, match="decya"):
        jsonschema.validate(wrong, schema)


def test_every_key_and_option_is_described(generated_pages):
    rows = [
        line
        for text in generated_pages.values()
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    assert len(rows) > 200
    undescribed = [row[0] for row in cells if not row[-1].strip() and len(row) == 4]
    assert undescribed == []


def first_keys(
    node: yaml.Node, path: tuple[str, ...] = ()
) -> Iterator[tuple[int, tuple]]:
    """Line and key path of every key below a node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.start_mark.line, (*path, key.value)
            yield from first_keys(value, (*path, key.value))


def description(schema: dict, path: tuple[str, ...]) -> str | None:
    """What the schema says of a key; None for a name that the study gives."""
    for key in path:
        if key not in schema.get("properties", {}):
            return None
        schema = schema["properties"][key]
    return schema.get("description", "")


def test_comments_of_the_config_are_parts_of_the_descriptions(generated_pages):
    schema = json.loads(generated_pages[reference.EDITOR_SCHEMA])
    text = (ROOT / "config.yaml").read_text("utf-8")
    paths: dict[int, tuple] = {}
    for line, path in first_keys(yaml.compose(text)):
        paths.setdefault(line, path)
    compared = 0
    for number, line in enumerate(text.splitlines()):
        comment = re.search(r"\S\s+# (.*)", line)
        described = (
            description(schema, paths[number]) if comment and number in paths else None
        )
        if described is not None:
            compared += 1
            missing = set(comment.group(1).split("; ")) - set(described.split("; "))
            assert not missing, (
                f"{'.'.join(paths[number])}: the schema says {described!r}"
            )
    assert compared > 25
