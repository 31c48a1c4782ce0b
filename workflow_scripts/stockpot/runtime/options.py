"""Options of plug-ins as typed classes: what the config may say, with defaults, bounds and words.

A plug-in writes its options once::

    class Options(PluginOptions):
        drop: float = Field(0.5, ge=0, lt=1, description="probability that a number is dropped")

The check of the config, the JSON schema for editors and the tables of docs/ follow from it. An
option without a default must be given. Options that several plug-ins of one package share are a
class in its ``_options.py``, which each of them inherits.
"""

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.dataclasses import dataclass

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class PluginOptions(BaseModel):
    """The options of one plug-in, or a part of them that several share."""

    # Validators are never built: jsonschema checks the config, in one pass with one kind of error.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class Seeded(PluginOptions):
    seed: int = Field(0, ge=0, description="seed of the random draw")


# Of declarations: a misspelt field and a wrong value are errors.
declaration_class = dataclass(
    frozen=True, kw_only=True, config=ConfigDict(strict=True, extra="forbid")
)


@declaration_class
class Declaration:
    """What a plug-in says of itself. Each package of plug-ins has a subclass with more fields.

    Attributes:
        options: The class of its options.
    """

    options: type[PluginOptions] = PluginOptions


def one_of(words: list[str]) -> Any:
    """The type of an option that is one of these words, where a Literal cannot list them."""
    return Annotated[str, WithJsonSchema({"enum": words})]


def from_paper(source: str) -> dict[str, str]:
    """What a field carries beside its schema: where the option comes from, for the docs."""
    return {"source": source}


@cache
def schemas(options: type[BaseModel]) -> dict[str, dict]:
    """The JSON schema of each option, without references; one without ``default`` is required."""
    generated = options.model_json_schema()
    return _plain(generated, generated.get("$defs", {}))["properties"]


def _plain(node: Any, definitions: dict[str, dict]) -> Any:
    """A generated schema as a person would write it: no titles, references or unions with null."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        node = {**definitions[name], **node}
    plain = {
        key: _plain(value, definitions)
        for key, value in node.items()
        if key not in ("$ref", "$defs", "title", "properties", "default")
    }
    if "default" in node:
        plain["default"] = node["default"]
    if "properties" in node:
        named = node["properties"]
        plain["properties"] = {
            key: _plain(value, definitions) for key, value in named.items()
        }
    if "const" in plain and plain.get("type") == "string":
        plain["enum"] = [plain.pop("const")]
    if "enum" in plain:
        plain.pop("type", None)
    return _without_null(plain)


def _without_null(schema: dict) -> dict:
    """A schema whose null is said by its type alone. Words and maps take null for not given."""
    forms = [form for form in schema.get("anyOf", []) if form != {"type": "null"}]
    if len(forms) != 1:
        return schema
    (form,) = forms
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if form.get("type", "object") != "object":
        form = {**form, "type": [form["type"], "null"]}
    return {**form, **rest}
