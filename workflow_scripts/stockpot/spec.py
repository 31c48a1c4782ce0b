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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .config import search_names
from .datasets.classes import class_names
from .datasets.listing import listing_digest
from .digest import plain, short
from .errors import StockpotError
from .models.files import CONFIG, WEIGHTS, check_safetensors

Locate = Callable[[str], Path]


@dataclass
class Plan:
    """All artefacts by id; ``studies`` by "<study>/seed<seed>"."""

    model: dict = field(default_factory=dict)
    datasets: dict[str, dict] = field(default_factory=dict)
    zero_shots: dict[str, dict] = field(default_factory=dict)
    runs: dict[str, dict] = field(default_factory=dict)
    soups: dict[str, dict] = field(default_factory=dict)
    families: dict[str, dict] = field(default_factory=dict)
    studies: dict[str, dict] = field(default_factory=dict)


def build(config: dict, locate: Locate) -> Plan:
    """Plan the study. locate: path given in the config -> where the file is.

    Raises StockpotError for a file that is missing or broken.
    """
    plan = Plan(model=_model(config, locate))
    prompts = _prompts(config["head"]["prompts"], locate)
    for seed in config["seeds"]:
        _Seed(plan, config, locate, seed).add(prompts)
    return plan


@dataclass
class _Seed:
    """Plans the study of one seed."""

    plan: Plan
    config: dict
    locate: Locate
    seed: int

    def add(self, prompts: list[str]) -> None:
        plan, data = self.plan, self.config["data"]
        train, held_out = self.dataset(data["train"]), self.dataset(data["held_out"])
        self.check_classes(data["train"], [data["held_out"], data["reference"], *data["shifts"]])
        tests = [
            self.dataset(name) for name in (data["reference"], *data["shifts"], data["held_out"])
        ]

        spec = {"name": "zero-shot", "prompts": prompts}
        zero = _id("zero-shot", {**spec, "model": plan.model["key"], "train": train})
        plan.zero_shots[zero] = {"spec": plain(spec), "train": train}

        runs = {
            name: self.run(name, spec, train, start=[zero])
            for name, spec in sorted(finetune_specs(self.config).items())
        }
        scratch = self.config["standard"]
        standard = {
            name: self.run(
                name, {**scratch["defaults"], **spec}, self.dataset(scratch["train"]), start=[]
            )
            for name, spec in sorted(scratch["models"].items())
        }
        end_to_end = [n for n in runs if plan.runs[runs[n]]["spec"]["variant"] == "end-to-end"]
        soups = {
            name: self.soup(
                name, soup, sorted(runs[n] for n in soup.get("ingredients", end_to_end)), held_out
            )
            for name, soup in sorted(self.config["soups"].items())
        }

        zero_shot = {"zero-shot": ("zero-shot", zero)}
        tuned = {name: (plan.runs[id]["spec"]["variant"], id) for name, id in runs.items()}
        mixed = {name: (self.config["soups"][name]["method"], id) for name, id in soups.items()}
        line = {name: ("from-scratch", id) for name, id in standard.items()}
        families = [self.family("zero-shot", zero_shot, tests)]
        families += self.families(tuned, tests)
        families += [self.family(name, {name: soup}, tests) for name, soup in mixed.items()]
        families += [self.family("standard", line, tests)] if line else []
        for name in self.config["sweep"]["of"] if self.config["sweep"]["alphas"] else []:
            end = {name: (tuned | mixed)[name]}
            families.append(self.family(f"{name}-sweep", end, tests, start=[zero]))

        roles = [[data["held_out"], "held-out"], [data["reference"], "reference"]]
        roles += [[name, "shift"] for name in data["shifts"]]
        plan.studies[f"{self.config['study']}/seed{self.seed}"] = {
            "families": families,
            "roles": roles,
            "tests": tests[:-1],
        }

    def check_classes(self, train: str, tests: list[str]) -> None:
        """Every class that is tested must be one that was trained."""
        known = class_names(self.config["datasets"], train, self.locate)
        for test in tests:
            for name in class_names(self.config["datasets"], test, self.locate):
                if name not in known:
                    raise StockpotError(
                        f"datasets.{test}: its class '{name}' is not among the {len(known)} "
                        f"classes of the training set {train}: {', '.join(known)}"
                    )

    def dataset(self, name: str) -> str:
        entry = self.config["datasets"][name]
        spec = {"name": name, **entry, "side": self.plan.model["side"]}
        if entry["source"] != "folder":
            spec["seed"] = self.seed
        if entry["source"] == "adversarial":
            pool = self.dataset(entry["pool"])
            adversary = self.adversary(entry["pool"])
            id = _id(name, {**spec, "pool": pool, "adversary": adversary})
            self.plan.datasets[id] = {"spec": plain(spec), "pool": pool, "adversary": adversary}
            return id
        id = _id(name, spec)
        if entry["source"] == "folder":
            folder = self.locate(entry["path"])
            files = listing_digest(folder, f"datasets.{name}.path")
            spec = {**spec, "path": str(folder), "files": files}
        self.plan.datasets[id] = {"spec": plain(spec)}
        return id

    def run(self, name: str, spec: dict, train: str, start: list[str]) -> str:
        """One training run; its own seed follows from the study's seed and its name."""
        held_out = self.dataset(self.config["data"]["held_out"])
        spec = {"name": name, **spec, "seed": zlib.crc32(f"{self.seed} {name}".encode())}
        id = _id(name, {**spec, "train": train, "held_out": held_out, "start": start})
        self.plan.runs[id] = {
            "spec": plain(spec),
            "train": train,
            "held_out": held_out,
            "start": start,
        }
        return id

    def adversary(self, pool: str) -> str:
        """The model that filters this pool, whose classes it must know."""
        spec = dict(self.config["adversary"])
        train = spec.pop("train")
        self.check_classes(train, [pool])
        return self.run("adversary", spec, self.dataset(train), start=[])

    def soup(self, name: str, soup: dict, ingredients: list[str], held_out: str) -> str:
        if not ingredients:
            raise StockpotError(
                f"soups.{name}: there is no end-to-end run to take as an ingredient"
            )
        options = {key: value for key, value in soup.items() if key != "ingredients"}
        spec = {"name": name, **options, **self.evaluation()}
        id = _id(name, {**spec, "ingredients": ingredients, "held_out": held_out})
        self.plan.soups[id] = {
            "spec": plain(spec),
            "ingredients": ingredients,
            "held_out": held_out,
        }
        return id

    def families(self, models: dict[str, tuple[str, str]], tests: list[str]) -> list[str]:
        """The models in jobs of ``models_per_job``; a model added at the end moves no other."""
        size, names = self.config["evaluation"]["models_per_job"], list(models)
        chunks = [names[i : i + size] for i in range(0, len(names), size)]
        return [
            self.family(
                chunk[0] if len(chunk) == 1 else f"{chunk[0]}-to-{chunk[-1]}",
                {name: models[name] for name in chunk},
                tests,
            )
            for chunk in chunks
        ]

    def family(
        self, name: str, models: dict[str, tuple[str, str]], tests: list[str], start: list[str] = ()
    ) -> str:
        """Models evaluated by one job; with a start, the sweep from there to each of them."""
        members = [{"name": n, "kind": kind, "end": end} for n, (kind, end) in models.items()]
        alphas = sorted(map(float, self.config["sweep"]["alphas"])) if start else []
        spec = {"members": members, "alphas": alphas, **self.evaluation()}
        family = {"spec": plain(spec), "tests": tests, "start": list(start)}
        id = _id(name, family)
        self.plan.families[id] = family
        return id

    def evaluation(self) -> dict:
        """How predictions are made; how they are spread over jobs changes nothing in them."""
        settings = self.config["evaluation"]
        return {key: value for key, value in settings.items() if key != "models_per_job"}


def _id(name: str, spec) -> str:
    return f"{name}-{short(spec)}"


def finetune_specs(config: dict) -> dict[str, dict]:
    """Hyperparameters of every fine-tuning run: those listed, then those drawn."""
    settings = config["finetune"]
    specs = {name: {**settings["defaults"], **spec} for name, spec in settings["runs"].items()}
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


def _model(config: dict, locate: Locate) -> dict:
    """Where the model's files are and what identifies them."""
    settings = config["model"]
    folder = locate(settings["architecture"])
    path = folder / CONFIG
    try:
        architecture = json.loads(path.read_text())
        side = architecture["preprocess_cfg"]["size"][0]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise StockpotError(
            f"model.architecture: {path} is not a readable open_clip config ({error!r})"
        ) from error
    origin = config["pretraining"] if settings["pretrain"] else settings["architecture"]
    key = short({"architecture": architecture, "weights": origin})
    model = {"id": f"{settings['name']}-{key}", "key": key, "config": str(path), "side": side}
    if settings["pretrain"]:
        return {**model, "pretraining": plain(config["pretraining"])}
    check_safetensors(folder / WEIGHTS, "model.architecture")
    return {**model, "weights": str(folder / WEIGHTS)}


def _prompts(given: str, locate: Locate) -> list[str]:
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
