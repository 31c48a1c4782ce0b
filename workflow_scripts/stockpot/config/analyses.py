"""Check the analyses of a config: do they name what there is?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .. import analyses, figures
from ..runtime.suggest import suggestion

# check_name(key_path, name, allowed, what) adds a line if a name is not among the allowed ones.
CheckName = Callable[[str, str, Iterable[str], str], None]


@dataclass(frozen=True)
class Names:
    """The names that an analysis of a study can give.

    Attributes:
        runs: Fine-tuned runs of the study's own task.
        end_to_end: Those of them that train the whole tower.
        soups: Soups and ensembles.
        sweeps: Targets of the sweeps.
        models: Everything that is measured and has one name.
        points: "NAME alpha=A" for each alpha of each sweep.
    """

    runs: list[str]
    end_to_end: list[str]
    soups: list[str]
    sweeps: list[str]
    models: list[str]
    points: list[str]


def analysis_problems(
    config: dict[str, Any],
    specs: dict[str, dict[str, Any]],
    check_name: CheckName,
) -> list[str]:
    """Check the section ``analyses`` of a config.

    Args:
        config: The config with its defaults.
        specs: Hyperparameters of each run, by its name.
        check_name: Called with a path, a name, the allowed names and what they are.

    Returns:
        A line per mistake that is not a wrong name.
    """
    names = _names(config, specs)
    problems = []
    for entry, options in config["analyses"].items():
        key_path = f"analyses.{entry}"
        kind = analyses.kind(config, entry)
        # Without its kind nothing else of an entry can be checked.
        if kind not in analyses.names():
            problems.append(
                f"{key_path}: unknown analysis {kind!r}; {suggestion(kind, analyses.names())} "
                "(an entry with a name of its own needs the key analysis)"
            )
            continue
        problems += _entry_problems(config, entry, kind)
        problems += _count_problems(key_path, kind, options, names)
        _check_models(key_path, kind, options, names, check_name)
        if analyses.evaluates(kind):
            soup = config["soups"].get(options.get("soup"), {})
            _check_ingredients(key_path, soup, names, check_name)
        _check_other_names(key_path, options, names, check_name)
    return problems


def _names(
    config: dict[str, Any],
    specs: dict[str, dict[str, Any]],
) -> Names:
    # Models of another task have other classes, so they are not measured.
    runs = [name for name, spec in specs.items() if not spec.get("task")]
    soups = list(config["soups"])
    sweeps = config["sweep"]["targets"]
    alphas = sorted(float(alpha) for alpha in config["sweep"]["alphas"])
    points = []
    for name in sweeps:
        points += [f"{name} alpha={alpha}" for alpha in alphas]
    return Names(
        runs=runs,
        end_to_end=[
            name for name in runs if specs[name].get("variant") == "end-to-end"
        ],
        soups=soups,
        sweeps=sweeps,
        models=["zero-shot", *runs, *soups, *config["baselines"]["models"]],
        points=points,
    )


def _entry_problems(
    config: dict[str, Any],
    entry: str,
    kind: str,
) -> list[str]:
    """Lines on an entry with the name of a figure, and on logits that are not stored."""
    key_path = f"analyses.{entry}"
    problems = []
    # The figure of an entry has the entry's name, which must not be that of another figure.
    if kind != entry and entry in (*figures.names(), "samples"):
        problems.append(
            f"{key_path}: this is the name of a figure; call the entry something else"
        )
    if "logits" in analyses.needs(kind) and not config["evaluation"]["store_logits"]:
        problems.append(
            f"{key_path}: needs evaluation.store_logits: true; null removes it"
        )
    return problems


def _count_problems(
    key_path: str,
    kind: str,
    options: dict[str, Any],
    names: Names,
) -> list[str]:
    """Lines on fewer or more models than the analysis can use."""
    problems = []
    models = options.get("models", [])
    # A plane goes through the zero-shot model and two runs.
    if kind == "landscape" and len(models) == 1:
        problems.append(f"{key_path}.models: one run is given, but a plane needs two")
    run_count = len(models or names.end_to_end)
    for size in options.get("sizes", []):
        if size > run_count:
            problems.append(
                f"{key_path}.sizes: {size} wanted, but there are {run_count} runs"
            )
    return problems


def _check_models(
    key_path: str,
    kind: str,
    options: dict[str, Any],
    names: Names,
    check_name: CheckName,
) -> None:
    """The option ``models``: runs for what trains or merges them, else anything measured."""
    # The weights of these are merged anew, which only end-to-end runs of one lineage allow.
    for i, name in enumerate(options.get("models", [])):
        key = f"{key_path}.models.{i}"
        if analyses.evaluates(kind) or kind == "brittleness":
            check_name(key, name, names.end_to_end, "end-to-end run")
        elif kind == "diversity":
            check_name(key, name, names.runs, "run")
        else:
            _check_model_or_point(key, name, names, check_name)


def _check_ingredients(
    key_path: str,
    soup: dict[str, Any],
    names: Names,
    check_name: CheckName,
) -> None:
    """The soup of an analysis that evaluates mixes of its ingredients."""
    for name in soup.get("ingredients", []):
        check_name(
            f"{key_path}.soup, its ingredient",
            name,
            names.end_to_end,
            "end-to-end run",
        )


def _check_other_names(
    key_path: str,
    options: dict[str, Any],
    names: Names,
    check_name: CheckName,
) -> None:
    """The options ``pairs``, ``sweeps``, ``soup`` and ``sweep``."""
    for i, pair in enumerate(options.get("pairs", [])):
        for j, name in enumerate(pair):
            _check_model_or_point(
                f"{key_path}.pairs.{i}.{j}",
                name,
                names,
                check_name,
            )
    for i, name in enumerate(options.get("sweeps", [])):
        check_name(
            f"{key_path}.sweeps.{i}",
            name,
            names.sweeps,
            "sweep",
        )
    if options.get("soup"):
        check_name(
            f"{key_path}.soup",
            options["soup"],
            names.soups,
            "soup",
        )
    if options.get("sweep"):
        check_name(
            f"{key_path}.sweep",
            options["sweep"],
            names.sweeps,
            "sweep",
        )


def _check_model_or_point(
    key_path: str,
    name: str,
    names: Names,
    check_name: CheckName,
) -> None:
    """A model, or a point of a sweep."""
    if name in names.points:
        return
    # The message lists all models, and one point to show how they are written.
    check_name(
        key_path,
        name,
        [*names.models, *names.points[:1]],
        "model",
    )
