"""Check the soups of a config: whether their ingredients can be mixed, as far as a config tells."""

from collections.abc import Collection
from typing import Any

from ..merging import methods
from ..runtime.registry import defaults
from .analyses import CheckName

Specs = dict[str, dict[str, Any]]


def soup_problems(
    config: dict[str, Any],
    specs: Specs,
    check_name: CheckName,
) -> list[str]:
    """Find the soups that cannot be made.

    Args:
        config: The config with its defaults.
        specs: Hyperparameters of each run, by its name.
        check_name: Called with a path, a name, the allowed names and what they are.

    Returns:
        A line per mistake that is not a wrong name.
    """
    problems = []
    baselines = config["baselines"]["models"]
    for name, soup in config["soups"].items():
        key_path = f"soups.{name}"
        for i, ingredient in enumerate(soup.get("ingredients", [])):
            key = f"{key_path}.ingredients.{i}"
            check_name(
                key,
                ingredient,
                [*specs, "zero-shot", *baselines],
                "model",
            )
            problems += _ingredient_problems(key, ingredient, soup, specs, baselines)
        problems += _option_problems(key_path, soup)
        problems += _coefficient_problems(key_path, soup)
        problems += _count_problems(key_path, soup, specs) or _head_problems(
            key_path, soup, specs
        )
        problems += _average_problems(key_path, soup, specs)
    return problems


def _ingredient_problems(
    key: str,
    ingredient: str,
    soup: dict[str, Any],
    specs: Specs,
    baselines: Collection[str],
) -> list[str]:
    """Lines on one ingredient that cannot be mixed with the others of its soup."""
    problems = []
    is_of_another_task = specs.get(ingredient, {}).get("task")
    if is_of_another_task and not soup.get("towers_only", False):
        problems.append(
            f"{key}: {ingredient!r} has the classes of another task; towers_only: true "
            "averages only towers"
        )
    if ingredient not in baselines or methods.mixes(soup["method"]) == "outputs":
        return problems
    # Baselines do not descend from the zero-shot model: their weights have no lineage in common.
    if not soup.get("allow_different_lineages"):
        problems.append(
            f"{key}: {ingredient!r} was trained from random weights, so only its outputs can "
            "be averaged, as by logit-ensemble; allow_different_lineages: true averages its "
            "weights nevertheless"
        )
    elif not set(soup["ingredients"]) <= set(baselines):
        problems.append(
            f"{key}: {ingredient!r} has not the architecture of the "
            "fine-tuned models; weights can be mixed among baselines alone"
        )
    return problems


def _option_problems(
    key_path: str,
    soup: dict[str, Any],
) -> list[str]:
    """Lines on options that contradict each other."""
    problems = []
    method = soup["method"]
    towers_only = soup.get("towers_only", False)
    if towers_only and soup.get("space") == "free":
        problems.append(
            f"{key_path}.space: free would scale the head, which towers_only keeps"
        )
    if towers_only and methods.mixes(method) == "outputs":
        problems.append(f"{key_path}.towers_only: {method} mixes outputs, not towers")
    if soup.get("ingredients_per_step") == 1:
        problems.append(
            f"{key_path}.ingredients_per_step: 1 would change nothing, because the "
            "coefficients that change keep their sum; give 2 or more, or 0 for all"
        )
    return problems


def _ingredient_names(
    soup: dict[str, Any],
    specs: Specs,
) -> list[str]:
    """The ingredients of a soup: those listed, else all end-to-end runs."""
    return soup.get("ingredients") or _end_to_end(specs)


def _end_to_end(specs: Specs) -> list[str]:
    """The end-to-end runs of the study's own task."""
    return [
        name
        for name, spec in specs.items()
        if spec.get("variant") == "end-to-end" and not spec.get("task")
    ]


def _count_problems(
    key_path: str,
    soup: dict[str, Any],
    specs: Specs,
) -> list[str]:
    """A line if the method takes another number of ingredients."""
    method = soup["method"]
    names = _ingredient_names(soup, specs)
    expected = methods.ingredients(method)
    if expected and soup.get("from_start"):
        # The initial weights take the place of one.
        expected -= 1
    if expected and len(names) != expected:
        return [
            f"{key_path}.ingredients: {method} takes {expected}, "
            f"not {len(names)} ({', '.join(names)})"
        ]
    return []


def _head_problems(
    key_path: str,
    soup: dict[str, Any],
    specs: Specs,
) -> list[str]:
    """A line if the heads of the ingredients began differently, so that their mean says nothing."""
    mixes_outputs = methods.mixes(soup["method"]) == "outputs"
    if mixes_outputs or soup.get("towers_only") or soup.get("allow_different_lineages"):
        return []
    heads = {
        name: _initial_head(name, specs)
        for name in _ingredient_names(soup, specs)
        if name in specs
    }
    if not heads:
        return []
    # The mean of two heads with different random numbers is no head.
    first = next(iter(heads))
    for name, head in heads.items():
        if head != heads[first]:
            return [
                f"{key_path}.ingredients: {name!r} begins with {head}, {first!r} with "
                f"{heads[first]}; give ingredients, a list of runs with the same initial head"
            ]
    return []


def _initial_head(
    name: str,
    specs: Specs,
) -> str:
    """The head that a run, or the first run that it descends from, began with."""
    # Starts that go in a circle are reported elsewhere; here they must only end.
    visited = []
    while name in specs and name not in visited:
        spec = specs[name]
        if spec.get("initial_head") == "random":
            return f"random head {spec['head_seed']}"
        visited.append(name)
        name = spec.get("init_from", "zero-shot")
    return "the zero-shot head"


def _coefficient_problems(
    key_path: str,
    soup: dict[str, Any],
) -> list[str]:
    """A line if coefficients do not name each ingredient once."""
    listed = soup.get("ingredients", [])
    coefficients = soup.get("coefficients")
    if not coefficients or sorted(coefficients) == sorted(listed):
        return []
    ingredients = ", ".join(listed) or "of which there are none"
    return [
        f"{key_path}.coefficients: has {', '.join(coefficients)}, but needs one for each of "
        f"the listed ingredients, {ingredients}"
    ]


def _average_problems(
    key_path: str,
    soup: dict[str, Any],
    specs: Specs,
) -> list[str]:
    """A line if an ingredient does not save the averages that the method takes."""
    kind = methods.averages(soup["method"])
    if not kind:
        return []
    options = defaults(methods.options(soup["method"])) | soup
    for name in _ingredient_names(soup, specs):
        if name not in specs:
            continue
        if kind == "ema":
            problem = _ema_problem(
                key_path,
                name,
                specs[name],
                options,
            )
        else:
            problem = _swa_problem(key_path, name, specs[name])
        if problem:
            return [problem]
    return []


def _ema_problem(
    key_path: str,
    name: str,
    spec: dict[str, Any],
    options: dict[str, Any],
) -> str:
    """What is wrong with the moving average of a run; empty if nothing is."""
    saved = spec.get("ema_decays", [])
    if options["decay"] not in saved:
        return (
            f"{key_path}.decay: the run {name!r} saves no average of decay {options['decay']}; "
            f"its ema_decays lists {', '.join(map(str, saved)) or 'none'}"
        )
    starts_at_zero_shot = (
        spec.get("init_from", "zero-shot") == "zero-shot"
        and spec.get("initial_head", "inherit") == "inherit"
    )
    if options.get("biased") and not starts_at_zero_shot:
        return (
            f"{key_path}.biased: the run {name!r} does not begin at the zero-shot model, so its "
            "average cannot be biased to it"
        )
    return ""


def _swa_problem(
    key_path: str,
    name: str,
    spec: dict[str, Any],
) -> str:
    """What is wrong with the mean of a run's last steps; empty if nothing is."""
    # The fraction of the training from which on steps are averaged: 1 averages none.
    if spec.get("swa_start", 1) == 1:
        return f"{key_path}: the run {name!r} saves no mean of its steps; give it swa_start below 1"
    return ""
