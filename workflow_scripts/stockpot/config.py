"""Check a config: against the schema, then what refers to what. One line per mistake."""

import math
from pathlib import Path

from .config_files import repeated_keys, with_files
from .datasets.classes import ADVERSARIAL
from .errors import StockpotError
from .merging import methods
from .registry import defaults
from .schema import FROM_SCRATCH, Validator, complete, line, lines
from .search import search_names, standard_specs
from .training import variants


def check(config: dict, schema: dict, files: list[str] = ()) -> None:
    """Raises StockpotError with a line per mistake: key path, value, what is allowed.

    schema: that of rules/schemas/; plug-ins add theirs. files: the YAML files the config was
    read from, later ones on top: searched for repeated keys, which YAML itself lets pass,
    and named in the lines.
    """
    paths = [Path(file) for file in files]
    problems = repeated_keys(paths) or _not_finite(config)
    if not problems:
        schema = complete(schema)
        problems = with_files(lines(config, schema), paths, config)
    if not problems:
        problems = _references(config) + _merged(config, schema) + _search_space(config, schema)
        problems = with_files(problems, paths, config)
    if problems:
        raise StockpotError("\n".join(problems))


def _not_finite(value, path: str = "") -> list[str]:
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    else:
        bad = isinstance(value, float) and not math.isfinite(value)
        return [f"{path}: {value} is not a finite number"] if bad else []
    return [p for key, entry in entries for p in _not_finite(entry, f"{path}.{key}".strip("."))]


def _references(config: dict) -> list[str]:
    """Names that point at nothing, names used twice, numbers that do not fit together."""
    problems = []

    def known(path: str, name: str, allowed, what: str) -> None:
        if name not in allowed:
            problems.append(
                f"{path}: unknown {what} {name!r}; there are {', '.join(sorted(allowed)) or 'none'}"
            )

    datasets, data = list(config["datasets"]), config["data"]
    for role in ("train", "held_out", "reference"):
        known(f"data.{role}", data[role], datasets, "data set")
    for i, name in enumerate(data["shifts"]):
        known(f"data.shifts.{i}", name, datasets, "data set")
    roles = [data["train"], data["held_out"], data["reference"], *data["shifts"]]
    for name in sorted({name for name in roles if roles.count(name) > 1}):
        problems.append(
            f"data: {name!r} plays two parts; training, held-out and test sets must differ"
        )
    if "shifts" in roles:
        problems.append("data: no data set can be named 'shifts'; so is the mean over them")
    if len(config["standard"]["models"]) in (1, 2):
        problems.append(
            f"standard.models: {len(config['standard']['models'])} given, but a line needs 3 "
            "or more; null is none"
        )
    problems += _adversarial(config, known)
    for path, spec in scratch_runs(config).items():
        where = "adversary.train" if path == "adversary" else "standard.train"
        known(where, spec["train"], datasets, "data set")

    runs = [*config["finetune"]["runs"], *search_names(config)]
    soups = list(config["soups"])
    everyone = ["zero-shot", *runs, *soups, *config["standard"]["models"]]
    everyone += ["adversary"] if "adversary" in scratch_runs(config) else []
    for name in sorted({name for name in everyone if everyone.count(name) > 1}):
        problems.append(f"{name}: two models have this name among runs, soups and standard models")
    for name, soup in config["soups"].items():
        for i, ingredient in enumerate(soup.get("ingredients", [])):
            known(f"soups.{name}.ingredients.{i}", ingredient, runs, "run")
    for i, name in enumerate(config["sweep"]["of"]):
        known(f"sweep.of.{i}", name, [*runs, *soups], "run or soup")
        if name in soups and methods.mixes(config["soups"][name]["method"]) == "outputs":
            problems.append(
                f"sweep.of.{i}: {name!r} mixes outputs; only weights can be interpolated"
            )
    return list(dict.fromkeys(problems))


def _adversarial(config: dict, known) -> list[str]:
    """The adversary's own data cannot be its work."""
    datasets, problems = config["datasets"], []
    for name, entry in datasets.items():
        if entry["source"] == ADVERSARIAL:
            known(f"datasets.{name}.pool", entry["pool"], datasets, "data set")
            if datasets.get(entry["pool"], {}).get("source") == ADVERSARIAL:
                problems.append(f"datasets.{name}.pool: {entry['pool']!r} is itself adversarial")
    if "adversary" in scratch_runs(config):
        needed = {
            "data.held_out": config["data"]["held_out"],
            "adversary.train": config["adversary"]["train"],
        }
        problems += [
            f"{path}: {name!r} is adversarial, but the adversary itself needs it"
            for path, name in needed.items()
            if datasets.get(name, {}).get("source") == ADVERSARIAL
        ]
    return problems


def scratch_runs(config: dict) -> dict[str, dict]:
    """Key path -> merged settings of every model trained from random weights.

    The adversary is among them where an adversarial set plays a part.
    """
    data, standard = config["data"], standard_specs(config)
    found = {f"standard.models.{name}": spec for name, spec in standard.items()}
    used = [data["train"], data["held_out"], data["reference"], *data["shifts"]]
    used += [config["standard"]["train"]] if standard else []
    if ADVERSARIAL in [config["datasets"].get(name, {}).get("source") for name in used]:
        found["adversary"] = config["adversary"]
    return found


def _merged(config: dict, schema: dict) -> list[str]:
    """Every run, merged with its defaults, must have each hyperparameter of its variant."""
    settings, common = config["finetune"], schema["$defs"]["hyperparameters"]["properties"]
    space = {name: None for name in settings["search"]["space"]}
    merged = {
        f"finetune.runs.{name}": {**settings["defaults"], **spec}
        for name, spec in settings["runs"].items()
    }
    if settings["search"]["runs"]:
        merged["finetune.defaults"] = {**settings["defaults"], **space}
    merged |= {
        path: {**spec, "variant": FROM_SCRATCH} for path, spec in scratch_runs(config).items()
    }
    problems = []
    for path, spec in merged.items():
        if "variant" not in spec:
            problems.append(f"{path}: no variant; null in the defaults takes a value away")
            continue
        own = variants.options(spec["variant"])
        needed = [*common, *(name for name in own if name not in defaults(own))]
        missing = [name for name in needed if name not in spec]
        if missing:
            problems.append(
                f"{path}: no value for {', '.join(missing)}; null in the defaults takes one away"
            )
    return problems


def _search_space(config: dict, schema: dict) -> list[str]:
    """Every value that the search may draw must be one that a run may be given."""
    problems = []
    run = Validator({"$ref": "#/$defs/run", "$defs": schema["$defs"]})
    for name, ((kind, values),) in _entries(config["finetune"]["search"]["space"]):
        path = f"finetune.search.space.{name}.{kind}"
        drawn = list(values)
        if kind != "choice":
            low, high = values
            if low > high:
                problems.append(f"{path}: {low} is larger than {high}")
            elif kind == "log_uniform" and low <= 0:
                problems.append(f"{path}: {low} is not above 0")
                continue
            if kind != "integers" and low < high:
                drawn.append(low + 0.382 * (high - low))
        for value in drawn:
            for error in run.iter_errors({name: value}):
                problems.append(f"{path}: {line(error).split(': ', 1)[1]}")
    return list(dict.fromkeys(problems))


def _entries(space: dict):
    return [(name, tuple(entry.items())) for name, entry in space.items()]


MAPS = ("datasets", "runs", "space", "soups", "models", "figures")


def without_nulls(config: dict) -> dict:
    """The config without entries set to null: how a file takes away what config.yaml has.

    A map of named things that is null altogether becomes empty.
    """
    kept = {}
    for key, value in config.items():
        if isinstance(value, dict):
            kept[key] = without_nulls(value)
        elif value is not None:
            kept[key] = value
        elif key in MAPS:
            kept[key] = {}
    return kept
