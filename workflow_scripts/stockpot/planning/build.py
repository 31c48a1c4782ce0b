"""From a config to a plan: every artefact as a plain dict under a readable, stable id.

An id is a name plus 8 hex digits of the canonical spec of all that the artefact follows
from. A changed config therefore names new artefacts beside the old ones: nothing stale can
be served, going back costs nothing, and studies share what they have in common. This is
all that the Snakefile imports: no torch, no pandas.
"""

import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..config.prompts import read_head, texts_of
from ..config.training_runs import finetune_specs, run_specs, standard_specs, with_options
from ..datasets import sources
from ..datasets.classes import (
    ADVERSARIAL,
    CORRUPTED,
    MADE_OF,
    class_names,
    class_texts,
    count,
    resolved,
)
from ..datasets.decoding.transparent import alpha_lines
from ..merging import methods
from ..runtime.code_digest import plain, short
from ..runtime.errors import StockpotError
from ..runtime.file_digests import sha256_file_cached
from ..runtime.registry import defaults
from ..runtime.sealed import unsealed, write_sealed
from ..tables.published_models import read_cloud
from .data_roles import (
    answer_classes,
    check_counts,
    check_parts,
    class_notes,
    held_out_note,
    parts,
    summary,
    used,
)
from .model_descriptions import described
from .pretrained import checked, model_plan
from .prompt_notes import prompt_notes
from .run_lines import other_lines, run_lines

Locate = Callable[[str], Path]


@dataclass
class Plan:
    """All artefacts by id; ``studies`` by "<study>/seed<seed>".

    config: that it was made from; sizes: data set -> images, of those that figures show; counts: of
    all; summary: lines to read before the work begins; class_notes: test set that lacks classes ->
    which answers it has.
    """

    config: dict = field(default_factory=dict)
    model: dict = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    summary: list[str] = field(default_factory=list)
    class_notes: dict[str, str] = field(default_factory=dict)
    held_out_note: str = ""
    cloud: dict = field(default_factory=dict)
    downloads: dict[str, dict] = field(default_factory=dict)
    datasets: dict[str, dict] = field(default_factory=dict)
    zero_shots: dict[str, dict] = field(default_factory=dict)
    runs: dict[str, dict] = field(default_factory=dict)
    checkpoints: dict[str, dict] = field(default_factory=dict)
    soups: dict[str, dict] = field(default_factory=dict)
    families: dict[str, dict] = field(default_factory=dict)
    studies: dict[str, dict] = field(default_factory=dict)


@sources.remembering()
def build(config: dict, locate: Locate) -> Plan:
    """Plan the study. locate: path given in the config -> where the file is.

    Raises StockpotError for a file that is missing or broken.
    """
    plan, config = Plan(model=model_plan(config, locate)), resolved(config)
    plan.cloud = _cloud(config, locate)
    heads = {"": read_head("head", config["head"], locate)}
    for name, task in config["tasks"].items():
        heads[name] = read_head(f"tasks.{name}", task, locate)
    facts = _facts(config, locate)
    check_parts(config, locate)
    check_counts(config, locate)
    plan.summary = summary(config, locate) + run_lines(config) + other_lines(config)
    plan.summary += _prompt_notes(plan.model, config, heads, locate)
    plan.summary += alpha_lines(config["datasets"], used(config), locate)
    plan.class_notes = class_notes(config, locate)
    plan.held_out_note = held_out_note(config)
    plan.summary += [plan.held_out_note] if plan.held_out_note else []
    among = answer_classes(config, locate)
    sizes = {name: count(config["datasets"], name, locate) for name in sorted(used(config))}
    plan.counts = sizes
    classes = len(class_names(config["datasets"], config["data"]["train"], locate))
    plan.sizes = {
        name: sizes[name]
        for name in (
            config["data"]["reference"],
            *config["data"]["shifts"],
            config["data"]["held_out"],
        )
    }
    for seed in config["seeds"]:
        _Seed(plan, config, locate, facts, among, sizes, classes, seed).add(heads)
    return plan


def _prompt_notes(model: dict, config: dict, heads: dict[str, dict], locate: Locate) -> list[str]:
    """What prompts and class names of the study and its tasks will not do."""
    if not model["text"]:
        return []
    notes = []
    datasets = config["datasets"]
    for name, head in heads.items():
        train = (config["tasks"][name] if name else config["data"])["train"]
        names = class_names(datasets, train, locate)
        texts = texts_of(names, class_texts(datasets, train, locate), head)
        notes += prompt_notes(model, head, texts)
    return notes


def _facts(config: dict, locate: Locate) -> dict[str, dict]:
    """What the source of every data set in use knows of its files, asked once."""
    wanted, found = [name for part in parts(config) for name in part.values()], {}
    while wanted:
        name = wanted.pop()
        entry = config["datasets"][name]
        if entry["source"] in MADE_OF:
            wanted.append(entry[MADE_OF[entry["source"]]])
        elif name not in found:
            key = f"datasets.{name}"
            sources.check_background(entry, key)
            of_files = sources.ask("facts", entry, locate, key)
            found[name] = {**of_files, **sources.split_facts(entry, locate, key)}
    return found


@dataclass
class _Seed:
    """Plans the study of one seed."""

    plan: Plan
    config: dict
    locate: Locate
    facts: dict[str, dict]
    among: dict[str, list[str]]
    sizes: dict[str, int]
    classes: int
    seed: int

    def add(self, heads: dict[str, dict]) -> None:
        plan, data = self.plan, self.config["data"]
        own = self.task("zero-shot", data, heads[""])
        self.tasks = {"": own}
        self.tasks = {"": own} | {
            name: self.task(f"zero-shot-{name}", task, heads[name])
            for name, task in sorted(self.config["tasks"].items())
        }
        played = [
            ("reference", [data["reference"]]),
            ("shift", data["shifts"]),
            ("held-out", [data["held_out"]]),
            ("corrupted", data["corrupted"]),
        ]
        sets = {role: [self.dataset(name) for name in names] for role, names in played}
        tests = [id for ids in sets.values() for id in ids]
        specs = run_specs(self.config)
        if probe := self.config["model"].get("start"):
            own["start"] = self.tuned(probe, specs)
        runs = {name: self.tuned(name, specs) for name in sorted(specs)}
        standard = {
            name: self.scratch(name, spec)
            for name, spec in sorted(standard_specs(self.config).items())
        }
        evaluated = {name: id for name, id in runs.items() if not specs[name].get("task")}
        end_to_end = [n for n in evaluated if specs[n]["variant"] == "end-to-end"]
        models = {"zero-shot": own["start"], **runs, **standard}
        soups = {
            name: self.soup(
                name,
                soup,
                [models[n] for n in soup.get("ingredients", end_to_end)],
                own,
            )
            for name, soup in sorted(self.config["soups"].items())
        }

        zero_shot = {"zero-shot": ("zero-shot", own["start"])}
        tuned = {name: (specs[name]["variant"], id) for name, id in evaluated.items()}
        mixed = {name: (self.config["soups"][name]["method"], id) for name, id in soups.items()}
        line = {name: ("from-scratch", id) for name, id in standard.items()}
        families = [self.family("zero-shot", zero_shot, tests)]
        jobs = self.config["evaluation"]
        families += self.families(tuned, tests, jobs["models_per_job"])
        families += [self.family(name, {name: soup}, tests) for name, soup in mixed.items()]
        families += [self.family("standard", line, tests)] if line else []
        swept = self.config["sweep"]["of"] if self.config["sweep"]["alphas"] else []
        ends, size = {name: (tuned | mixed)[name] for name in swept}, jobs["sweeps_per_job"]
        families += self.families(ends, tests, size, "-sweep", [own["start"]])

        roles = [[data["held_out"], "held-out"]]
        roles += [[name, "corrupted"] for name in data["corrupted"]]
        roles += [[data["reference"], "reference"]]
        roles += [[name, "shift"] for name in data["shifts"]]
        plan.studies[f"{self.config['study']}/seed{self.seed}"] = {
            "families": families,
            "roles": roles,
            "training": self.training(),
            "held_out": list(dict.fromkeys(task["held_out"] for task in self.tasks.values())),
            "tests": [*sets["reference"], *sets["shift"]],
            "sets": {**sets, "train": [own["train"]]},
            "start": own["start"],
            "first": own["first"],
            "runs": {name: runs[name] for name in end_to_end},
            "soups": soups,
            "exports": self.exports({"zero-shot": own["start"], **runs, **soups}),
            "models": described(self.config, evaluated, soups, self.sizes, self.classes),
        }

    def dataset(self, name: str) -> str:
        entry = self.config["datasets"][name]
        spec = {"name": name, **entry}
        if entry["source"] == ADVERSARIAL:
            spec["seed"] = self.seed
            pool = self.dataset(entry["pool"])
            adversary = self.scratch("adversary", self.config["adversary"])
            id = _id(name, {**spec, "pool": pool, "adversary": adversary})
            self.plan.datasets[id] = {"spec": plain(spec), "pool": pool, "adversary": adversary}
            return id
        if entry["source"] == CORRUPTED:
            spec = {"severity": 3, **spec, "seed": self.seed}
            source = self.dataset(entry["of"])
            id = _id(name, {**spec, "of": source})
            self.plan.datasets[id] = {"spec": plain(spec), "of": source}
            return id
        spec = {"name": name, **sources.with_defaults(entry)}
        spec |= self.plan.model["transform"]
        spec["side"] = entry.get("side") or spec["side"]
        if sources.module(entry["source"]).SEEDED:
            spec["seed"] = self.seed
        if name in self.among:
            spec["among"] = self.among[name]
        wanted = spec.pop("download", False)
        fetched = self.fetched(entry["source"], spec["path"], wanted) if wanted else []
        id = _id(name, spec)
        self.plan.datasets[id] = {"spec": plain({**spec, **self.facts[name]}), "fetched": fetched}
        return id

    def fetched(self, source: str, path: str, wanted: bool | str) -> list[str]:
        """The download that a data set waits for."""
        mirror = wanted if isinstance(wanted, str) else ""
        job = {"path": path, "archives": sources.archives(source), "mirror": mirror}
        id = _id(source, job)
        self.plan.downloads[id] = {"spec": plain(job)}
        return [id]

    def task(self, name: str, parts: dict, head: dict) -> dict[str, str]:
        """Training and held-out set of one task, and the zero-shot model over its classes."""
        train, held_out = self.dataset(parts["train"]), self.dataset(parts["held_out"])
        datasets = self.config["datasets"]
        names = class_names(datasets, parts["train"], self.locate)
        texts = texts_of(names, class_texts(datasets, parts["train"], self.locate), head)
        spec = {"name": name, "prompts": head["prompts"], "classes": names, "texts": texts}
        if not self.plan.model["text"]:
            spec = {"name": name, "classes": names, "seed": self.seed}
        start = _id(name, {**spec, "model": self.plan.model["key"]})
        self.plan.zero_shots[start] = {"spec": plain(spec)}
        return {"train": train, "held_out": held_out, "start": start, "first": start}

    def exports(self, models: dict[str, str]) -> dict[str, dict]:
        """Export -> which model's id, and how it is written."""
        return {
            name: {
                "end": models[entry["model"]],
                "spec": plain({"name": name, "alpha": None, **entry}),
            }
            for name, entry in self.config["exports"].items()
        }

    def training(self) -> list[str]:
        """Data sets that some run of this seed trains on; without runs, none is prepared."""
        used = [id for run in self.plan.runs.values() for id in (run["train"], *run["joint"])]
        own = map(self.dataset, parts(self.config)[0].values())
        return [id for id in dict.fromkeys(own) if id in used]

    def tuned(self, name: str, specs: dict[str, dict]) -> str:
        """A fine-tuning run, after the run that it starts from, if any; or a checkpoint."""
        if name in self.config["checkpoints"]:
            return self.checkpoint(name)
        spec = dict(specs[name])
        task, first = self.tasks[spec.pop("task", "")], spec.pop("start", "zero-shot")
        start = task["start"] if first == "zero-shot" else self.tuned(first, specs)
        if name == self.config["model"].get("start"):
            start = task["first"]
        return self.run(name, spec, task["train"], [start], task["held_out"])

    def checkpoint(self, name: str) -> str:
        """A model of the study's own task that was trained elsewhere."""
        entry, key = self.config["checkpoints"][name], f"checkpoints.{name}.path"
        path, start = self.locate(entry["path"]), self.tasks[""]["start"]
        # What the config says of its settings is for tables, which take it from the plan's models.
        given = {k: v for k, v in entry.items() if k not in ("path", "settings")}
        # What is fetched is known by its address and checksum, before and after it is there.
        content = {} if entry.get("url") else {"content": checked(path, key, sha256_file_cached)}
        spec = {"name": name, "variant": "end-to-end", **given}
        id = _id(name, {**spec, **content, "start": start})
        files = [] if entry.get("url") else [str(path)]
        spec = plain({**spec, "path": str(path)})
        self.plan.checkpoints[id] = {"spec": spec, "start": start, "files": files}
        return id

    def run(
        self, name: str, spec: dict, train: str, start: list[str], held_out: str | None = None
    ) -> str:
        """One training run; its own seed follows from the study's seed and its name."""
        second = [self.dataset(spec["joint"])] if spec.get("joint") else []
        spec = {"name": name, **spec, "seed": zlib.crc32(f"{self.seed} {name}".encode())}
        follows = {
            "train": train,
            "held_out": held_out or self.dataset(self.config["data"]["held_out"]),
            "start": start,
            "joint": second,
        }
        id = _id(name, {**spec, **follows})
        averages = bool(spec.get("ema")) or spec.get("swa", 1) < 1
        self.plan.runs[id] = {"spec": plain(spec), **follows, "averages": averages}
        return id

    def scratch(self, name: str, spec: dict) -> str:
        """A model trained from random weights; ``spec`` names its training set."""
        spec = with_options(spec)
        return self.run(name, spec, self.dataset(spec.pop("train")), start=[])

    def soup(self, name: str, soup: dict, ingredients: list[str], task: dict[str, str]) -> str:
        if not ingredients:
            raise StockpotError(
                f"soups.{name}: there is no end-to-end run to take as an ingredient"
            )
        method = soup["method"]
        ingredients = ingredients if methods.ordered(method) else sorted(ingredients)
        given = {key: value for key, value in soup.items() if key != "ingredients"}
        spec = {
            "name": name,
            **defaults(methods.options(method)) | given,
            **evaluation(self.config),
        }
        # Models from random weights have no start; the first of them takes its place.
        scratch = all(self.plan.runs.get(id, {"start": [""]})["start"] == [] for id in ingredients)
        start = ingredients[0] if scratch else task["start"]
        follows = {"start": start, "ingredients": ingredients, "held_out": task["held_out"]}
        id = _id(name, {**spec, **follows, "train": task["train"]})
        self.plan.soups[id] = {
            "spec": plain(spec),
            **follows,
            "train": task["train"],
            "reads_training": methods.reads_training(method),
            "merge": methods.mixes(method) == "weights",
            "averages": bool(methods.averages(method)),
        }
        return id

    def families(
        self,
        models: dict[str, tuple[str, str]],
        tests: list[str],
        size: int,
        ending: str = "",
        start: list[str] = (),
    ) -> list[str]:
        """The models in jobs of ``size``, in the order of their names.

        A new model gives the jobs at and after its place other members, and so other ids; they
        run again and find the cells of the others in the store.
        """
        names = list(models)
        chunks = [names[i : i + size] for i in range(0, len(names), size)]
        return [
            self.family(
                (chunk[0] if len(chunk) == 1 else f"{chunk[0]}-to-{chunk[-1]}") + ending,
                {name: models[name] for name in chunk},
                tests,
                start,
            )
            for chunk in chunks
        ]

    def family(
        self, name: str, models: dict[str, tuple[str, str]], tests: list[str], start: list[str] = ()
    ) -> str:
        """Models evaluated by one job; with a start, the sweep from there to each of them."""
        members = [{"name": n, "kind": kind, "end": end} for n, (kind, end) in models.items()]
        alphas = sorted(map(float, self.config["sweep"]["alphas"])) if start else []
        spec = {"members": members, "alphas": alphas, **evaluation(self.config)}
        family = {"spec": plain(spec), "tests": tests, "start": list(start)}
        id = _id(name, family)
        self.plan.families[id] = family
        return id


def save(plan: Plan, file: Path, config: dict) -> None:
    """Write the plan of a config."""
    write_sealed(file, {"config": short(config), "plan": asdict(plan)}, indent=None)


def saved(file: Path, config: dict) -> Plan | None:
    """The plan that was written for this config.

    None where there is none, or it is damaged, or another version of this code wrote it.
    """
    try:
        found = unsealed(file.read_bytes(), file)
        return Plan(**found["plan"]) if found["config"] == short(config) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def evaluation(config: dict) -> dict:
    """How predictions are made; how they are spread over jobs changes nothing in them."""
    spread = ("models_per_job", "sweeps_per_job")
    return {key: value for key, value in config["evaluation"].items() if key not in spread}


def _id(name: str, spec) -> str:
    return f"{name}-{short(spec)}"


def _cloud(config: dict, locate: Locate) -> dict:
    """The table of published models: where it is, what it holds, how to read it."""
    given = config["standard"].get("table")
    if not given:
        return {}
    path = locate(given["path"])
    sha256 = checked(path, "standard.table.path")
    data, runs = config["data"], finetune_specs(config)
    taken = ["zero-shot", *runs, *config["soups"]]
    read_cloud(path, given, data["reference"], data["shifts"], taken)
    return plain({**given, "path": str(path), "sha256": sha256})
