"""Write what follows from the declarations of options: tables of docs/, and the schema for editors.

    python docs/scripts/reference.py

A table of docs/ stands between ``<!-- options of NAME -->`` and ``<!-- end of options -->``; what
is between them is replaced. ``docs/reference/config.md`` is made as a whole.
``schemas/config.schema.json`` is the schema of the config with what plug-ins add, without
references.
"""

import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from stockpot import analyses, figures  # noqa: E402
from stockpot.config.schema import complete, resolved  # noqa: E402
from stockpot.datasets import sources  # noqa: E402
from stockpot.merging import methods  # noqa: E402
from stockpot.training import variants  # noqa: E402

SCHEMA = Path("schemas/config.schema.yaml")
DEFAULTS = Path("schemas/defaults.yaml")
EDITOR_SCHEMA = Path("schemas/config.schema.json")
REFERENCE = Path("docs/reference/config.md")
END = "<!-- end of options -->"
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
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
    """Path from the root of the project -> text, of everything that follows from declarations."""
    raw = yaml.safe_load((ROOT / SCHEMA).read_text("utf-8"))
    defaults = yaml.safe_load((ROOT / DEFAULTS).read_text("utf-8"))
    schema = resolved(complete(raw))
    tables = {
        "methods": _plugin_table("method", methods),
        "analyses": _plugin_table("analysis", analyses),
        "hyperparameters": _hyperparameters(raw),
        "training": _training_table(raw),
    }
    made = {REFERENCE: _reference(resolved(raw), defaults)}
    for name, page in {
        "methods": "docs/guide/methods.md",
        "analyses": "docs/guide/analyses.md",
        "hyperparameters": "docs/guide/training.md",
        "training": "docs/guide/training.md",
    }.items():
        path = Path(page)
        text = made.get(path) or (ROOT / path).read_text("utf-8")
        made[path] = _replaced(text, name, tables[name])
    made[EDITOR_SCHEMA] = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
    return made


def kind(schema: dict) -> str:
    """What a value may be, in words: its type and bounds."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    forms = schema.get("oneOf") or schema.get("anyOf")
    if forms:
        return " or ".join(map(kind, forms))
    types = schema.get("type", "value")
    if types == "array":
        items = kind(schema.get("items", {}))
        return f"list of {items}" if items != "value" else "list"
    if types == "object":
        values = schema.get("additionalProperties")
        return f"map to {kind(values)}" if isinstance(values, dict) else "map"
    name = types if isinstance(types, str) else " or ".join(types)
    bounds = [
        f"{words} {schema[bound]}" for bound, words in BOUNDS.items() if bound in schema
    ]
    return ", ".join([name, *bounds])


def default(schema: dict) -> str:
    return (
        f"`{json.dumps(schema['default'])}`" if "default" in schema else "must be given"
    )


def _plugin_table(title: str, package) -> str:
    rows = [
        [f"`{name}`", f"`{key}`", default(schema), kind(schema), schema["description"]]
        for name in package.names()
        for key, schema in package.options(name).items()
    ]
    return _table([title, "key", "default", "may be", "is"], rows)


def _hyperparameters(schema: dict) -> str:
    common = resolved(schema)["$defs"]["hyperparameters"]["properties"]
    rows = [
        [f"`{key}`", kind(value), value["description"]] for key, value in common.items()
    ]
    return _table(["key", "may be", "is"], rows)


def _training_table(schema: dict) -> str:
    """Options of runs; letters say of which variants."""
    run = schema["$defs"]["run"]["properties"]
    options = {key: run[key] for key in ("start", "task")}
    takers = {key: list(LETTERS.values()) for key in options}
    for name, letter in LETTERS.items():
        for key, option in variants.options(name).items():
            options[key] = option
            takers.setdefault(key, []).append(letter)
    rows = [
        [
            f"`{key}`",
            " ".join(takers[key]),
            default(option),
            kind(option),
            option["description"],
            option.get("source", ""),
        ]
        for key, option in options.items()
    ]
    return _table(["key", "of", "default", "may be", "is", "source"], rows)


def _reference(schema: dict, defaults: dict) -> str:
    parts = [INTRODUCTION]
    for key, section in schema["properties"].items():
        text = f"{section['description']}\n\n" if "description" in section else ""
        rows = (
            []
            if key in ("extends", "analyses", "figures")
            else _keys(key, section, defaults)
        )
        parts.append(
            f"## {key}\n\n{text}" + (_table(["key", "default", "may be", "is"], rows))
        )
    parts.append("## Options of data sources\n\n" + _plugin_table("source", sources))
    parts.append("## Options of figures\n\n" + _plugin_table("figure", figures))
    return "\n".join(parts)


def _keys(path: str, schema: dict, defaults) -> list[list[str]]:
    """A row per key below a path that holds no further keys."""
    rows = []
    inner = dict(schema.get("properties", {}))
    entries = schema.get("additionalProperties")
    if isinstance(entries, dict) and "properties" in entries:
        inner["<name>"] = entries
    if not inner:
        value = defaults if defaults is not None else schema.get("default")
        shown = "" if value is None else f"`{json.dumps(value)}`"
        return [[f"`{path}`", shown, kind(schema), schema.get("description", "")]]
    for key, value in inner.items():
        below = defaults.get(key) if isinstance(defaults, dict) else None
        rows += _keys(f"{path}.{key}", value, below)
    return rows


def _table(titles: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [titles, [":--"] * len(titles), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _replaced(text: str, name: str, table: str) -> str:
    """A page with its table of this name made anew."""
    begin = f"<!-- options of {name} -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"there is no table '{begin}' to replace")
    return f"{before}{begin}\n{table}{END}{after}"


if __name__ == "__main__":
    for path, text in pages().items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)
