"""What can be mixed, as far as a config tells."""

from ..merging import methods
from ..runtime.registry import defaults


def soup_problems(config: dict, specs: dict[str, dict], known) -> list[str]:
    """A line per soup that cannot be made. known: as in ``config``; specs: of all runs."""
    problems = []
    for name, soup in config["soups"].items():
        path = f"soups.{name}"
        for i, ingredient in enumerate(soup.get("ingredients", [])):
            key = f"{path}.ingredients.{i}"
            baselines = config["standard"]["models"]
            known(key, ingredient, [*specs, "zero-shot", *baselines], "model")
            problems += _ingredient(key, ingredient, soup, specs, baselines)
        problems += _options(path, soup)
        problems += _shares(path, soup)
        problems += _members(path, soup, specs)
        if kept := methods.averages(soup["method"]):
            problems += _averages(path, soup, kept, specs)
    return problems


def _ingredient(
    key: str, ingredient: str, soup: dict, specs: dict[str, dict], baselines: dict
) -> list[str]:
    """Lines on one ingredient that cannot be mixed with the others of its soup."""
    problems = []
    is_of_another_task = specs.get(ingredient, {}).get("task")
    if is_of_another_task and not soup.get("backbones", False):
        problems.append(
            f"{key}: {ingredient!r} has the classes of another task; "
            "backbones: true mixes towers alone"
        )
    if ingredient not in baselines or methods.mixes(soup["method"]) == "outputs":
        return problems
    if not soup.get("allow_different_starts"):
        problems.append(
            f"{key}: {ingredient!r} starts from random weights, so "
            "only its outputs can be mixed, as by logit-ensemble; "
            "allow_different_starts: true mixes weights all the same"
        )
    elif not set(soup["ingredients"]) <= set(baselines):
        problems.append(
            f"{key}: {ingredient!r} has not the architecture of the "
            "fine-tuned models; weights can be mixed among standard models alone"
        )
    return problems


def _options(path: str, soup: dict) -> list[str]:
    """Lines on options that contradict each other."""
    problems = []
    backbones = soup.get("backbones", False)
    if backbones and soup.get("space") == "free":
        problems.append(
            f"{path}.space: free would scale the head, which backbones keep"
        )
    if backbones and methods.mixes(soup["method"]) == "outputs":
        method = soup["method"]
        problems.append(f"{path}.backbones: {method} mixes outputs, not towers")
    if soup.get("ingredients_per_step") == 1:
        problems.append(
            f"{path}.ingredients_per_step: 1 would move nothing, as the coefficients that move "
            "keep their sum; give 2 or more, or 0 for all"
        )
    return problems


def _members(path: str, soup: dict, specs: dict[str, dict]) -> list[str]:
    """How many ingredients a method takes, and whether their heads began alike."""
    method, names = soup["method"], soup.get("ingredients") or _end_to_end(specs)
    wanted = methods.ingredients(method)
    if wanted and soup.get("from_start"):
        wanted -= 1
    if wanted and len(names) != wanted:
        return [
            f"{path}.ingredients: {method} takes {wanted}, not {len(names)} ({', '.join(names)})"
        ]
    heads = {name: _first_head(name, specs) for name in names if name in specs}
    apart = [name for name in heads if heads[name] != next(iter(heads.values()))]
    weights = methods.mixes(method) != "outputs" and not soup.get("backbones")
    if apart and weights and not soup.get("allow_different_starts"):
        return [
            f"{path}.ingredients: {apart[0]!r} begins with {heads[apart[0]]}, "
            f"{next(iter(heads))!r} with {next(iter(heads.values()))}; list the runs whose weights "
            "are to be mixed under ingredients"
        ]
    return []


def _end_to_end(specs: dict[str, dict]) -> list[str]:
    """The runs that a soup takes which lists none."""
    return [
        name
        for name, spec in specs.items()
        if spec.get("variant") == "end-to-end" and not spec.get("task")
    ]


def _first_head(name: str, specs: dict[str, dict]) -> str:
    """The head that a run's line of training began with."""
    seen = []
    while name in specs and name not in seen:
        if specs[name].get("initial_head") == "random":
            return f"random head {specs[name]['head_seed']}"
        seen.append(name)
        name = specs[name].get("start", "zero-shot")
    return "the zero-shot head"


def _shares(path: str, soup: dict) -> list[str]:
    """Shares must name each ingredient once."""
    given = soup.get("ingredients", [])
    if soup.get("shares") and sorted(soup["shares"]) != sorted(given):
        return [
            f"{path}.shares: has {', '.join(soup['shares'])}, but needs one for each of the listed "
            f"ingredients, {', '.join(given) or 'of which there are none'}"
        ]
    return []


def _averages(path: str, soup: dict, kept: str, specs: dict[str, dict]) -> list[str]:
    """Every ingredient must have saved the averages that the soup takes."""
    options = defaults(methods.options(soup["method"])) | soup
    for name in soup.get("ingredients") or _end_to_end(specs):
        if name not in specs:
            continue
        spec = specs[name]
        saved = spec.get("ema", []) if kept == "ema" else spec.get("swa", 1)
        if kept == "ema" and options["decay"] not in saved:
            return [
                f"{path}.decay: the run {name!r} saves no average of decay {options['decay']}; "
                f"its ema lists {', '.join(map(str, saved)) or 'none'}"
            ]
        first = spec.get("start", "zero-shot"), spec.get("initial_head", "start")
        if options.get("biased") and first != ("zero-shot", "start"):
            return [
                f"{path}.biased: the run {name!r} does not begin at the zero-shot model, so its "
                "average cannot be biased to it"
            ]
        if kept == "swa" and saved == 1:
            return [
                f"{path}: the run {name!r} saves no mean of its steps; give it swa below 1"
            ]
    return []
