"""The schema of the config, with what each plug-in adds to it, and its errors in one line."""

import copy
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

from .. import analyses, figures
from ..datasets import sources
from ..datasets.classes import DERIVED_FROM
from ..merging import methods
from ..models import formats
from ..runtime.escape import one_line
from ..runtime.registry import defaults
from ..runtime.suggest import closest, listed
from ..training import variants
from .renamed_keys import renamed_hint, renamed_words

FROM_SCRATCH = "from-scratch"
# Hyperparameters that a search cannot draw.
_NOT_DRAWN = ("variant", "init_from", "task", "second_dataset")

Schema = dict[str, Any]


def with_plugin_options(schema: Schema) -> Schema:
    """Add the options of all plug-ins to a schema.

    Args:
        schema: The schema of schemas/config.schema.yaml, which stays as it is.

    Returns:
        The schema that a whole config is checked against.
    """
    schema = copy.deepcopy(schema)
    properties = schema["properties"]
    definitions = schema["$defs"]
    _add_sources(properties, definitions)
    _add_methods(properties)
    _add_variants(properties, definitions)
    _add_figures_and_analyses(properties)
    export = properties["exports"]["additionalProperties"]["properties"]
    export["format"]["enum"] = formats.names()
    return schema


def _add_sources(
    properties: Schema,
    definitions: Schema,
) -> None:
    dataset = properties["datasets"]["additionalProperties"]
    dataset["properties"]["source"]["enum"] = [*sources.names(), *DERIVED_FROM]
    derived = [
        _when("source", name, definitions[name]["properties"]) for name in DERIVED_FROM
    ]
    prepared = [
        _when("source", name, sources.options(name)) for name in sources.names()
    ]
    dataset["allOf"] = derived + prepared


def _add_methods(properties: Schema) -> None:
    soup = properties["soups"]["additionalProperties"]
    soup["properties"]["method"]["enum"] = methods.names()
    common = {
        key: value for key, value in soup["properties"].items() if key != "method"
    }
    soup["allOf"] = [
        _when(
            "method",
            name,
            methods.options(name),
            common,
        )
        for name in methods.names()
    ]


def _add_variants(
    properties: Schema,
    definitions: Schema,
) -> None:
    # Options of all variants together; the check of the config tells which belong to which.
    run = definitions["run"]["properties"]
    finetuned = [name for name in variants.names() if name != FROM_SCRATCH]
    run["variant"] = {"description": run["variant"]["description"], "enum": finetuned}
    for name in finetuned:
        run |= variants.options(name)
    for node in (definitions["scratch_run"], properties["adversary"]):
        node["properties"] |= variants.options(FROM_SCRATCH)
        # Normalisation over a batch needs two images.
        node["properties"]["batch_size"] = {"type": "integer", "minimum": 2}
    space = properties["finetune"]["properties"]["search"]["properties"]["space"]
    # The first form of a space is the name of a file, the second the space itself.
    drawn = [key for key in run if key not in _NOT_DRAWN]
    space["oneOf"][1]["propertyNames"] = {"enum": drawn}


def _add_figures_and_analyses(properties: Schema) -> None:
    # An entry of another name says by its key ``analysis`` which analysis it is.
    other_names = [
        _when("analysis", name, analyses.options(name)) for name in analyses.names()
    ]
    properties["figures"]["propertyNames"] = {"enum": figures.names()}
    properties["figures"]["properties"] = _options_by_name(figures)
    properties["analyses"]["additionalProperties"] = {
        "type": "object",
        "allOf": other_names,
    }
    properties["analyses"]["properties"] = _options_by_name(analyses)


def _options_by_name(package: ModuleType) -> Schema:
    """Name of each plug-in -> the schema of its options."""
    schemas = {}
    for name in package.names():
        schemas[name] = {
            "type": "object",
            "properties": package.options(name),
            "additionalProperties": False,
        }
    return schemas


def without_references(schema: Schema) -> Schema:
    """Write a schema without references, for editors and catalogues that follow none.

    Args:
        schema: A schema with references to its own definitions.

    Returns:
        The schema with definitions in place of references. One that contains itself, such as a
        distribution of distributions, is any map the second time.
    """
    return _inline(schema, schema["$defs"], ())


def _inline(
    node: Any,
    definitions: Schema,
    within: tuple[str, ...],
) -> Any:
    """Replace references; ``within`` names the definitions that the node lies in."""
    if isinstance(node, list):
        return [_inline(item, definitions, within) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {key: _inline(value, definitions, within) for key, value in node.items()}
    name = node["$ref"].rpartition("/")[2]
    if name in within:
        return {"type": "object"}
    # Keys beside the reference, such as a description, are on top of the definition's.
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return _inline({**definitions[name], **beside}, definitions, (*within, name))


def _when(
    key: str,
    name: str,
    options: Schema,
    common: Schema | None = None,
) -> Schema:
    """What an entry may hold if its ``key`` is ``name``."""
    optional = defaults(options)
    required = [option for option in options if option not in optional]
    allowed = {key: True, **(common or {}), **options}
    return {
        "if": {"required": [key], "properties": {key: {"const": name}}},
        "then": {
            "properties": allowed,
            "required": required,
            "additionalProperties": False,
        },
    }


# JSON has one kind of number, so 3.0 counts as an integer there; not as a number of epochs.
Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: type(value) is int
    ),
)


def schema_errors(
    config: dict[str, Any],
    schema: Schema,
) -> list[str]:
    """Check a config against a schema.

    Args:
        config: The config.
        schema: The complete schema.

    Returns:
        A line per mistake: key path, value, what is allowed.
    """
    errors = Validator(schema).iter_errors(config)
    texts = [error_line(error) for error in sorted(errors, key=_order)]
    return list(dict.fromkeys(texts))


def _order(error: ValidationError) -> tuple[list[str], bool]:
    """By key path; an unknown key, often a misspelt one, before what is missing for it."""
    path = [str(key) for key in error.path]
    return path, error.validator != "additionalProperties"


def error_line(error: ValidationError) -> str:
    """Describe one validation error.

    Args:
        error: The error.

    Returns:
        "path: what is wrong; what is allowed", of bounded length.
    """
    if error.validator == "oneOf":
        # What is wrong within the form that was meant, if the type tells which one it was.
        return error_line(
            min(error.context, key=lambda inner: inner.validator == "type")
        )
    path = one_line(".".join(map(str, error.absolute_path)), 200) or "config"
    describe = _DESCRIPTIONS.get(error.validator)
    text = describe(error) if describe else one_line(error.message, 300)
    return f"{path}: {text}"


def _shown(error: ValidationError) -> str:
    """The wrong value, of bounded length."""
    return one_line(repr(error.instance), 120)


def _wrong_type(error: ValidationError) -> str:
    kinds = error.validator_value
    if isinstance(kinds, str):
        kinds = [kinds]
    hint = _type_hint(error.instance, kinds)
    return f"{_shown(error)} is not of type {' or '.join(kinds)}{hint}"


def _none_of(error: ValidationError) -> str:
    kinds = [option.get("type", "what is allowed") for option in error.validator_value]
    return f"{_shown(error)} is none of {', '.join(kinds)}"


def _not_in_list(error: ValidationError) -> str:
    allowed = [str(word) for word in error.validator_value]
    hint = ""
    if isinstance(error.instance, str):
        new_names = renamed_words(list(error.absolute_path), [error.instance], allowed)
        hint = renamed_hint(new_names) or _meant(error.instance, allowed)
    return f"{_shown(error)} is not one of {', '.join(allowed)}{hint}"


def _not_constant(error: ValidationError) -> str:
    return f"{_shown(error)} is not {error.validator_value!r}"


def _not_above(error: ValidationError) -> str:
    return f"{_shown(error)} is not above {error.validator_value}"


def _not_below(error: ValidationError) -> str:
    return f"{_shown(error)} is not below {error.validator_value}"


def _wrong_key_count(error: ValidationError) -> str:
    allowed = error.schema.get("properties", {})
    new_names = renamed_words(list(error.absolute_path), list(error.instance), allowed)
    hint = renamed_hint(new_names)
    return f"has {listed(error.instance)}; give one and set the others to null{hint}"


def _wrong_name(error: ValidationError) -> str:
    return f"{_shown(error)} is not made of letters, digits and hyphens, a letter first"


def _too_long(error: ValidationError) -> str:
    length = len(error.instance)
    return f"{_shown(error)} has {length} characters, more than {error.validator_value}"


def _missing_key(error: ValidationError) -> str:
    """What is wrong where a required key is not there, with the key's description."""
    missing = next(
        key
        for key in error.validator_value
        if f"{key!r} is a required" in error.message
    )
    text = f"{missing!r} is a required property"
    # Its description says what to write there.
    declared = error.schema.get("properties", {}).get(missing)
    if not isinstance(declared, dict) or not declared.get("description"):
        return text
    return f"{text}: {declared['description']}"


def _unknown_key(error: ValidationError) -> str:
    """What is wrong with keys that the schema does not have, and which were probably meant."""
    allowed = sorted(error.schema.get("properties", {}))
    unknown = [str(key) for key in error.instance if key not in allowed]
    names = listed(map(repr, unknown))
    if not allowed:
        return f"unknown key {names}; there are no options here"
    path = list(error.absolute_path)
    new_names = renamed_words(path, unknown, allowed)
    hint = renamed_hint(new_names)
    mistyped = [key for key in unknown if key not in new_names]
    if not mistyped:
        # A long list of what is allowed would only hide the new names.
        return f"unknown key {names}{hint}"
    if path[:1] == ["datasets"] and "download" in mistyped:
        hint += "; this source has no public archive, so place its files at its path"
    else:
        hint += _meant(mistyped[0], allowed)
    return f"unknown key {names}; allowed are {', '.join(allowed)}{hint}"


def _meant(
    word: str,
    allowed: list[str],
) -> str:
    """Say which of the allowed words an unknown one may stand for."""
    close = closest(word, allowed)
    return f"; did you mean {close[0]!r}?" if close else ""


def _type_hint(
    value: Any,
    kinds: list[str],
) -> str:
    if isinstance(value, str) and "number" in kinds and "e" in value.lower():
        return (
            "; YAML reads an exponent only after a point and with a sign, as in 1.0e-5"
        )
    if kinds == ["array"]:
        return "; write a list, as [a, b]"
    if kinds == ["object"]:
        return "; write a map, as {a: b}"
    return ""


# Keyword of the schema -> what to say of a value that breaks it.
_DESCRIPTIONS: dict[str, Callable[[ValidationError], str]] = {
    "additionalProperties": _unknown_key,
    "type": _wrong_type,
    "anyOf": _none_of,
    "enum": _not_in_list,
    "const": _not_constant,
    "required": _missing_key,
    "exclusiveMinimum": _not_above,
    "exclusiveMaximum": _not_below,
    "minProperties": _wrong_key_count,
    "maxProperties": _wrong_key_count,
    "pattern": _wrong_name,
    "maxLength": _too_long,
}
