"""Check a config: against the schema, then what refers to what. One line per mistake."""

import datetime
import math
import re
from collections.abc import Iterable
from pathlib import Path

from ..datasets.classes import ADVERSARIAL, CORRUPTED, MADE_OF, resolved, subset
from ..merging import methods
from ..models.named import TIMM
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.registry import defaults
from ..runtime.suggest import suggestion
from ..training import variants
from .analyses import analysis_problems
from .provenance import repeated_keys, with_files
from .schema import FROM_SCRATCH, Validator, complete, line, lines
from .soups import soup_problems
from .training_runs import finetune_specs, run_specs, search_names, standard_specs

LARGEST_INTEGER = 2**53  # that JSON and a float hold exactly


def check(config: dict, schema: dict, files: list[str] = ()) -> None:
    """Raises StockpotError with a line per mistake: key path, value, what is allowed.

    schema: that of schemas/; plug-ins add theirs. files: the YAML files the config was
    read from, later ones on top: searched for repeated keys, which YAML itself lets pass,
    and named in the lines.
    """
    paths = [Path(file) for file in files]
    problems = repeated_keys(paths) or with_files(_odd_values(config), paths, config)
    if not problems:
        schema = complete(schema)
        problems = with_files(lines(config, schema), paths, config)
    if not problems:
        # A space that cannot be drawn from gives no runs to look at.
        problems = _search_space(config, schema) or _references(config) + _merged(
            config, schema
        )
        problems = with_files(problems, paths, config)
    if problems:
        raise StockpotError(*problems)


def _odd_values(value, path: str = "") -> list[str]:
    """A line per value that no study can have: infinities, huge integers, dates and the like."""
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        inner = [
            _odd_values(entry, f"{path}.{key}".strip(".")) for key, entry in entries
        ]
        return [problem for problems in inner for problem in problems]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{path}: {value} is not a finite number"]
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return [f"{path}: an integer of {value.bit_length()} bits is too large"]
    if value is None or isinstance(value, str | int | float):
        return []
    kind = "a date" if isinstance(value, datetime.date) else f"a {type(value).__name__}"
    return [f"{path}: YAML reads {one_line(value, 60)} as {kind}; quote it"]


class _Problems(list[str]):
    """Lines on what is wrong, in the order in which it is found."""

    def known(self, path: str, name: str, allowed: Iterable[str], what: str) -> None:
        """Note a name that is not among those allowed."""
        if name not in allowed:
            self.append(
                f"{path}: unknown {what} {one_line(name, 80)!r}; {suggestion(name, allowed)}"
            )


def _references(config: dict) -> list[str]:
    """Names that point at nothing, names used twice, numbers that do not fit together."""
    problems, config = _Problems(), resolved(config)
    known = problems.known
    specs = run_specs(config)
    _check_roles(config, problems)
    _check_statistics(config, problems)
    _check_standard(config, problems)
    problems += _made_of_others(config, known)
    _check_training_sets(config, problems)
    _check_names(config, problems)
    problems += _probe(config, specs, known)
    problems += _starts(config, specs, known)
    problems += soup_problems(config, specs, known)
    problems += analysis_problems(config, specs, known)
    _check_checkpoints(config, problems)
    _check_exports(config, specs, problems)
    _check_sweeps(config, specs, problems)
    return list(dict.fromkeys(problems))


def _runs(config: dict) -> list[str]:
    """Names of all runs: listed, searched and those of checkpoints."""
    return [*config["finetune"]["runs"], *search_names(config), *config["checkpoints"]]


def _check_roles(config: dict, problems: _Problems) -> None:
    """Each part of the data is played by a data set of its own."""
    datasets, data = list(config["datasets"]), config["data"]
    for role in ("train", "held_out", "reference"):
        problems.known(f"data.{role}", data[role], datasets, "data set")
    for role in ("shifts", "corrupted"):
        for i, name in enumerate(data[role]):
            problems.known(f"data.{role}.{i}", name, datasets, "data set")
    roles = [
        data["train"],
        data["held_out"],
        data["reference"],
        *data["corrupted"],
        *data["shifts"],
    ]
    for name in sorted({name for name in roles if roles.count(name) > 1}):
        problems.append(
            f"data: {name!r} plays two parts; training, held-out and test sets must differ"
        )
    if "shifts" in roles:
        problems.append(
            "data: no data set can be named 'shifts'; so is the mean over them"
        )


def _check_statistics(config: dict, problems: _Problems) -> None:
    shifts = [*config["data"]["shifts"], "shifts"]
    for name in config["statistics"]["knots"]:
        problems.known(f"statistics.knots.{name}", name, shifts, "shift")
    if (
        config["statistics"]["class_subset"]
        and not config["evaluation"]["store_logits"]
    ):
        problems.append(
            "statistics.class_subset: true needs evaluation.store_logits: true"
        )


def _check_standard(config: dict, problems: _Problems) -> None:
    """The line is of models that are trained or published, and of enough of them."""
    data, standard = config["data"], config["standard"]
    parts = [subset(data["reference"], shift) for shift in data["shifts"]]
    sets = [data["reference"], *data["shifts"], *parts]
    for name in standard.get("table", {}).get("columns", {}):
        problems.known(f"standard.table.columns.{name}", name, sets, "test set")
    if standard.get("table") and standard["models"]:
        problems.append(
            "standard: has models to train and a table of published ones; set models to null"
        )
    if len(standard["models"]) in (1, 2) and "table" not in standard:
        problems.append(
            f"standard.models: {len(standard['models'])} given, but a line needs 3 "
            "or more; null is none"
        )


def _check_training_sets(config: dict, problems: _Problems) -> None:
    """Models from random weights, and the runs of other tasks, have data to learn from."""
    datasets = list(config["datasets"])
    for path, spec in scratch_runs(config).items():
        where = "adversary.train" if path == "adversary" else "standard.train"
        if spec.get("train"):
            problems.known(where, spec["train"], datasets, "data set")
        else:
            problems.append(f"{where}: must name the data set that {path} learns from")
    for name, task in config["tasks"].items():
        for role in ("train", "held_out"):
            problems.known(f"tasks.{name}.{role}", task[role], datasets, "data set")


def _check_names(config: dict, problems: _Problems) -> None:
    """No two models have one name."""
    everyone = [
        "zero-shot",
        *_runs(config),
        *config["soups"],
        *config["standard"]["models"],
    ]
    everyone += ["adversary"] if "adversary" in scratch_runs(config) else []
    for name in sorted({name for name in everyone if everyone.count(name) > 1}):
        problems.append(
            f"{name}: two models have this name among runs, soups and standard models"
        )


def _check_checkpoints(config: dict, problems: _Problems) -> None:
    """Addresses and checksums have a form that can be used."""
    for name, entry in config["checkpoints"].items():
        if not entry.get("url", "https://").startswith(
            ("https://", "http://", "file://")
        ):
            problems.append(
                f"checkpoints.{name}.url: {entry['url']!r} begins with none of https://, http://, "
                "file://"
            )
        if not re.fullmatch(
            "(sha256:[0-9a-fA-F]{64}|md5:[0-9a-fA-F]{32})?", entry.get("checksum", "")
        ):
            problems.append(
                f"checkpoints.{name}.checksum: {entry['checksum']!r} is neither sha256: and 64 hex "
                "digits nor md5: and 32"
            )


def _check_exports(config: dict, specs: dict[str, dict], problems: _Problems) -> None:
    """What is exported has weights, and what the format asks for."""
    models = ["zero-shot", *_runs(config), *config["soups"]]
    for name, entry in config["exports"].items():
        path = f"exports.{name}.model"
        problems.known(path, entry["model"], models, "model")
        soup = config["soups"].get(entry["model"], {})
        if soup and methods.mixes(soup["method"]) == "outputs":
            problems.append(
                f"{path}: {entry['model']!r} mixes outputs and has no weights"
            )
        if "alpha" in entry and specs.get(entry["model"], {}).get("task"):
            problems.append(
                f"exports.{name}.alpha: {entry['model']!r} has the classes of another task, the "
                "zero-shot model has not"
            )
        if entry["format"] == "open-clip" and config["model"][
            "architecture"
        ].startswith(TIMM):
            problems.append(
                f"exports.{name}.format: a model of timm has no text side for open-clip; export it "
                "as classifier or state-dict"
            )


def _check_sweeps(config: dict, specs: dict[str, dict], problems: _Problems) -> None:
    """What is swept to has weights and begins at the zero-shot model."""
    targets = [*_runs(config), *config["soups"]]
    for i, name in enumerate(config["sweep"]["of"]):
        problems.known(f"sweep.of.{i}", name, targets, "run or soup")
        members = set(config["soups"].get(name, {}).get("ingredients", []))
        if members & set(config["standard"]["models"]):
            problems.append(
                f"sweep.of.{i}: {name!r} mixes standard models, which do not start from the "
                "zero-shot model"
            )
        if specs.get(name, {}).get("task"):
            problems.append(
                f"sweep.of.{i}: {name!r} has the classes of another task; a soup of backbones can "
                "be swept"
            )
        if (
            name in config["soups"]
            and methods.mixes(config["soups"][name]["method"]) == "outputs"
        ):
            problems.append(
                f"sweep.of.{i}: {name!r} mixes outputs; only weights can be interpolated"
            )


def _probe(config: dict, specs: dict[str, dict], known) -> list[str]:
    """The run that stands for the zero-shot model starts from what there is before it."""
    name = config["model"].get("start")
    if name is None:
        return []
    linear = [
        n
        for n in finetune_specs(config)
        if specs[n].get("variant", "").startswith("linear")
    ]
    known("model.start", name, linear, "linear run")
    if specs.get(name, {}).get("start", "zero-shot") != "zero-shot" or specs.get(
        name, {}
    ).get("task"):
        return [f"model.start: {name!r} has a start or a task of its own"]
    return []


def _starts(config: dict, specs: dict[str, dict], known) -> list[str]:
    """What runs begin from, and what they train on beside the study's training set."""
    problems = []
    for name, spec in finetune_specs(config).items():
        own = config["finetune"]["runs"].get(name, {})
        path = f"finetune.runs.{name}" if "start" in own else "finetune.defaults"
        if spec.get("task"):
            known(f"finetune.runs.{name}.task", spec["task"], config["tasks"], "task")
        if spec.get("joint"):
            known(
                f"finetune.runs.{name}.joint",
                spec["joint"],
                config["datasets"],
                "data set",
            )
        line = [name]
        while (first := specs[line[-1]].get("start", "zero-shot")) != "zero-shot":
            if first not in specs:
                known(f"{path}.start", first, [*specs, "zero-shot"], "run")
                break
            if first in line:
                if first == name:
                    problems.append(
                        f"{path}.start: {' from '.join([*line, first])} goes in a circle; one of "
                        "them must have start: zero-shot"
                    )
                break
            if specs[first].get("task", "") != specs[name].get("task", ""):
                problems.append(f"{path}.start: {first!r} is trained on another task")
            line.append(first)
    return problems


def _made_of_others(config: dict, known) -> list[str]:
    """What a set is made of is not itself made; the adversary's own data cannot be its work."""
    datasets, problems = config["datasets"], []
    for name, entry in datasets.items():
        # A corrupted set is of the held-out set, which is looked at by itself.
        if entry["source"] in MADE_OF and entry.get("of") != config["data"]["held_out"]:
            key = MADE_OF[entry["source"]]
            known(f"datasets.{name}.{key}", entry[key], datasets, "data set")
            kind = datasets.get(entry[key], {}).get("source")
            if kind in MADE_OF:
                problems.append(
                    f"datasets.{name}.{key}: {entry[key]!r} is itself {kind}"
                )
    for i, name in enumerate(config["data"]["corrupted"]):
        entry = datasets.get(name, {})
        if entry and (entry["source"], entry.get("of")) != (
            CORRUPTED,
            config["data"]["held_out"],
        ):
            problems.append(
                f"data.corrupted.{i}: {name!r} must be a corrupted set of the held-out set: "
                "{source: corrupted}"
            )
    if "adversary" in scratch_runs(config):
        needed = {
            "data.held_out": config["data"]["held_out"],
            "adversary.train": config["adversary"].get("train"),
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
    used += [config["standard"].get("train")] if standard else []
    used += [
        task[part]
        for task in config["tasks"].values()
        for part in ("train", "held_out")
    ]
    used += [
        spec["joint"] for spec in finetune_specs(config).values() if spec.get("joint")
    ]
    if ADVERSARIAL in [config["datasets"].get(name, {}).get("source") for name in used]:
        found["adversary"] = config["adversary"]
    return found


def _merged(config: dict, schema: dict) -> list[str]:
    """Every run, merged with its defaults, must have each hyperparameter of its variant."""
    settings, common = (
        config["finetune"],
        schema["$defs"]["hyperparameters"]["properties"],
    )
    space = {name: None for name in settings["search"]["space"]}
    merged = {
        f"finetune.runs.{name}": {**settings["defaults"], **spec}
        for name, spec in settings["runs"].items()
    }
    if settings["search"]["runs"]:
        merged["finetune.defaults"] = {**settings["defaults"], **space}
    merged |= {
        path: {**spec, "variant": FROM_SCRATCH}
        for path, spec in scratch_runs(config).items()
    }
    problems = []
    for path, spec in merged.items():
        if "variant" not in spec:
            problems.append(
                f"{path}: no variant; null in the defaults takes a value away"
            )
            continue
        own = variants.options(spec["variant"])
        for key in settings["runs"].get(path.removeprefix("finetune.runs."), {}):
            takers = [n for n in variants.names() if key in variants.options(n)]
            if takers and key not in own:
                problems.append(
                    f"{path}: {key!r} is an option of {', '.join(takers)}, not of "
                    f"{spec['variant']}, which has {', '.join(own)}"
                )
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
    for name, distribution in config["finetune"]["search"]["space"].items():
        for path, values in _extremes(
            f"finetune.search.space.{name}", distribution, problems
        ):
            for value in values:
                for error in run.iter_errors({name: value}):
                    problems.append(f"{path}: {line(error).split(': ', 1)[1]}")
    return list(dict.fromkeys(problems))


def _extremes(
    path: str, distribution: dict, problems: list[str]
) -> list[tuple[str, list]]:
    """Key path and values that stand for all that a distribution may draw."""
    ((kind, values),) = distribution.items()
    path = f"{path}.{kind}"
    if kind == "either":
        parts = [
            _extremes(f"{path}.{i}", part, problems) for i, part in enumerate(values)
        ]
        return [found for part in parts for found in part]
    if kind == "choice":
        return [(path, values)]
    low, high = values
    if low > high:
        problems.append(f"{path}: {low} is larger than {high}")
    elif kind == "log_uniform" and low <= 0:
        problems.append(f"{path}: {low} is not above 0")
        return []
    inner = [low + 0.382 * (high - low)] if kind != "integers" and low < high else []
    return [(path, [low, high, *inner])]
