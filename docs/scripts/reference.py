"""Write the tables of docs/ and the schema for editors, from the declarations of options.

    python docs/scripts/reference.py

A table of docs/ stands between ``<!-- options of NAME -->`` and ``<!-- end of options -->``; what
is between them is replaced. ``docs/reference/config.md`` is made as a whole.
``schemas/config.schema.json`` is the schema of the config with what plug-ins add, without
references.
"""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from stockpot import analyses, figures  # noqa: E402
from stockpot.config.schema import with_plugin_options, without_references  # noqa: E402
from stockpot.datasets import sources  # noqa: E402
from stockpot.merging import methods  # noqa: E402
from stockpot.training import variants  # noqa: E402

SCHEMA = Path("schemas/config.schema.yaml")
DEFAULTS = Path("schemas/defaults.yaml")
EDITOR_SCHEMA = Path("schemas/config.schema.json")
REFERENCE = Path("docs/reference/config.md")
END = "<!-- end of options -->"
# Keyword of a JSON schema -> words of the tables.
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
# Pages with tables, and the name of each table.
TABLE_PAGES = {
    "methods": Path("docs/guide/methods.md"),
    "analyses": Path("docs/guide/analyses.md"),
    "hyperparameters": Path("docs/guide/training.md"),
    "training": Path("docs/guide/training.md"),
}
# Top-level keys whose options are on other pages.
DESCRIBED_ELSEWHERE = ("extends", "analyses", "figures")
# Training variant -> its letter in the table of training runs.
LETTERS = {"end-to-end": "e", "linear-classifier": "l", "linear-search": "s"}
INTRODUCTION = """# Every key of the config

`make reference` writes this page from schemas/config.schema.yaml, schemas/defaults.yaml and what
plug-ins declare. The options of [merge methods](../guide/methods.md#options),
[analyses](../guide/analyses.md#options) and
[training runs](../guide/training.md#what-a-run-may-have) are on their own pages.
The default is the value that a key has in a study on your own data that does not mention it.
config.yaml shows the values of the embedded study.
"""


def pages() -> dict[Path, str]:
    """Make everything that follows from declarations.

    Returns:
        Path from the root of the project -> text of the file.

    Raises:
        SystemExit: If a page has no marks for its table.
    """
    raw = yaml.safe_load((ROOT / SCHEMA).read_text("utf-8"))
    defaults = yaml.safe_load((ROOT / DEFAULTS).read_text("utf-8"))
    tables = {
        "methods": _plugin_table("method", methods),
        "analyses": _plugin_table("analysis", analyses),
        "hyperparameters": _hyperparameters(raw),
        "training": _training_table(raw),
    }
    made = {REFERENCE: _reference(without_references(raw), defaults)}
    for name, path in TABLE_PAGES.items():
        # A page may have several tables, so it may be changed already.
        text = made.get(path) or (ROOT / path).read_text("utf-8")
        made[path] = _replace_table(text, name, tables[name])
    schema = without_references(with_plugin_options(raw))
    made[EDITOR_SCHEMA] = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
    return made


def kind(schema: dict[str, Any]) -> str:
    """Say in words what a value may be: its type and bounds.

    Args:
        schema: JSON schema of the value.

    Returns:
        For example "number, above 0"; "value" if the schema has no type.
    """
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    forms = schema.get("oneOf") or schema.get("anyOf")
    if forms:
        return " or ".join(map(kind, forms))
    types = schema.get("type", "value")
    if types == "array":
        entries = kind(schema.get("items", {}))
        return f"list of {entries}" if entries != "value" else "list"
    if types == "object":
        values = schema.get("additionalProperties")
        return f"map to {kind(values)}" if isinstance(values, dict) else "map"
    return _type_and_bounds(types, schema)


def _type_and_bounds(types: str | list[str], schema: dict[str, Any]) -> str:
    """Write one or several simple types, with the bounds of the schema."""
    name = types if isinstance(types, str) else " or ".join(types)
    bounds = []
    for keyword, words in BOUNDS.items():
        if keyword in schema:
            bounds.append(f"{words} {schema[keyword]}")
    return ", ".join([name, *bounds])


def default(schema: dict[str, Any]) -> str:
    """Write the default of an option.

    Args:
        schema: JSON schema of the option.

    Returns:
        The default as JSON, or that it must be given.
    """
    if "default" not in schema:
        return "must be given"
    return f"`{json.dumps(schema['default'])}`"


def _plugin_table(title: str, package: ModuleType) -> str:
    """Write the options of all plug-ins of a package."""
    rows = []
    for name in package.names():
        for key, schema in package.options(name).items():
            rows.append(
                [
                    f"`{name}`",
                    f"`{key}`",
                    default(schema),
                    kind(schema),
                    schema["description"],
                ]
            )
    return _table([title, "key", "default", "may be", "is"], rows)


def _hyperparameters(raw_schema: dict[str, Any]) -> str:
    """Write the hyperparameters that all training runs have."""
    definitions = without_references(raw_schema)["$defs"]
    rows = []
    for key, schema in definitions["hyperparameters"]["properties"].items():
        rows.append([f"`{key}`", kind(schema), schema["description"]])
    return _table(["key", "may be", "is"], rows)


def _training_table(raw_schema: dict[str, Any]) -> str:
    """Write the options of runs; letters say which variants have them."""
    run = raw_schema["$defs"]["run"]["properties"]
    # These keys belong to every run, whatever its variant.
    options = {key: run[key] for key in ("init_from", "task")}
    letters_by_key = {key: list(LETTERS.values()) for key in options}
    for variant, letter in LETTERS.items():
        for key, option in variants.options(variant).items():
            options[key] = option
            letters_by_key.setdefault(key, []).append(letter)
    rows = []
    for key, option in options.items():
        rows.append(
            [
                f"`{key}`",
                " ".join(letters_by_key[key]),
                default(option),
                kind(option),
                option["description"],
                option.get("source", ""),
            ]
        )
    return _table(["key", "of", "default", "may be", "is", "source"], rows)


def _reference(schema: dict[str, Any], defaults: dict[str, Any]) -> str:
    """Write the page of all keys."""
    sections = [INTRODUCTION]
    for key, section in schema["properties"].items():
        text = f"{section['description']}\n\n" if "description" in section else ""
        rows = []
        if key not in DESCRIBED_ELSEWHERE:
            rows = _key_rows(key, section, defaults.get(key))
        table = _table(["key", "default", "may be", "is"], rows)
        sections.append(f"## {key}\n\n{text}{table}")
    source_table = _plugin_table("source", sources)
    figure_table = _plugin_table("figure", figures)
    sections.append(f"## Options of data sources\n\n{source_table}")
    sections.append(f"## Options of figures\n\n{figure_table}")
    return "\n".join(sections)


def _key_rows(path: str, schema: dict[str, Any], defaults: Any) -> list[list[str]]:
    """Make a row for each key below a path that holds no further keys.

    Args:
        path: Keys with dots between them.
        schema: JSON schema of its value.
        defaults: Its default; a dictionary if it holds further keys.

    Returns:
        Rows of key, default, kind and description.
    """
    inner_schemas = dict(schema.get("properties", {}))
    entries = schema.get("additionalProperties")
    if isinstance(entries, dict) and "properties" in entries:
        inner_schemas["<name>"] = entries
    if not inner_schemas:
        value = defaults if defaults is not None else schema.get("default")
        shown_value = "" if value is None else f"`{json.dumps(value)}`"
        description = schema.get("description", "")
        return [[f"`{path}`", shown_value, kind(schema), description]]
    rows = []
    for key, inner_schema in inner_schemas.items():
        inner_defaults = defaults.get(key) if isinstance(defaults, dict) else None
        rows += _key_rows(f"{path}.{key}", inner_schema, inner_defaults)
    return rows


def _table(titles: list[str], rows: list[list[str]]) -> str:
    """Write a table of Markdown; empty without rows."""
    if not rows:
        return ""
    lines = []
    for cells in [titles, [":--"] * len(titles), *rows]:
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def _replace_table(text: str, name: str, table: str) -> str:
    """Replace the table of this name in a page."""
    begin = f"<!-- options of {name} -->"
    before, _, rest = text.partition(begin)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"there is no table '{begin}' to replace")
    return f"{before}{begin}\n{table}{END}{after}"


if __name__ == "__main__":
    for page_path, page_text in pages().items():
        (ROOT / page_path).write_text(page_text, encoding="utf-8")
        print(page_path)
