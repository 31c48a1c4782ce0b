"""Check a config: against the schema, then what refers to what. One line per mistake."""

import datetime
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..datasets.classes import (
    ADVERSARIAL,
    CORRUPTED,
    DERIVED_FROM,
    subset,
    with_default_sources,
)
from ..merging import methods
from ..models.hub_models import TIMM
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.registry import defaults
from ..runtime.suggest import suggestion
from ..training import variants
from .analyses import CheckName, analysis_problems
from .schema import (
    FROM_SCRATCH,
    Validator,
    error_line,
    schema_errors,
    with_plugin_options,
)
from .soups import soup_problems
from .source_files import repeated_keys, with_source_files
from .training_runs import baseline_specs, finetune_specs, run_specs, search_names

# The largest integer that JSON and a float hold exactly.
LARGEST_INTEGER = 2**53
# Where between its ends a distribution is probed too, as values in between may be forbidden where
# both ends are allowed. No round fraction, which could be allowed by chance.
_INNER_FRACTION = 0.382
_URL_SCHEMES = ("https://", "http://", "file://")
_CHECKSUM = re.compile("(sha256:[0-9a-fA-F]{64}|md5:[0-9a-fA-F]{32})?")


def check_config(
    config: dict[str, Any],
    schema: dict[str, Any],
    files: Sequence[str | Path] = (),
) -> None:
    """Check a whole config.

    Args:
        config: The config with its defaults.
        schema: The schema of schemas/; plug-ins add theirs.
        files: The YAML files that the config was read from, later ones on top. They are searched
            for repeated keys, which YAML itself lets pass, and named in the lines.

    Raises:
        StockpotError: With a line per mistake: key path, value, what is allowed.
    """
    paths = [Path(file) for file in files]
    # Each stage looks only at what the one before has found whole.
    problems = repeated_keys(paths)
    if not problems:
        problems = with_source_files(_odd_values(config), paths, config)
    if not problems:
        schema = with_plugin_options(schema)
        problems = with_source_files(schema_errors(config, schema), paths, config)
    if not problems:
        problems = with_source_files(_meaning(config, schema), paths, config)
    if problems:
        raise StockpotError(*problems)


def _meaning(
    config: dict[str, Any],
    schema: dict[str, Any],
) -> list[str]:
    """Lines on a config that has the right form and makes no sense."""
    problems = _search_space_problems(config, schema)
    if problems:
        # A space that cannot be drawn from gives no runs to look at.
        return problems
    return _reference_problems(config) + _hyperparameter_problems(config, schema)


def _odd_values(
    value: Any,
    key_path: str = "",
) -> list[str]:
    """A line per value that no study can have: infinities, huge integers, dates and the like."""
    if isinstance(value, dict):
        return _odd_values_within(value.items(), key_path)
    if isinstance(value, list):
        return _odd_values_within(enumerate(value), key_path)
    # The store and the plan are JSON, which has neither infinities nor dates.
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{key_path}: {value} is not a finite number"]
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return [f"{key_path}: an integer of {value.bit_length()} bits is too large"]
    if value is None or isinstance(value, str | int | float):
        return []
    kind = f"a {type(value).__name__}"
    if isinstance(value, datetime.date):
        kind = "a date"
    return [f"{key_path}: YAML reads {one_line(value, 60)} as {kind}; quote it"]


def _odd_values_within(
    entries: Iterable[tuple[Any, Any]],
    key_path: str,
) -> list[str]:
    problems = []
    for key, entry in entries:
        problems += _odd_values(entry, f"{key_path}.{key}".strip("."))
    return problems


class _Problems(list[str]):
    """Lines on what is wrong, in the order in which it is found."""

    def check_name(
        self,
        key_path: str,
        name: str,
        allowed: Iterable[str],
        what: str,
    ) -> None:
        """Add a line if a name is not among those allowed.

        Args:
            key_path: Key path of the name.
            name: The name in the config.
            allowed: Names that would be right.
            what: What the name is of, such as "data set".
        """
        if name not in allowed:
            self.append(
                f"{key_path}: unknown {what} {one_line(name, 80)!r}; {suggestion(name, allowed)}"
            )


def _reference_problems(config: dict[str, Any]) -> list[str]:
    """Names that point at nothing, names used twice, numbers that do not fit together."""
    problems = _Problems()
    # With the sources that derived data sets have by default.
    config = with_default_sources(config)
    check_name = problems.check_name
    specs = run_specs(config)
    _check_roles(config, problems)
    _check_statistics(config, problems)
    _check_baselines(config, problems)
    problems += _derived_set_problems(config, check_name)
    _check_training_sets(config, problems)
    _check_model_names(config, problems)
    problems += _model_start_problems(config, specs, check_name)
    problems += _run_problems(config, specs, check_name)
    problems += soup_problems(config, specs, check_name)
    problems += analysis_problems(config, specs, check_name)
    _check_checkpoints(config, problems)
    _check_exports(config, specs, problems)
    _check_sweeps(config, specs, problems)
    # A default that is wrong is wrong for every run; one line is enough.
    return list(dict.fromkeys(problems))


def _run_names(config: dict[str, Any]) -> list[str]:
    """Names of all runs: listed, searched and those of checkpoints."""
    return [
        *config["finetune"]["runs"],
        *search_names(config),
        *config["checkpoints"],
    ]


def _repeated(names: list[str]) -> list[str]:
    """Names that occur more than once, sorted."""
    return sorted({name for name in names if names.count(name) > 1})


def _check_roles(
    config: dict[str, Any],
    problems: _Problems,
) -> None:
    """Every role has a data set, and no data set has two roles."""
    datasets = list(config["datasets"])
    data = config["data"]
    for role in ("train", "held_out", "reference"):
        problems.check_name(
            f"data.{role}",
            data[role],
            datasets,
            "data set",
        )
    for role in ("shifts", "corrupted"):
        for i, name in enumerate(data[role]):
            problems.check_name(
                f"data.{role}.{i}",
                name,
                datasets,
                "data set",
            )
    # A choice on a set that is tested on too would make its accuracy too good.
    with_role = [
        data["train"],
        data["held_out"],
        data["reference"],
        *data["corrupted"],
        *data["shifts"],
    ]
    for name in _repeated(with_role):
        problems.append(
            f"data: {name!r} has two roles; training, held-out and test sets must differ"
        )
    if "shifts" in with_role:
        problems.append(
            "data: no data set can be named 'shifts', which is the name of the mean over "
            "the shifts"
        )


def _check_statistics(
    config: dict[str, Any],
    problems: _Problems,
) -> None:
    """The options of the statistics name shifts, and have the logits that they need."""
    shifts = [*config["data"]["shifts"], "shifts"]
    for name in config["statistics"]["breakpoints"]:
        problems.check_name(
            f"statistics.breakpoints.{name}",
            name,
            shifts,
            "shift",
        )
    wants_logits = config["statistics"]["class_subset"]
    if wants_logits and not config["evaluation"]["store_logits"]:
        problems.append(
            "statistics.class_subset: true needs evaluation.store_logits: true"
        )


def _check_baselines(
    config: dict[str, Any],
    problems: _Problems,
) -> None:
    """Baselines are trained or published, not both, and enough for a line."""
    data = config["data"]
    baselines = config["baselines"]
    class_subsets = [subset(data["reference"], shift) for shift in data["shifts"]]
    test_sets = [data["reference"], *data["shifts"], *class_subsets]
    for name in baselines.get("table", {}).get("columns", {}):
        problems.check_name(
            f"baselines.table.columns.{name}",
            name,
            test_sets,
            "test set",
        )
    if baselines.get("table") and baselines["models"]:
        problems.append(
            "baselines: has both models to train and a table of published models; set "
            "models to null"
        )
    # A line through two points fits always, so it says nothing.
    if len(baselines["models"]) in (1, 2) and "table" not in baselines:
        problems.append(
            f"baselines.models: {len(baselines['models'])} given, but a line needs 3 or more; "
            "null trains none"
        )


def _check_training_sets(
    config: dict[str, Any],
    problems: _Problems,
) -> None:
    """Models from random weights, and the runs of other tasks, have data to learn from."""
    datasets = list(config["datasets"])
    for key_path, spec in scratch_runs(config).items():
        key = "adversary.train" if key_path == "adversary" else "baselines.train"
        if spec.get("train"):
            problems.check_name(
                key,
                spec["train"],
                datasets,
                "data set",
            )
        else:
            problems.append(
                f"{key}: must name the data set that {key_path} learns from"
            )
    for name, task in config["tasks"].items():
        for role in ("train", "held_out"):
            problems.check_name(
                f"tasks.{name}.{role}",
                task[role],
                datasets,
                "data set",
            )


def _check_model_names(
    config: dict[str, Any],
    problems: _Problems,
) -> None:
    """No two models have one name."""
    # Tables and figures know models only by their names.
    models = [
        "zero-shot",
        *_run_names(config),
        *config["soups"],
        *config["baselines"]["models"],
    ]
    if "adversary" in scratch_runs(config):
        models.append("adversary")
    for name in _repeated(models):
        problems.append(
            f"{name}: two models have this name among runs, soups and baselines"
        )


def _check_checkpoints(
    config: dict[str, Any],
    problems: _Problems,
) -> None:
    """Addresses and checksums have a form that can be used."""
    for name, entry in config["checkpoints"].items():
        if "url" in entry and not entry["url"].startswith(_URL_SCHEMES):
            problems.append(
                f"checkpoints.{name}.url: {entry['url']!r} begins with none of https://, http://, "
                "file://"
            )
        if not _CHECKSUM.fullmatch(entry.get("checksum", "")):
            problems.append(
                f"checkpoints.{name}.checksum: {entry['checksum']!r} is neither sha256: and 64 hex "
                "digits nor md5: and 32"
            )


def _check_exports(
    config: dict[str, Any],
    specs: dict[str, dict[str, Any]],
    problems: _Problems,
) -> None:
    """What is exported has weights, and what the format asks for."""
    models = ["zero-shot", *_run_names(config), *config["soups"]]
    for name, entry in config["exports"].items():
        model = entry["model"]
        key_path = f"exports.{name}.model"
        problems.check_name(key_path, model, models, "model")
        if _mixes_outputs(config, model):
            problems.append(f"{key_path}: {model!r} mixes outputs and has no weights")
        # A point of a sweep has the zero-shot model's head, too.
        if "alpha" in entry and specs.get(model, {}).get("task"):
            problems.append(
                f"exports.{name}.alpha: {model!r} has the classes of another task, so it "
                "cannot be averaged with the zero-shot model"
            )
        wants_text_side = entry["format"] == "open-clip"
        if wants_text_side and config["model"]["architecture"].startswith(TIMM):
            problems.append(
                f"exports.{name}.format: a timm model has no text encoder, which open-clip "
                "needs; export it as classifier or state-dict"
            )


def _mixes_outputs(
    config: dict[str, Any],
    name: str,
) -> bool:
    """Is this the name of an ensemble, which has no weights of its own?"""
    soup = config["soups"].get(name)
    if not soup:
        return False
    return methods.mixes(soup["method"]) == "outputs"


def _check_sweeps(
    config: dict[str, Any],
    specs: dict[str, dict[str, Any]],
    problems: _Problems,
) -> None:
    """The targets of sweeps have weights and begin at the zero-shot model."""
    targets = [*_run_names(config), *config["soups"]]
    baselines = set(config["baselines"]["models"])
    for i, name in enumerate(config["sweep"]["targets"]):
        key_path = f"sweep.targets.{i}"
        problems.check_name(key_path, name, targets, "run or soup")
        ingredients = set(config["soups"].get(name, {}).get("ingredients", []))
        if ingredients & baselines:
            problems.append(
                f"{key_path}: {name!r} mixes baselines, which do not start from the "
                "zero-shot model"
            )
        if specs.get(name, {}).get("task"):
            problems.append(
                f"{key_path}: {name!r} has the classes of another task; a soup of towers can "
                "be swept"
            )
        if _mixes_outputs(config, name):
            problems.append(
                f"{key_path}: {name!r} mixes outputs; only weights can be interpolated"
            )


def _model_start_problems(
    config: dict[str, Any],
    specs: dict[str, dict[str, Any]],
    check_name: CheckName,
) -> list[str]:
    """The run that stands for the zero-shot model begins at the zero-shot model itself."""
    name = config["model"].get("zero_shot_run")
    if name is None:
        return []
    # A linear probe keeps the tower, so its model is the zero-shot model under another head.
    linear_runs = [
        run
        for run in finetune_specs(config)
        if specs[run].get("variant", "").startswith("linear")
    ]
    check_name("model.zero_shot_run", name, linear_runs, "linear run")
    spec = specs.get(name, {})
    if spec.get("init_from", "zero-shot") != "zero-shot" or spec.get("task"):
        return [
            f"model.zero_shot_run: {name!r} must have no init_from and no task of its own"
        ]
    return []


def _run_problems(
    config: dict[str, Any],
    specs: dict[str, dict[str, Any]],
    check_name: CheckName,
) -> list[str]:
    """What runs begin from, and what they train on beside the study's training set."""
    problems = []
    for name, spec in finetune_specs(config).items():
        key_path = f"finetune.runs.{name}"
        if spec.get("task"):
            check_name(
                f"{key_path}.task",
                spec["task"],
                config["tasks"],
                "task",
            )
        if spec.get("second_dataset"):
            check_name(
                f"{key_path}.second_dataset",
                spec["second_dataset"],
                config["datasets"],
                "data set",
            )
        listed = config["finetune"]["runs"].get(name, {})
        start_path = key_path if "init_from" in listed else "finetune.defaults"
        problems += _start_problems(
            f"{start_path}.init_from",
            name,
            specs,
            check_name,
        )
    return problems


def _start_problems(
    key_path: str,
    name: str,
    specs: dict[str, dict[str, Any]],
    check_name: CheckName,
) -> list[str]:
    """Follow the starts of one run back to the zero-shot model."""
    problems = []
    # From the run to what it starts from, to what that starts from, and so on.
    chain = [name]
    start = specs[name].get("init_from", "zero-shot")
    while start != "zero-shot":
        if start not in specs:
            check_name(
                key_path,
                start,
                [*specs, "zero-shot"],
                "run",
            )
            break
        if start in chain:
            # A circle is reported at the runs that are in it, not at those that lead to it.
            if start == name:
                problems.append(
                    f"{key_path}: {' from '.join([*chain, start])} goes in a circle; one of "
                    "them must have init_from: zero-shot"
                )
            break
        if specs[start].get("task", "") != specs[name].get("task", ""):
            problems.append(f"{key_path}: {start!r} is trained on another task")
        chain.append(start)
        start = specs[start].get("init_from", "zero-shot")
    return problems


def _derived_set_problems(
    config: dict[str, Any],
    check_name: CheckName,
) -> list[str]:
    """Sets that are derived from others have bases that are not derived themselves."""
    problems = []
    datasets = config["datasets"]
    held_out = config["data"]["held_out"]
    for name, entry in datasets.items():
        source = entry["source"]
        # A corrupted set is of the held-out set, which is looked at by itself.
        if source not in DERIVED_FROM or entry.get("dataset") == held_out:
            continue
        key = DERIVED_FROM[source]
        base = entry[key]
        check_name(
            f"datasets.{name}.{key}",
            base,
            datasets,
            "data set",
        )
        base_source = datasets.get(base, {}).get("source")
        if base_source in DERIVED_FROM:
            problems.append(f"datasets.{name}.{key}: {base!r} is itself {base_source}")
    problems += _corrupted_set_problems(config)
    problems += _adversary_problems(config)
    return problems


def _corrupted_set_problems(config: dict[str, Any]) -> list[str]:
    """Corrupted sets are made of the held-out set."""
    problems = []
    expected = (CORRUPTED, config["data"]["held_out"])
    for i, name in enumerate(config["data"]["corrupted"]):
        entry = config["datasets"].get(name)
        if entry and (entry["source"], entry.get("dataset")) != expected:
            problems.append(
                f"data.corrupted.{i}: {name!r} must be a corrupted set of the held-out set: "
                "{source: corrupted}"
            )
    return problems


def _adversary_problems(config: dict[str, Any]) -> list[str]:
    """The adversary is trained and chosen on sets that it has not filtered itself."""
    if "adversary" not in scratch_runs(config):
        return []
    # Both must exist before the adversary does, so it cannot be the one that filters them.
    needed = {
        "data.held_out": config["data"]["held_out"],
        "adversary.train": config["adversary"].get("train"),
    }
    return [
        f"{key_path}: {name!r} is adversarial, but the adversary itself needs it"
        for key_path, name in needed.items()
        if config["datasets"].get(name, {}).get("source") == ADVERSARIAL
    ]


def scratch_runs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """List every model that is trained from random weights.

    The adversary is among them if an adversarial set has a role.

    Args:
        config: The config with its defaults.

    Returns:
        Key path -> hyperparameters, merged with their defaults.
    """
    baselines = baseline_specs(config)
    runs = {f"baselines.models.{name}": spec for name, spec in baselines.items()}
    sources = {
        config["datasets"].get(name, {}).get("source")
        for name in _sets_with_role(config, with_baselines=bool(baselines))
    }
    if ADVERSARIAL in sources:
        runs["adversary"] = config["adversary"]
    return runs


def _sets_with_role(
    config: dict[str, Any],
    *,
    with_baselines: bool,
) -> list[str | None]:
    """Names of all data sets that the study trains or tests on."""
    data = config["data"]
    names = [data["train"], data["held_out"], data["reference"], *data["shifts"]]
    if with_baselines:
        names.append(config["baselines"].get("train"))
    for task in config["tasks"].values():
        names += [task["train"], task["held_out"]]
    for spec in finetune_specs(config).values():
        if spec.get("second_dataset"):
            names.append(spec["second_dataset"])
    return names


def _hyperparameter_problems(
    config: dict[str, Any],
    schema: dict[str, Any],
) -> list[str]:
    """Every run, merged with its defaults, must have each hyperparameter of its variant."""
    common = schema["$defs"]["hyperparameters"]["properties"]
    problems = []
    for key_path, spec in _merged_specs(config).items():
        if "variant" not in spec:
            problems.append(
                f"{key_path}: no variant; a null removed it from the defaults"
            )
            continue
        variant_options = variants.options(spec["variant"])
        listed = config["finetune"]["runs"].get(
            key_path.removeprefix("finetune.runs."), {}
        )
        problems += _foreign_option_problems(key_path, spec["variant"], listed)
        # The schema cannot ask for these: a run may leave to the defaults what they have.
        optional = defaults(variant_options)
        required = [name for name in variant_options if name not in optional]
        missing = [name for name in [*common, *required] if name not in spec]
        if missing:
            problems.append(
                f"{key_path}: no value for {', '.join(missing)}; a null removed it from the "
                "defaults"
            )
    return problems


def _merged_specs(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Key path -> hyperparameters of every run, merged with the defaults."""
    settings = config["finetune"]
    merged = {
        f"finetune.runs.{name}": {**settings["defaults"], **spec}
        for name, spec in settings["runs"].items()
    }
    if settings["search"]["runs"]:
        # Of drawn runs only the names of the hyperparameters matter here.
        drawn = dict.fromkeys(settings["search"]["space"])
        merged["finetune.defaults"] = {**settings["defaults"], **drawn}
    for key_path, spec in scratch_runs(config).items():
        merged[key_path] = {**spec, "variant": FROM_SCRATCH}
    return merged


def _foreign_option_problems(
    key_path: str,
    variant: str,
    listed: dict[str, Any],
) -> list[str]:
    """Lines on options that a listed run gives and only other variants have."""
    problems = []
    variant_options = variants.options(variant)
    # Keys that no variant has are left to the schema.
    for key in listed:
        if key in variant_options:
            continue
        takers = [name for name in variants.names() if key in variants.options(name)]
        if takers:
            problems.append(
                f"{key_path}: {key!r} is an option of {', '.join(takers)}, not of "
                f"{variant}, which has {', '.join(variant_options)}"
            )
    return problems


def _search_space_problems(
    config: dict[str, Any],
    schema: dict[str, Any],
) -> list[str]:
    """Every value that the search may draw must be one that a run may be given."""
    problems: list[str] = []
    run_validator = Validator({"$ref": "#/$defs/run", "$defs": schema["$defs"]})
    for name, distribution in config["finetune"]["search"]["space"].items():
        probes = _probes(f"finetune.search.space.{name}", distribution, problems)
        for key_path, values in probes:
            for value in values:
                for error in run_validator.iter_errors({name: value}):
                    # The key path of the distribution instead of that of a run.
                    _, text = error_line(error).split(": ", 1)
                    problems.append(f"{key_path}: {text}")
    return list(dict.fromkeys(problems))


def _probes(
    key_path: str,
    distribution: dict[str, Any],
    problems: list[str],
) -> list[tuple[str, list[Any]]]:
    """List values that stand for all that a distribution may draw.

    Args:
        key_path: Key path of the distribution.
        distribution: Its kind -> its values or bounds.
        problems: Gets a line if the distribution makes no sense.

    Returns:
        (key path, values).
    """
    # The schema has checked that a distribution has exactly one kind.
    ((kind, values),) = distribution.items()
    key_path = f"{key_path}.{kind}"
    if kind == "mixture":
        # A mixture of distributions, one of which is drawn first.
        probes = []
        for i, inner in enumerate(values):
            probes += _probes(f"{key_path}.{i}", inner, problems)
        return probes
    if kind == "choice":
        return [(key_path, values)]
    low, high = values
    if low > high:
        problems.append(f"{key_path}: {low} is larger than {high}")
    elif kind == "log_uniform" and low <= 0:
        problems.append(f"{key_path}: {low} is not above 0")
        return []
    # What is allowed of numbers is an interval, so its ends tell nearly all.
    probed = [low, high]
    if kind != "integers" and low < high:
        probed.append(low + _INNER_FRACTION * (high - low))
    return [(key_path, probed)]
