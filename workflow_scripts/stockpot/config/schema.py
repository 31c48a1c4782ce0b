"""The schema of the config, with what each plug-in adds to it, and its errors in one line."""

import copy

from jsonschema import Draft202012Validator, validators

from .. import analyses, figures
from ..datasets import sources
from ..datasets.classes import MADE_OF
from ..merging import methods
from ..models import formats
from ..runtime.escape import one_line
from ..runtime.registry import defaults
from ..runtime.suggest import closest, listed
from ..training import variants

FROM_SCRATCH = "from-scratch"


def complete(schema: dict) -> dict:
    """Add the options of all plug-ins to a schema.

    Args:
        schema: the schema of schemas/config.schema.yaml, which stays as it is.

    Returns:
        The schema that a whole config is checked against.
    """
    schema = copy.deepcopy(schema)
    properties = schema["properties"]
    shared = schema["$defs"]
    _add_sources(properties, shared)
    _add_methods(properties)
    _add_variants(properties, shared)
    _add_figures_and_analyses(properties)
    export = properties["exports"]["additionalProperties"]["properties"]
    export["format"]["enum"] = formats.names()
    return schema


def _add_sources(properties: dict, shared: dict) -> None:
    dataset = properties["datasets"]["additionalProperties"]
    dataset["properties"]["source"]["enum"] = [*sources.names(), *MADE_OF]
    made_of_others = [
        _when("source", name, shared[name]["properties"]) for name in MADE_OF
    ]
    prepared = [
        _when("source", name, sources.options(name)) for name in sources.names()
    ]
    dataset["allOf"] = made_of_others + prepared


def _add_methods(properties: dict) -> None:
    soup = properties["soups"]["additionalProperties"]
    soup["properties"]["method"]["enum"] = methods.names()
    common = {
        key: value for key, value in soup["properties"].items() if key != "method"
    }
    soup["allOf"] = [
        _when("method", name, methods.options(name), common) for name in methods.names()
    ]


def _add_variants(properties: dict, shared: dict) -> None:
    run = shared["run"]["properties"]
    fine_tuned = [name for name in variants.names() if name != FROM_SCRATCH]
    run["variant"] = {"description": run["variant"]["description"], "enum": fine_tuned}
    for name in fine_tuned:
        run |= variants.options(name)
    from_scratch = (shared["scratch_run"], properties["adversary"])
    for node in from_scratch:
        node["properties"] |= variants.options(FROM_SCRATCH)
        # Normalisation over a batch needs two images.
        node["properties"]["batch_size"] = {"type": "integer", "minimum": 2}
    not_drawn = ("variant", "start", "task", "joint")
    space = properties["finetune"]["properties"]["search"]["properties"]["space"]
    space["oneOf"][1]["propertyNames"] = {
        "enum": [key for key in run if key not in not_drawn]
    }


def _add_figures_and_analyses(properties: dict) -> None:
    properties["figures"]["propertyNames"] = {"enum": figures.names()}
    properties["analyses"]["additionalProperties"] = {
        "type": "object",
        "allOf": [
            _when("analysis", name, analyses.options(name)) for name in analyses.names()
        ],
    }
    for key, package in (("figures", figures), ("analyses", analyses)):
        properties[key]["properties"] = {
            name: {
                "type": "object",
                "properties": package.options(name),
                "additionalProperties": False,
            }
            for name in package.names()
        }


def resolved(schema: dict) -> dict:
    """The schema without references, for editors and catalogues that follow none.

    What contains itself, as a distribution of distributions, is any map the second time.
    """

    def inline(node, within: tuple[str, ...]):
        if isinstance(node, list):
            return [inline(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" not in node:
            return {key: inline(value, within) for key, value in node.items()}
        name = node["$ref"].rpartition("/")[2]
        if name in within:
            return {"type": "object"}
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return inline({**schema["$defs"][name], **rest}, (*within, name))

    return inline(schema, ())


def _when(key: str, name: str, options: dict, common: dict | None = None) -> dict:
    """What an entry may hold where ``key`` is ``name``."""
    needed = [option for option in options if option not in defaults(options)]
    allowed = {key: True, **(common or {}), **options}
    then = {"properties": allowed, "required": needed, "additionalProperties": False}
    return {
        "if": {"required": [key], "properties": {key: {"const": name}}},
        "then": then,
    }


# JSON has one kind of number, so 3.0 counts as an integer there; not as a number of epochs.
Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: type(value) is int
    ),
)


def lines(config: dict, schema: dict) -> list[str]:
    """A line per mistake: key path, value, what is allowed."""
    errors = Validator(schema).iter_errors(config)
    found = [line(error) for error in sorted(errors, key=_order)]
    return list(dict.fromkeys(found))


def _order(error) -> tuple:
    """By place; an unknown key, often a misspelt one, before what is missing for it."""
    return list(map(str, error.path)), error.validator != "additionalProperties"


def line(error) -> str:
    """One validation error as "path: what is wrong; what is allowed", of bounded length."""
    path = one_line(".".join(map(str, error.absolute_path)), 200) or "config"
    value, wanted = error.instance, error.validator_value
    shown = one_line(repr(value), 120)
    if error.validator == "oneOf":
        # What is wrong within the form that was meant, if the type tells which one it was.
        return line(min(error.context, key=lambda inner: inner.validator == "type"))
    if error.validator == "additionalProperties":
        return f"{path}: {_unknown_key(error)}"
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        return f"{path}: {shown} is not of type {' or '.join(kinds)}{_type_hint(value, kinds)}"
    if error.validator == "anyOf":
        kinds = [option.get("type", "what is allowed") for option in wanted]
        return f"{path}: {shown} is none of {', '.join(kinds)}"
    if error.validator == "enum":
        allowed = list(map(str, wanted))
        close = closest(value, allowed) if isinstance(value, str) else []
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"{path}: {shown} is not one of {', '.join(allowed)}{hint}"
    if error.validator == "const":
        return f"{path}: {shown} is not {wanted!r}"
    if error.validator == "required":
        return f"{path}: {_missing_key(error)}"
    if error.validator == "exclusiveMinimum":
        return f"{path}: {shown} is not above {wanted}"
    if error.validator == "exclusiveMaximum":
        return f"{path}: {shown} is not below {wanted}"
    if error.validator in ("minProperties", "maxProperties"):
        return f"{path}: has {listed(value)}; give one and set the others to null"
    if error.validator == "pattern":
        return f"{path}: {shown} is not made of letters, digits and hyphens, a letter first"
    if error.validator == "maxLength":
        return f"{path}: {shown} has {len(value)} characters, more than {wanted}"
    return f"{path}: {one_line(error.message, 300)}"


def _missing_key(error) -> str:
    """What is said of a required key that is not there, with its description."""
    missing = next(
        key
        for key in error.validator_value
        if f"{key!r} is a required" in error.message
    )
    said = f"{missing!r} is a required property"
    declared = error.schema.get("properties", {}).get(missing)
    description = declared.get("description") if isinstance(declared, dict) else None
    return f"{said}: {description}" if description else said


def _unknown_key(error) -> str:
    """What is said of keys that the schema does not have, with those that were probably meant."""
    allowed = sorted(error.schema.get("properties", {}))
    unknown = [str(key) for key in error.instance if key not in allowed]
    names = listed(map(repr, unknown))
    if not allowed:
        return f"unknown key {names}; there are no options here"
    path = list(error.absolute_path)
    if path[:1] == ["datasets"] and "download" in unknown:
        hint = "; this source has no public archive, so place its files at its path"
    else:
        close = closest(unknown[0], allowed)
        hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown key {names}; allowed are {', '.join(allowed)}{hint}"


def _type_hint(value, kinds: list[str]) -> str:
    if isinstance(value, str) and "number" in kinds and "e" in value.lower():
        return (
            "; YAML reads an exponent only after a point and with a sign, as in 1.0e-5"
        )
    if kinds == ["array"]:
        return "; write a list, as [a, b]"
    if kinds == ["object"]:
        return "; write a map, as {a: b}"
    return ""
