"""Check a config: against the schema, then what refers to what. One line per mistake."""

from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from . import figures
from .errors import StockpotError
from .merging.names import OUTPUT_SPACE
from .registry import names


def check(config: dict, schema: dict, files: list[str] = ()) -> None:
    """Raises StockpotError with a line per mistake: key path, value, what is allowed.

    files: the YAML files the config was read from, searched for repeated keys, which YAML
    itself lets pass.
    """
    problems = [line for file in files for line in _repeated_keys(Path(file))]
    if not problems:
        errors = sorted(
            Draft202012Validator(schema).iter_errors(config), key=lambda e: list(map(str, e.path))
        )
        problems = list(dict.fromkeys(_line(error) for error in errors))
    if not problems:
        problems = _references(config) + _search_space(config, schema)
    if problems:
        raise StockpotError("\n".join(problems))


def _line(error) -> str:
    path = ".".join(map(str, error.absolute_path)) or "config"
    value = error.instance
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        unknown = [key for key in value if key not in allowed]
        return (
            f"{path}: unknown key {', '.join(map(repr, unknown))}; allowed are {', '.join(allowed)}"
        )
    if error.validator == "type":
        hint = ""
        if isinstance(value, str) and error.validator_value in ("number", "integer"):
            hint = "; YAML reads a number with an exponent only with a point, as in 1.0e-5"
        return f"{path}: {value!r} is not of type {error.validator_value}{hint}"
    if error.validator == "enum":
        return f"{path}: {value!r} is not one of {', '.join(map(str, error.validator_value))}"
    if error.validator == "const":
        return f"{path}: {value!r} is not {error.validator_value!r}"
    if error.validator == "required":
        return f"{path}: {error.message}"
    if error.validator == "pattern":
        return f"{path}: {value!r} is not made of letters, digits and hyphens, a letter first"
    return f"{path}: {error.message}"


def _repeated_keys(file: Path) -> list[str]:
    try:
        root = yaml.compose(file.read_text())
    except yaml.YAMLError as error:
        return [f"{file}: not valid YAML ({' '.join(str(error).split())})"]
    problems = []

    def walk(node, path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                where = f"{path}.{key.value}".strip(".")
                if key.value in seen and key.value != "<<":
                    line = key.start_mark.line + 1
                    problems.append(f"{where}: given twice in {file.name}, again in line {line}")
                seen.add(key.value)
                walk(value, where)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                walk(value, f"{path}.{i}")

    walk(root, "")
    return problems


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
    for name, entry in config["datasets"].items():
        if entry["source"] == "adversarial":
            known(f"datasets.{name}.pool", entry["pool"], datasets, "data set")
            if config["datasets"].get(entry["pool"], {}).get("source") == "adversarial":
                problems.append(f"datasets.{name}.pool: {entry['pool']!r} is itself adversarial")
    standard, adversary = config["standard"], _adversary(config)
    if standard["models"]:
        known("standard.train", standard["train"], datasets, "data set")
    if adversary:
        known("adversary.train", adversary["train"], datasets, "data set")
        needed = {"data.held_out": data["held_out"], "adversary.train": adversary["train"]}
        for path, name in needed.items():
            if config["datasets"].get(name, {}).get("source") == "adversarial":
                problems.append(
                    f"{path}: {name!r} is adversarial, but the adversary itself needs it"
                )

    problems += _plugins(config)
    scratch = {
        f"standard.models.{name}": {**standard["defaults"], **spec, "train": standard["train"]}
        for name, spec in standard["models"].items()
    }
    scratch |= {"adversary": adversary} if adversary else {}
    for path, spec in scratch.items():
        train = config["datasets"].get(spec["train"], {})
        wanted = spec.get("images", 0)
        if train.get("source") == "world" and wanted > train["images"]:
            problems.append(
                f"{path}.images: {wanted} wanted, but {spec['train']} has {train['images']}"
            )

    runs = [*config["finetune"]["runs"], *search_names(config)]
    soups = list(config["soups"])
    everyone = ["zero-shot", *runs, *soups, *standard["models"]]
    everyone += ["adversary"] if adversary else []
    for name in sorted({name for name in everyone if everyone.count(name) > 1}):
        problems.append(f"{name}: two models have this name among runs, soups and standard models")
    for name, soup in config["soups"].items():
        for i, ingredient in enumerate(soup.get("ingredients", [])):
            known(f"soups.{name}.ingredients.{i}", ingredient, runs, "run")
    for i, name in enumerate(config["sweep"]["of"]):
        known(f"sweep.of.{i}", name, [*runs, *soups], "run or soup")
        if name in soups and config["soups"][name]["method"] in OUTPUT_SPACE:
            problems.append(
                f"sweep.of.{i}: {name!r} mixes outputs; only weights can be interpolated"
            )
    return problems


def _adversary(config: dict) -> dict:
    """The adversary's settings; empty where no adversarial set plays a part."""
    data, standard = config["data"], config["standard"]
    used = [data["train"], data["held_out"], data["reference"], *data["shifts"]]
    used += [standard["train"]] if standard["models"] else []
    sources = [config["datasets"].get(name, {}).get("source") for name in used]
    return config["adversary"] if "adversarial" in sources else {}


def _search_space(config: dict, schema: dict) -> list[str]:
    """Every value that the search may draw must be one that a run may be given."""
    problems = []
    run = Draft202012Validator({"$ref": "#/$defs/run", "$defs": schema["$defs"]})
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
                problems.append(f"{path}: {_line(error).split(': ', 1)[1]}")
    return list(dict.fromkeys(problems))


def _entries(space: dict):
    return [(name, tuple(entry.items())) for name, entry in space.items()]


def _plugins(config: dict) -> list[str]:
    """Names of variants, methods and figures: each is a file."""
    problems = []

    def known(path: str, name: str, folder: str, what: str, but: tuple[str, ...] = ()) -> None:
        allowed = [
            n for n in names(str(Path(__file__).parent / folder / "__init__.py")) if n not in but
        ]
        if name not in allowed:
            problems.append(f"{path}: unknown {what} {name!r}; there are {', '.join(allowed)}")

    tuned = {"defaults": config["finetune"]["defaults"]}
    tuned |= {f"runs.{name}": spec for name, spec in config["finetune"]["runs"].items()}
    for name, spec in tuned.items():
        if "variant" in spec:
            path = f"finetune.{name}.variant"
            known(path, spec["variant"], "training/variants", "variant", but=("from-scratch",))
    for name, soup in config["soups"].items():
        known(f"soups.{name}.method", soup["method"], "merging/methods", "merge method")
    for name in config["figures"]:
        if name not in figures.names():
            problems.append(
                f"figures.{name}: unknown figure; there are {', '.join(figures.names())}"
            )
    return problems


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


def search_names(config: dict) -> list[str]:
    """Names of the random search's runs; the first ones stay when there are more."""
    return [f"search-{i:02d}" for i in range(config["finetune"]["search"]["runs"])]
