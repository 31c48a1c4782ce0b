"""The schema of the config, with what each plug-in adds to it, and its errors in one line."""

import copy

from jsonschema import Draft202012Validator, validators

from . import analyses, figures
from .datasets import sources
from .datasets.classes import MADE_OF
from .merging import methods
from .models import formats
from .registry import defaults
from .training import variants

FROM_SCRATCH = "from-scratch"


def complete(schema: dict) -> dict:
    """The schema of rules/schemas/ with the ``OPTIONS`` of all plug-ins."""
    schema = copy.deepcopy(schema)
    properties, shared = schema["properties"], schema["$defs"]

    entry = properties["datasets"]["additionalProperties"]
    entry["properties"]["source"]["enum"] = [*sources.names(), *MADE_OF]
    entry["allOf"] = [_when("source", n, shared[n]["properties"]) for n in MADE_OF]
    entry["allOf"] += [_when("source", n, sources.options(n)) for n in sources.names()]

    soup = properties["soups"]["additionalProperties"]
    soup["properties"]["method"]["enum"] = methods.names()
    common = {k: v for k, v in soup["properties"].items() if k != "method"}
    soup["allOf"] = [_when("method", n, methods.options(n), common) for n in methods.names()]

    tuned = [name for name in variants.names() if name != FROM_SCRATCH]
    run, scratch = shared["run"]["properties"], shared["scratch_run"]["properties"]
    run["variant"] = {"enum": tuned}
    for name in tuned:
        run |= variants.options(name)
    for properties_of_scratch in (scratch, properties["adversary"]["properties"]):
        properties_of_scratch |= variants.options(FROM_SCRATCH)
        # Normalisation over a batch needs two images.
        properties_of_scratch["batch_size"] = {"type": "integer", "minimum": 2}
    space = properties["finetune"]["properties"]["search"]["properties"]["space"]
    drawn = [name for name in run if name not in ("variant", "start", "task", "joint")]
    space["oneOf"][1]["propertyNames"] = {"enum": drawn}

    export = properties["exports"]["additionalProperties"]["properties"]
    export["format"]["enum"] = formats.names()
    properties["figures"]["propertyNames"] = {"enum": figures.names()}
    properties["analyses"]["additionalProperties"] = {
        "type": "object",
        "allOf": [_when("analysis", n, analyses.options(n)) for n in analyses.names()],
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
    return schema


def _when(key: str, name: str, options: dict, common: dict | None = None) -> dict:
    """What an entry may hold where ``key`` is ``name``."""
    needed = [option for option in options if option not in defaults(options)]
    allowed = {key: True, **(common or {}), **options}
    then = {"properties": allowed, "required": needed, "additionalProperties": False}
    return {"if": {"required": [key], "properties": {key: {"const": name}}}, "then": then}


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
    """One validation error as "path: what is wrong; what is allowed"."""
    path = ".".join(map(str, error.absolute_path)) or "config"
    value = error.instance
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        unknown = [key for key in value if key not in allowed]
        if not allowed:
            return f"{path}: unknown key {', '.join(map(repr, unknown))}; there are no options here"
        hint = ""
        if path.startswith("datasets.") and "download" in unknown:
            hint = "; this source has no public archive, so place its files at its path"
        return (
            f"{path}: unknown key {', '.join(map(repr, unknown))}; allowed are {', '.join(allowed)}"
            f"{hint}"
        )
    if error.validator == "type":
        hint = ""
        if isinstance(value, str) and error.validator_value == "number" and "e" in value.lower():
            hint = "; YAML reads an exponent only after a point and with a sign, as in 1.0e-5"
        forms = {"array": "; write a list, as [a, b]", "object": "; write a map, as {a: b}"}
        wanted = error.validator_value
        kinds = wanted if isinstance(wanted, list) else [wanted]
        hint = forms.get(kinds[0], hint)
        return f"{path}: {value!r} is not of type {' or '.join(kinds)}{hint}"
    if error.validator == "anyOf":
        kinds = [option["type"] for option in error.validator_value]
        return f"{path}: {value!r} is none of {', '.join(kinds)}"
    if error.validator == "oneOf":
        # What is wrong within the form that was meant, if the type tells which one it was.
        return line(min(error.context, key=lambda inner: inner.validator == "type"))
    if error.validator == "enum":
        return f"{path}: {value!r} is not one of {', '.join(map(str, error.validator_value))}"
    if error.validator == "const":
        return f"{path}: {value!r} is not {error.validator_value!r}"
    if error.validator == "required":
        hint = "" if error.path else "; null takes away entries of a map, not a section"
        return f"{path}: {error.message}{hint}"
    if error.validator == "exclusiveMinimum":
        return f"{path}: {value} is not above {error.validator_value}"
    if error.validator == "exclusiveMaximum":
        return f"{path}: {value} is not below {error.validator_value}"
    if error.validator in ("minProperties", "maxProperties"):
        given = ", ".join(value) or "none"
        return f"{path}: has {given}; give one and set the others to null"
    if error.validator == "pattern":
        return f"{path}: {value!r} is not made of letters, digits and hyphens, a letter first"
    return f"{path}: {error.message}"
