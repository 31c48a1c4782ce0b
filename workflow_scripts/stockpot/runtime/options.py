"""Declare the options of plug-ins as typed classes, and derive JSON schemas from them.

A plug-in writes its options once::

    class Options(PluginOptions):
        drop: float = Field(0.5, ge=0, lt=1, description="probability that a number is dropped")

The check of the config, the JSON schema for editors and the tables of docs/ follow from it. An
option without a default is required. Options that several plug-ins of one package share are a
class in the ``_options.py`` of that package, from which the plug-ins inherit.
"""

from functools import cache
from typing import Annotated, Any, TypeVar, cast, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.dataclasses import dataclass

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]

_Class = TypeVar("_Class")

# Keywords of a generated schema that ``_plain`` resolves, drops or puts at another position.
_REWRITTEN_KEYWORDS = ("$ref", "$defs", "title", "properties", "default")


class PluginOptions(BaseModel):
    """The options of one plug-in, or a part of them that several plug-ins share."""

    # Pydantic never builds the validators: jsonschema checks the whole config in one pass, so that
    # all mistakes have one kind of message.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class Seeded(PluginOptions):
    """The option of a plug-in that draws random numbers."""

    seed: int = Field(0, ge=0, description="seed of the random draw")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def declaration_class(cls: type[_Class]) -> type[_Class]:
    """Make a class of declarations: a misspelt field and a value of the wrong type are errors.

    Args:
        cls: The class, with annotated fields.

    Returns:
        A frozen dataclass, whose fields are given by name and checked.
    """
    decorator = dataclass(
        frozen=True,
        kw_only=True,
        config=ConfigDict(strict=True, extra="forbid"),
    )
    return cast(type[_Class], decorator(cls))


@declaration_class
class Declaration:
    """What a plug-in says of itself. Each package of plug-ins has a subclass with more fields.

    Attributes:
        options: The class of its options.
    """

    options: type[PluginOptions] = PluginOptions


def one_of(words: list[str]) -> WithJsonSchema:
    """Limit an option to some words, where a Literal cannot list them.

    Args:
        words: All allowed words.

    Returns:
        The second part of ``Annotated[str, ...]``.
    """
    return WithJsonSchema({"enum": words})


def from_paper(source: str) -> dict[str, str]:
    """Return extra content for the schema of a field: the paper that the option comes from.

    Args:
        source: The paper, for the table of docs/.

    Returns:
        The value of ``json_schema_extra``.
    """
    return {"source": source}


@cache
def schemas(options: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each option.

    Args:
        options: A class of options.

    Returns:
        Name -> schema without references. An option whose schema has no ``default`` is required.
    """
    generated = options.model_json_schema()
    return _plain(generated, generated.get("$defs", {}))["properties"]


def _plain(
    node: Any,
    definitions: dict[str, dict[str, Any]],
) -> Any:
    """Simplify a generated schema: no titles, references or unions with null."""
    if isinstance(node, list):
        return [_plain(entry, definitions) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        # Keywords beside the reference take precedence.
        node = {**definitions[name], **node}

    schema = {}
    for keyword, value in node.items():
        if keyword not in _REWRITTEN_KEYWORDS:
            schema[keyword] = _plain(value, definitions)
    # A default is data: it is copied as it is, although it may look like a schema.
    if "default" in node:
        schema["default"] = node["default"]
    # Keys of ``properties`` are names of options, which may be those of keywords, such as "title".
    if "properties" in node:
        schema["properties"] = {
            name: _plain(value, definitions)
            for name, value in node["properties"].items()
        }
    # A Literal of one word is written like one of several, and words need no type.
    if "const" in schema and schema.get("type") == "string":
        schema["enum"] = [schema.pop("const")]
    if "enum" in schema:
        schema.pop("type", None)
    return _without_null_union(schema)


def _without_null_union(schema: dict[str, Any]) -> dict[str, Any]:
    """Replace a union of one form with null by that form, whose type then lists "null".

    A form without a type, such as words, and a map keep no mark of null: the check of the config
    takes null for "not given" there.
    """
    forms = [form for form in schema.get("anyOf", []) if form != {"type": "null"}]
    if len(forms) != 1:
        return schema
    form = forms[0]
    other_keywords = {
        keyword: value for keyword, value in schema.items() if keyword != "anyOf"
    }
    if form.get("type", "object") != "object":
        form = {**form, "type": [form["type"], "null"]}
    return {**form, **other_keywords}
