"""Do the analyses of a config name what there is?"""

from .. import analyses, figures
from ..runtime.suggest import suggestion


def analysis_problems(config: dict, specs: dict[str, dict], known) -> list[str]:
    """A line per mistake. specs: all runs. known(path, name, allowed, what) notes a wrong name."""
    problems = []
    own = [n for n, spec in specs.items() if not spec.get("task")]
    tuned = [name for name in own if specs[name].get("variant") == "end-to-end"]
    soups = list(config["soups"])
    everyone = ["zero-shot", *own, *soups, *config["standard"]["models"]]
    alphas = sorted(map(float, config["sweep"]["alphas"]))
    points = [f"{name} alpha={a}" for name in config["sweep"]["of"] for a in alphas]
    for entry, options in config["analyses"].items():
        path, kind = f"analyses.{entry}", analyses.kind(config, entry)
        if kind not in analyses.names():
            problems.append(
                f"{path}: unknown analysis {kind!r}; {suggestion(kind, analyses.names())} "
                "(an entry of another name says which it is with the key analysis)"
            )
            continue
        if kind != entry and entry in (*figures.names(), "samples"):
            problems.append(f"{path}: this is the name of a figure; call the entry something else")
        if "logits" in analyses.needs(kind) and not config["evaluation"]["store_logits"]:
            problems.append(f"{path}: needs evaluation.store_logits: true; null takes it away")
        for i, name in enumerate(options.get("models", [])):
            place = f"{path}.models.{i}"
            if analyses.evaluates(kind) or kind == "brittleness":
                known(place, name, tuned, "end-to-end run")
            elif kind == "diversity":
                known(place, name, own, "run")
            else:
                _known_point(known, place, name, everyone, points)
        if kind == "landscape" and len(options.get("models", [])) == 1:
            problems.append(f"{path}.models: one run is given, but a plane needs two")
        for k in options.get("sizes", []):
            most = len(options.get("models") or tuned)
            if k > most:
                problems.append(f"{path}.sizes: {k} wanted, but there are {most} runs")
        if analyses.evaluates(kind):
            for name in config["soups"].get(options.get("soup"), {}).get("ingredients", []):
                known(f"{path}.soup, its ingredient", name, tuned, "end-to-end run")
        for i, pair in enumerate(options.get("pairs", [])):
            for j, name in enumerate(pair):
                _known_point(known, f"{path}.pairs.{i}.{j}", name, everyone, points)
        for i, name in enumerate(options.get("curves", [])):
            known(f"{path}.curves.{i}", name, config["sweep"]["of"], "sweep")
        if options.get("soup"):
            known(f"{path}.soup", options["soup"], soups, "soup")
        if options.get("curve"):
            known(f"{path}.curve", options["curve"], config["sweep"]["of"], "sweep")
    return problems


def _known_point(known, path: str, name: str, everyone: list[str], points: list[str]) -> None:
    """A model, or a point of a sweep; of points the message shows one."""
    if name not in points:
        known(path, name, [*everyone, *points[:1]], "model")
