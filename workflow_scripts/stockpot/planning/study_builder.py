"""Plans the study of one seed: data, starts, runs, soups, evaluations, in this order."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..config.prompts import texts_of
from ..config.training_runs import run_specs, standard_specs, with_options
from ..datasets import sources
from ..datasets.classes import ADVERSARIAL, CORRUPTED, class_names, class_texts
from ..merging import methods
from ..runtime.digest import plain
from ..runtime.errors import StockpotError
from ..runtime.file_digests import sha256_file_cached
from ..runtime.registry import defaults
from .data_jobs import (
    CorruptedDataset,
    DatasetJob,
    DownloadJob,
    FilteredDataset,
    PreparedDataset,
)
from .data_roles import parts
from .evaluation_jobs import EvaluationJob
from .jobs import artefact_id
from .known_places import KnownPlaces, places
from .model_descriptions import described
from .model_jobs import CheckpointJob, RunJob, SoupJob, ZeroShotJob
from .plan import Plan, prediction_settings
from .pretrained import checked
from .study_jobs import StudyPlan

Locate = Callable[[str], Path]
Sets = dict[str, tuple[str, ...]]  # part of the data -> ids


@dataclass(frozen=True)
class Task:
    """A training set with its classes, and the models over them.

    Attributes:
        train: Id of the training set.
        held_out: Id of the held-out set.
        first: Id of the zero-shot model.
        start: Id of the model that runs start from.
    """

    train: str
    held_out: str
    first: str
    start: str


@dataclass(frozen=True)
class Evaluated:
    """A model to evaluate."""

    name: str
    kind: str
    id: str


@dataclass(frozen=True)
class Models:
    """Ids of the models of a study by their names.

    Attributes:
        runs: Fine-tuning runs and checkpoints, of all tasks.
        standard: Models trained from random weights.
        soups: Merges.
    """

    runs: dict[str, str]
    standard: dict[str, str]
    soups: dict[str, str]


class StudyBuilder:
    """Adds the jobs of one seed to a plan."""

    def __init__(
        self,
        plan: Plan,
        config: dict,
        locate: Locate,
        facts: dict[str, dict],
        answers_among: dict[str, list[str]],
        seed: int,
    ):
        """
        Args:
            plan: Where the jobs are added.
            config: A config that was checked, with what corrupted sets are made of.
            locate: Path given in the config -> where the file is.
            facts: Data set -> what its source knows of its files.
            answers_among: Data set -> the classes that answers are taken among, if not its own.
            seed: Of the study.
        """
        self.plan = plan
        self.config = config
        self.locate = locate
        self.facts = facts
        self.answers_among = answers_among
        self.seed = seed
        self.known_places = KnownPlaces()
        self.specs = run_specs(config)
        self.tasks: dict[str, Task] = {}

    def add_study(self, heads: dict[str, dict]) -> None:
        """Plan the study and all of its jobs.

        Args:
            heads: Task -> prompts and names of its classes; the study's own under "".
        """
        self.plan_tasks(heads)
        sets = self.plan_data()
        self.plan_start()
        models = self.plan_models()
        evaluations = self.plan_evaluations(models, sets)
        id = f"{self.config['study']}/seed{self.seed}"
        self.plan.studies[id] = self.study(id, sets, models, evaluations)

    def study(
        self, id: str, sets: Sets, models: Models, evaluations: list[str]
    ) -> StudyPlan:
        """The study of planned jobs."""
        own = self.tasks[""]
        held_out = dict.fromkeys(task.held_out for task in self.tasks.values())
        evaluated = {name: models.runs[name] for name in self.evaluated_runs()}
        train = self.config["data"]["train"]
        classes = len(class_names(self.config["datasets"], train, self.locate))
        return StudyPlan(
            id=id,
            evaluations=tuple(evaluations),
            roles=self.roles(),
            training=self.training(),
            held_out=tuple(held_out),
            tests=(*sets["reference"], *sets["shift"]),
            sets={**sets, "train": (own.train,)},
            start=own.start,
            first=own.first,
            runs={name: models.runs[name] for name in self.end_to_end_runs()},
            soups=models.soups,
            exportable={"zero-shot": own.start, **models.runs, **models.soups},
            models=described(
                self.config, evaluated, models.soups, self.plan.counts, classes
            ),
        )

    # Data.

    def plan_tasks(self, heads: dict[str, dict]) -> None:
        """The data and zero-shot models of the study and its tasks."""
        self.tasks[""] = self.task("zero-shot", self.config["data"], heads[""])
        for name, task in sorted(self.config["tasks"].items()):
            self.tasks[name] = self.task(f"zero-shot-{name}", task, heads[name])

    def task(self, name: str, data: dict, head: dict) -> Task:
        """Training and held-out set of one task, and the zero-shot model over its classes."""
        train = self.dataset(data["train"])
        held_out = self.dataset(data["held_out"])
        datasets = self.config["datasets"]
        classes = class_names(datasets, data["train"], self.locate)
        if self.plan.model.has_text:
            texts = texts_of(
                classes, class_texts(datasets, data["train"], self.locate), head
            )
            spec = {
                "name": name,
                "prompts": head["prompts"],
                "classes": classes,
                "texts": texts,
            }
        else:
            spec = {"name": name, "classes": classes, "seed": self.seed}
        id = artefact_id(name, {**spec, "model": self.plan.model.key})
        self.plan.zero_shots[id] = ZeroShotJob(id, plain(spec))
        return Task(train, held_out, first=id, start=id)

    def plan_data(self) -> Sets:
        """The data sets that models are evaluated on, by the parts that they play."""
        data = self.config["data"]
        played = {
            "reference": [data["reference"]],
            "shift": data["shifts"],
            "held-out": [data["held_out"]],
            "corrupted": data["corrupted"],
        }
        return {part: tuple(map(self.dataset, names)) for part, names in played.items()}

    def roles(self) -> tuple[tuple[str, str], ...]:
        """(data set, its part), in the order of the tables."""
        data = self.config["data"]
        return (
            (data["held_out"], "held-out"),
            *((name, "corrupted") for name in data["corrupted"]),
            (data["reference"], "reference"),
            *((name, "shift") for name in data["shifts"]),
        )

    def training(self) -> tuple[str, ...]:
        """Data sets that some run of this seed trains on; without runs, none is prepared."""
        used = {id for run in self.plan.runs.values() for id in run.training_sets}
        training, _ = parts(self.config)
        own = dict.fromkeys(map(self.dataset, training.values()))
        return tuple(id for id in own if id in used)

    def dataset(self, name: str) -> str:
        """Id of a data set, planned with all that it is made of."""
        entry = self.config["datasets"][name]
        if entry["source"] == ADVERSARIAL:
            job = self.filtered(name, entry)
        elif entry["source"] == CORRUPTED:
            job = self.corrupted(name, entry)
        else:
            job = self.prepared(name, entry)
        self.plan.datasets[job.id] = job
        return job.id

    def filtered(self, name: str, entry: dict) -> DatasetJob:
        """What an adversary gets wrong of a pool."""
        spec = {"name": name, **entry, "seed": self.seed}
        pool = self.dataset(entry["pool"])
        adversary = self.scratch("adversary", self.config["adversary"])
        id = artefact_id(name, {**spec, "pool": pool, "adversary": adversary})
        return FilteredDataset(id, plain(spec), pool, adversary)

    def corrupted(self, name: str, entry: dict) -> DatasetJob:
        """The corrupted images of another set."""
        spec = {"severity": 3, "name": name, **entry, "seed": self.seed}
        of = self.dataset(entry["of"])
        id = artefact_id(name, {**spec, "of": of})
        return CorruptedDataset(id, plain(spec), of)

    def prepared(self, name: str, entry: dict) -> DatasetJob:
        """A set from its source, after its download if the config asks for one."""
        spec = {
            "name": name,
            **sources.with_defaults(entry),
            **self.plan.model.transform,
        }
        spec["side"] = entry.get("side") or spec["side"]
        if sources.declared(entry["source"]).seeded:
            spec["seed"] = self.seed
        if name in self.answers_among:
            spec["among"] = self.answers_among[name]
        wanted = spec.pop("download", False)
        fetched = self.download(entry["source"], spec["path"], wanted) if wanted else ()
        facts = self.facts[name]
        here = places(facts)
        if sources.is_own(entry["source"]) and not fetched:
            known = self.known_places.original(name, entry, self.locate)
            if known is not None:
                spec |= known.entry
                facts = {**facts, **known.facts}
        id = artefact_id(name, spec)
        return PreparedDataset(
            id, plain({**spec, **facts}), fetched, here, places(spec)
        )

    def download(self, source: str, path: str, wanted: bool | str) -> tuple[str, ...]:
        """The download that a data set waits for; wanted may name a mirror."""
        mirror = wanted if isinstance(wanted, str) else ""
        spec = {"path": path, "archives": sources.archives(source), "mirror": mirror}
        id = artefact_id(source, spec)
        self.plan.downloads[id] = DownloadJob(id, plain(spec))
        return (id,)

    # Models.

    def plan_start(self) -> None:
        """Runs start from the zero-shot model, or from the run that the config names."""
        if probe := self.config["model"].get("start"):
            self.tasks[""] = replace(self.tasks[""], start=self.tuned(probe))

    def plan_models(self) -> Models:
        """All runs, standard models and soups."""
        runs = {name: self.tuned(name) for name in sorted(self.specs)}
        standard = {}
        for name, spec in sorted(standard_specs(self.config).items()):
            standard[name] = self.scratch(name, spec)
        known = {"zero-shot": self.tasks[""].start, **runs, **standard}
        soups = {}
        for name, soup in sorted(self.config["soups"].items()):
            ingredients = soup.get("ingredients", self.end_to_end_runs())
            soups[name] = self.soup(name, soup, [known[other] for other in ingredients])
        return Models(runs, standard, soups)

    def evaluated_runs(self) -> list[str]:
        """Names of the runs of the study's own task, which are evaluated."""
        return [name for name in sorted(self.specs) if not self.specs[name].get("task")]

    def end_to_end_runs(self) -> list[str]:
        """Names of those that train the whole model."""
        return [
            name
            for name in self.evaluated_runs()
            if self.specs[name]["variant"] == "end-to-end"
        ]

    def tuned(self, name: str) -> str:
        """A fine-tuning run, after the run that it starts from, if any; or a checkpoint."""
        if name in self.config["checkpoints"]:
            return self.checkpoint(name)
        spec = dict(self.specs[name])
        task = self.tasks[spec.pop("task", "")]
        first = spec.pop("start", "zero-shot")
        start = task.start if first == "zero-shot" else self.tuned(first)
        if name == self.config["model"].get("start"):
            start = task.first
        return self.run(name, spec, task.train, (start,), task.held_out)

    def checkpoint(self, name: str) -> str:
        """A model of the study's own task that was trained elsewhere."""
        entry = self.config["checkpoints"][name]
        path = self.locate(entry["path"])
        start = self.tasks[""].start
        # What the config says of its settings is for tables, which take it from the plan's models.
        given = {key: entry[key] for key in entry if key not in ("path", "settings")}
        spec = {"name": name, "variant": "end-to-end", **given}
        # What is fetched is known by its address and checksum, before and after it is there.
        files, content = (), {}
        if not entry.get("url"):
            files = (str(path),)
            content["content"] = checked(
                path, f"checkpoints.{name}.path", sha256_file_cached
            )
        id = artefact_id(name, {**spec, **content, "start": start})
        spec = plain({**spec, "path": str(path)})
        self.plan.checkpoints[id] = CheckpointJob(id, spec, start, files)
        return id

    def run(
        self, name: str, spec: dict, train: str, start: tuple[str, ...], held_out: str
    ) -> str:
        """One training run; its own seed follows from the study's seed and its name."""
        joint = (self.dataset(spec["joint"]),) if spec.get("joint") else ()
        spec = {
            "name": name,
            **spec,
            "seed": zlib.crc32(f"{self.seed} {name}".encode()),
        }
        follows = {"train": train, "held_out": held_out, "start": start, "joint": joint}
        id = artefact_id(name, {**spec, **follows})
        averages = bool(spec.get("ema")) or spec.get("swa", 1) < 1
        self.plan.runs[id] = RunJob(id, plain(spec), **follows, averages=averages)
        return id

    def scratch(self, name: str, spec: dict) -> str:
        """A model trained from random weights; ``spec`` names its training set."""
        spec = with_options(spec)
        train = self.dataset(spec.pop("train"))
        held_out = self.dataset(self.config["data"]["held_out"])
        return self.run(name, spec, train, (), held_out)

    def soup(self, name: str, soup: dict, ingredients: list[str]) -> str:
        """A merge of models, given by their ids."""
        if not ingredients:
            raise StockpotError(
                f"soups.{name}: there is no end-to-end run to take as an ingredient"
            )
        method, task = soup["method"], self.tasks[""]
        ingredients = tuple(
            ingredients if methods.ordered(method) else sorted(ingredients)
        )
        given = {key: value for key, value in soup.items() if key != "ingredients"}
        options = defaults(methods.options(method)) | given
        spec = {"name": name, **options, **prediction_settings(self.config)}
        follows = {
            "start": self.soup_start(ingredients),
            "ingredients": ingredients,
            "held_out": task.held_out,
            "train": task.train,
        }
        id = artefact_id(name, {**spec, **follows})
        self.plan.soups[id] = SoupJob(
            id,
            plain(spec),
            **follows,
            reads_training=methods.reads_training(method),
            writes_weights=methods.mixes(method) == "weights",
            averages=bool(methods.averages(method)),
        )
        return id

    def soup_start(self, ingredients: tuple[str, ...]) -> str:
        """The model that the ingredients were trained from.

        Models from random weights have none; the first of them takes its place.
        """
        runs = self.plan.runs
        from_scratch = all(id in runs and not runs[id].start for id in ingredients)
        return ingredients[0] if from_scratch else self.tasks[""].start

    # Evaluations.

    def plan_evaluations(self, models: Models, sets: Sets) -> list[str]:
        """All models by themselves, and the sweeps; ids in the order of the tables."""
        tests = tuple(id for ids in sets.values() for id in ids)
        start = self.tasks[""].start
        jobs = self.config["evaluation"]
        zero_shot = [Evaluated("zero-shot", "zero-shot", start)]
        tuned = [
            Evaluated(name, self.specs[name]["variant"], models.runs[name])
            for name in self.evaluated_runs()
        ]
        soups = [
            Evaluated(name, self.config["soups"][name]["method"], id)
            for name, id in models.soups.items()
        ]
        standard = [
            Evaluated(name, "from-scratch", id) for name, id in models.standard.items()
        ]
        ids = [self.evaluation("zero-shot", zero_shot, tests)]
        ids += self.evaluations(tuned, tests, jobs["models_per_job"])
        ids += [self.evaluation(soup.name, [soup], tests) for soup in soups]
        if standard:
            ids.append(self.evaluation("standard", standard, tests))
        ends = self.swept([*tuned, *soups])
        return ids + self.evaluations(
            ends, tests, jobs["sweeps_per_job"], "-sweep", (start,)
        )

    def swept(self, models: list[Evaluated]) -> list[Evaluated]:
        """Those at which the sweeps of the config end."""
        sweep = self.config["sweep"]
        named = {model.name: model for model in models}
        return [named[name] for name in sweep["of"]] if sweep["alphas"] else []

    def evaluations(
        self,
        models: list[Evaluated],
        tests: tuple[str, ...],
        size: int,
        ending: str = "",
        start: tuple[str, ...] = (),
    ) -> list[str]:
        """The models in jobs of ``size``, in the order given.

        A new model gives the jobs at and after its place other members, and so other ids; they
        run again and find the cells of the others in the store.
        """
        ids = []
        for i in range(0, len(models), size):
            chunk = models[i : i + size]
            first, last = chunk[0].name, chunk[-1].name
            name = first if len(chunk) == 1 else f"{first}-to-{last}"
            ids.append(self.evaluation(name + ending, chunk, tests, start))
        return ids

    def evaluation(
        self,
        name: str,
        models: list[Evaluated],
        tests: tuple[str, ...],
        start: tuple[str, ...] = (),
    ) -> str:
        """Models evaluated by one job; with a start, the sweep from there to each of them."""
        members = [{"name": m.name, "kind": m.kind, "end": m.id} for m in models]
        alphas = sorted(map(float, self.config["sweep"]["alphas"])) if start else []
        spec = {
            "members": members,
            "alphas": alphas,
            **prediction_settings(self.config),
        }
        spec = plain(spec)
        id = artefact_id(name, {"spec": spec, "tests": tests, "start": start})
        self.plan.evaluations[id] = EvaluationJob(id, spec, tests, start)
        return id
