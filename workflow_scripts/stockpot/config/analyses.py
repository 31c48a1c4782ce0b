"""Do the analyses of a config name what there is?"""

from collections.abc import Callable
from dataclasses import dataclass

from .. import analyses, figures
from ..runtime.suggest import suggestion

# known(path, name, allowed, what) notes a name that is not among the allowed ones.
Known = Callable[[str, str, list[str], str], None]


@dataclass(frozen=True)
class Names:
    """The names that an analysis of a study can give."""

    runs: list[str]
    end_to_end: list[str]  # runs that train the whole tower
    soups: list[str]
    sweeps: list[str]
    models: list[str]  # everything that is measured and has one name
    points: list[str]  # "NAME alpha=A" for each alpha of each sweep


def analysis_problems(config: dict, specs: dict[str, dict], known: Known) -> list[str]:
    """Check the section ``analyses`` of a config.

    Args:
        config: the config with its defaults.
        specs: the options of each run, by its name.
        known: called with a path, a name, the allowed names and what they are.

    Returns:
        A line per mistake that is not a wrong name.
    """
    names = _names(config, specs)
    problems = []
    for entry, options in config["analyses"].items():
        path = f"analyses.{entry}"
        kind = analyses.kind(config, entry)
        if kind not in analyses.names():
            problems.append(
                f"{path}: unknown analysis {kind!r}; {suggestion(kind, analyses.names())} "
                "(an entry of another name says which it is with the key analysis)"
            )
            continue
        problems += _problems_of_entry(config, entry, kind)
        problems += _problems_of_numbers(path, kind, options, names)
        _check_models(path, kind, options, names, known)
        _check_other_names(path, kind, options, names, known, config["soups"])
    return problems


def _names(config: dict, specs: dict[str, dict]) -> Names:
    runs = [name for name, spec in specs.items() if not spec.get("task")]
    soups = list(config["soups"])
    sweeps = config["sweep"]["of"]
    alphas = sorted(float(alpha) for alpha in config["sweep"]["alphas"])
    return Names(
        runs=runs,
        end_to_end=[
            name for name in runs if specs[name].get("variant") == "end-to-end"
        ],
        soups=soups,
        sweeps=sweeps,
        models=["zero-shot", *runs, *soups, *config["standard"]["models"]],
        points=[f"{name} alpha={alpha}" for name in sweeps for alpha in alphas],
    )


def _problems_of_entry(config: dict, entry: str, kind: str) -> list[str]:
    """A name that a figure has, and logits that are not stored."""
    path = f"analyses.{entry}"
    problems = []
    if kind != entry and entry in (*figures.names(), "samples"):
        problems.append(
            f"{path}: this is the name of a figure; call the entry something else"
        )
    if "logits" in analyses.needs(kind) and not config["evaluation"]["store_logits"]:
        problems.append(
            f"{path}: needs evaluation.store_logits: true; null takes it away"
        )
    return problems


def _problems_of_numbers(
    path: str, kind: str, options: dict, names: Names
) -> list[str]:
    """Fewer or more models than the analysis can use."""
    problems = []
    models = options.get("models", [])
    if kind == "landscape" and len(models) == 1:
        problems.append(f"{path}.models: one run is given, but a plane needs two")
    available = len(models or names.end_to_end)
    for size in options.get("sizes", []):
        if size > available:
            problems.append(
                f"{path}.sizes: {size} wanted, but there are {available} runs"
            )
    return problems


def _check_models(
    path: str, kind: str, options: dict, names: Names, known: Known
) -> None:
    """The option ``models``: runs for what trains or merges them, else anything measured."""
    for i, name in enumerate(options.get("models", [])):
        place = f"{path}.models.{i}"
        if analyses.evaluates(kind) or kind == "brittleness":
            known(place, name, names.end_to_end, "end-to-end run")
        elif kind == "diversity":
            known(place, name, names.runs, "run")
        else:
            _check_point(place, name, names, known)


def _check_other_names(
    path: str,
    kind: str,
    options: dict,
    names: Names,
    known: Known,
    soups: dict[str, dict],
) -> None:
    """The options ``soup``, ``pairs``, ``curves`` and ``curve``."""
    soup = options.get("soup")
    if analyses.evaluates(kind):
        for name in soups.get(soup, {}).get("ingredients", []):
            known(
                f"{path}.soup, its ingredient", name, names.end_to_end, "end-to-end run"
            )
    for i, pair in enumerate(options.get("pairs", [])):
        for j, name in enumerate(pair):
            _check_point(f"{path}.pairs.{i}.{j}", name, names, known)
    for i, name in enumerate(options.get("curves", [])):
        known(f"{path}.curves.{i}", name, names.sweeps, "sweep")
    if soup:
        known(f"{path}.soup", soup, names.soups, "soup")
    if options.get("curve"):
        known(f"{path}.curve", options["curve"], names.sweeps, "sweep")


def _check_point(path: str, name: str, names: Names, known: Known) -> None:
    """A model, or a point of a sweep; of points the message shows one."""
    if name not in names.points:
        known(path, name, [*names.models, *names.points[:1]], "model")
