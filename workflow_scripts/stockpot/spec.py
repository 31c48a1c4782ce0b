"""From a config to a plan: every artefact as a plain dict under a readable, stable id.

An id is a name plus 8 hex digits of the canonical spec of all that the artefact follows
from. A changed config therefore names new artefacts beside the old ones: nothing stale can
be served, going back costs nothing, and studies share what they have in common. This is
all that the Snakefile imports: no torch, no pandas.
"""

import json
import math
import random
import zlib
from dataclasses import dataclass, field

from .config import search_names
from .digest import short
from .errors import StockpotError
from .models.files import CONFIG, WEIGHTS, check_safetensors


@dataclass
class Plan:
    """All artefacts by id. ``studies``: one per seed, in the order of the config."""

    model: dict = field(default_factory=dict)
    datasets: dict[str, dict] = field(default_factory=dict)
    zero_shots: dict[str, dict] = field(default_factory=dict)
    runs: dict[str, dict] = field(default_factory=dict)
    soups: dict[str, dict] = field(default_factory=dict)
    families: dict[str, dict] = field(default_factory=dict)
    studies: dict[str, dict] = field(default_factory=dict)


def build(config: dict, locate) -> Plan:
    """Plan the study. locate: path given in the config -> Path, for the files it names.

    Raises StockpotError for a file that is missing or broken.
    """
    plan = Plan(model=_model(config, locate))
    prompts = _prompts(config["head"]["prompts"], locate)
    for seed in config["seeds"]:
        _plan_seed(plan, config, prompts, seed)
    return plan


def _plan_seed(plan: Plan, config: dict, prompts: list[str], seed: int) -> None:
    data, standard = config["data"], config["standard"]
    sets = {
        name: _dataset(plan, config, name, seed)
        for name in _used(config)
        if name in config["datasets"]
    }
    train, held_out = sets[data["train"]], sets[data["held_out"]]
    tests = [sets[data["held_out"]], sets[data["reference"]], *(sets[s] for s in data["shifts"])]

    zero_spec = {"name": "zero-shot", "model": plan.model["key"], "prompts": prompts}
    zero = _id("zero-shot", {**zero_spec, "train": train})
    plan.zero_shots[zero] = {"spec": zero_spec, "train": train}

    runs = {}
    for name, spec in _finetune_specs(config).items():
        runs[name] = _run(plan, name, spec, seed, train, held_out, start=zero)
    scratch = {
        name: _run(
            plan, name, {**standard["defaults"], **spec}, seed, sets[standard["train"]], held_out
        )
        for name, spec in standard["models"].items()
    }
    for name, entry in config["datasets"].items():
        if entry["source"] == "adversarial" and name in sets:
            job = plan.datasets[sets[name]]
            job["adversary"] = _run(
                plan, "adversary", config["adversary"], seed, sets[standard["train"]], held_out
            )

    end_to_end = [n for n in runs if plan.runs[runs[n]]["spec"]["variant"] == "end-to-end"]
    soups = {}
    for name, soup in config["soups"].items():
        ingredients = [runs[n] for n in soup.get("ingredients", end_to_end)]
        if not ingredients:
            raise StockpotError(
                f"soups.{name}: there is no end-to-end run to take as an ingredient"
            )
        spec = {
            "name": name,
            **{k: v for k, v in soup.items() if k != "ingredients"},
            **_evaluation(config),
        }
        soups[name] = _id(name, {**spec, "ingredients": ingredients, "held_out": held_out})
        plan.soups[soups[name]] = {"spec": spec, "ingredients": ingredients, "held_out": held_out}

    def family(name: str, members: list[dict]) -> str:
        spec = {"members": members, **_evaluation(config)}
        id = _id(name, {**spec, "tests": tests, "zero": zero})
        plan.families[id] = {"spec": spec, "tests": tests, "zero": zero}
        return id

    def member(name: str, kind: str, end: str) -> dict:
        alphas = config["sweep"]["alphas"] if name in config["sweep"]["of"] else []
        return {"name": name, "kind": kind, "end": end, "alphas": sorted(map(float, alphas))}

    families = [family("zero-shot", [member("zero-shot", "zero-shot", zero)])]
    for name, id in runs.items():
        families.append(family(name, [member(name, plan.runs[id]["spec"]["variant"], id)]))
    for name, id in soups.items():
        families.append(family(name, [member(name, config["soups"][name]["method"], id)]))
    if scratch:
        families.append(
            family("standard", [member(n, "from-scratch", id) for n, id in scratch.items()])
        )

    plan.studies[f"{config['study']}/seed{seed}"] = {
        "families": families,
        "roles": {
            data["held_out"]: "held-out",
            data["reference"]: "reference",
            **{name: "shift" for name in data["shifts"]},
        },
    }


def _id(name: str, spec) -> str:
    return f"{name}-{short(spec)}"


def _evaluation(config: dict) -> dict:
    return dict(config["evaluation"])


def _used(config: dict) -> list[str]:
    """Data sets that the study needs, pools before what is filtered from them."""
    data = config["data"]
    names = [data["train"], data["held_out"], data["reference"], *data["shifts"]]
    adversarial = [n for n in names if config["datasets"][n]["source"] == "adversarial"]
    pools = [config["datasets"][n]["pool"] for n in adversarial]
    baseline = [config["standard"]["train"]] if config["standard"]["models"] or adversarial else []
    return list(dict.fromkeys([*baseline, *pools, *names]))


def _dataset(plan: Plan, config: dict, name: str, seed: int) -> str:
    entry = config["datasets"][name]
    spec = {"name": name, **entry, "side": plan.model["side"]}
    if entry["source"] != "folder":
        spec["seed"] = seed
    job = {"spec": spec}
    key = dict(spec)
    if entry["source"] == "adversarial":
        job["pool"] = _dataset(plan, config, entry["pool"], seed)
        standard = _dataset(plan, config, config["standard"]["train"], seed)
        key |= {"pool": job["pool"], "adversary": config["adversary"], "standard": standard}
    id = _id(name, key)
    plan.datasets[id] = {**plan.datasets.get(id, {}), **job}
    return id


def _finetune_specs(config: dict) -> dict[str, dict]:
    settings = config["finetune"]
    specs = {
        name: {**settings["defaults"], **(spec or {})} for name, spec in settings["runs"].items()
    }
    for i, name in enumerate(search_names(config)):
        specs[name] = {**settings["defaults"], **draw(settings["search"], i)}
    return specs


def draw(search: dict, i: int) -> dict:
    """The i-th point of a random search; it depends on nothing but seed, space and i."""
    rng = random.Random(f"search {search['seed']} {i}")
    point = {}
    for name, (kind, values) in sorted((n, *e.items()) for n, e in search["space"].items()):
        if kind == "choice":
            point[name] = rng.choice(values)
        elif kind == "integers":
            point[name] = rng.randint(*values)
        elif kind == "log_uniform":
            low, high = map(math.log, values)
            point[name] = float(f"{math.exp(rng.uniform(low, high)):.3g}")
        else:
            point[name] = float(f"{rng.uniform(*values):.3g}")
    return point


def _run(
    plan: Plan,
    name: str,
    spec: dict,
    seed: int,
    train: str,
    held_out: str,
    start: str | None = None,
) -> str:
    spec = {"name": name, **spec, "seed": zlib.crc32(f"{seed} {name}".encode())}
    id = _id(name, {**spec, "train": train, "held_out": held_out, "start": start})
    plan.runs[id] = {
        "spec": spec,
        "train": train,
        "held_out": held_out,
        "start": [start] if start else [],
    }
    return id


def _model(config: dict, locate) -> dict:
    """Where the model's files are and what identifies them."""
    settings = config["model"]
    folder = locate(settings["architecture"])
    path = folder / CONFIG
    try:
        architecture = json.loads(path.read_text())
        side = architecture["preprocess_cfg"]["size"][0]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StockpotError(
            f"model.architecture: {path} is not a readable open_clip config ({error!r})"
        ) from error
    origin = config["pretraining"] if settings["pretrain"] else settings["architecture"]
    key = {"architecture": architecture, "weights": origin}
    model = {
        "id": _id(settings["name"], key),
        "key": short(key),
        "config": str(path),
        "side": side,
    }
    if settings["pretrain"]:
        return {**model, "pretraining": {"name": settings["name"], **config["pretraining"]}}
    check_safetensors(folder / WEIGHTS, "model.architecture")
    return {**model, "weights": str(folder / WEIGHTS)}


def _prompts(given: str, locate) -> list[str]:
    path = locate(given)
    try:
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise StockpotError(f"head.prompts: cannot read {path} ({error.strerror})") from error
    for line in lines:
        if line.count("{}") != 1:
            raise StockpotError(
                f"head.prompts: '{line}' in {path} needs one {{}} for the class name"
            )
    if not lines:
        raise StockpotError(f"head.prompts: {path} has no prompts")
    return lines
