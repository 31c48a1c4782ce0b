"""Plans the study of one seed: data, initial weights, runs, soups, evaluations, in this order."""

import zlib
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from ..config.training_runs import baseline_specs, run_specs, with_options
from ..config.zero_shot_head import texts_of
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
from .data_roles import datasets_by_role
from .evaluation_jobs import EvaluationJob
from .jobs import Config, Locate, Spec, artefact_id
from .known_locations import KnownLocations, location_of
from .model_descriptions import describe_models
from .model_jobs import CheckpointJob, RunJob, SoupJob, ZeroShotJob
from .plan import Plan, prediction_settings
from .pretrained import checked_digest
from .study_jobs import StudyPlan

IdsByRole = dict[str, tuple[str, ...]]  # role -> ids of the data sets
Heads = dict[str, dict[str, Any]]  # task -> prompts and names of its classes

# The name of the study's own task, among those of ``tasks`` in the config; it has none there.
OWN_TASK = ""
DEFAULT_SEVERITY = 3  # of corruptions, from 1 to 5


@dataclass(frozen=True)
class Task:
    """A training set with its classes, and the models over them.

    Attributes:
        train: Id of the training set.
        held_out: Id of the held-out set.
        zero_shot: Id of the model with the pretrained tower and the zero-shot head.
        initial: Id of the model that runs start from and sweeps begin at: the one above, or the run
            that ``model.zero_shot_run`` names. Configs and tables call it "zero-shot" either way.
    """

    train: str
    held_out: str
    zero_shot: str
    initial: str


@dataclass(frozen=True)
class EvaluatedModel:
    """A model to evaluate.

    Attributes:
        name: What tables call it.
        kind: Variant of a run, method of a soup.
        id: Of the artefact.
    """

    name: str
    kind: str
    id: str

    def member(self) -> dict[str, str]:
        """The entry of the model in the spec of an evaluation.

        Returns:
            Tables show name and kind; predictions follow from the id of the model, "end".
        """
        return {
            "name": self.name,
            "kind": self.kind,
            "end": self.id,
        }


@dataclass(frozen=True)
class ModelIds:
    """Ids of the models of a study by their names.

    Attributes:
        runs: Fine-tuning runs and checkpoints, of all tasks.
        baselines: Models trained from random weights.
        soups: Merges.
    """

    runs: dict[str, str]
    baselines: dict[str, str]
    soups: dict[str, str]


class StudyBuilder:
    """Adds the jobs of one seed to a plan.

    Attributes:
        plan: Where the jobs are added.
        config: A config that was checked.
        seed: Of the study.
    """

    def __init__(
        self,
        plan: Plan,
        config: Config,
        locate: Locate,
        facts: dict[str, dict[str, Any]],
        answers_among: dict[str, list[str]],
        seed: int,
    ):
        """Begin without any job.

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
        self.seed = seed
        self._locate = locate
        self._facts = facts
        self._answers_among = answers_among
        self._known_locations = KnownLocations()
        self._specs = run_specs(config)
        self._tasks: dict[str, Task] = {}

    def add_study(self, heads: Heads) -> None:
        """Plan the study and all of its jobs.

        Args:
            heads: Task -> prompts and names of its classes; the study's own under ``OWN_TASK``.

        Raises:
            StockpotError: A file is missing, or a soup has no ingredients.
        """
        # Each step takes the ids of those before it, as an id follows from all of them.
        self._plan_tasks(heads)
        evaluated_sets = self._plan_evaluated_sets()
        self._plan_initial_model()
        models = self._plan_models()
        evaluations = self._plan_evaluations(models, evaluated_sets)
        study_id = f"{self.config['study']}/seed{self.seed}"
        self.plan.studies[study_id] = self._study(
            study_id,
            evaluated_sets,
            models,
            evaluations,
        )

    @property
    def _own_task(self) -> Task:
        """The task of the study itself."""
        return self._tasks[OWN_TASK]

    def _study(
        self,
        study_id: str,
        evaluated_sets: IdsByRole,
        models: ModelIds,
        evaluations: list[str],
    ) -> StudyPlan:
        """The study of planned jobs."""
        task = self._own_task
        # Tasks may share a held-out set, which counts once.
        held_out = dict.fromkeys(task.held_out for task in self._tasks.values())
        end_to_end_runs = {name: models.runs[name] for name in self._end_to_end_runs()}
        return StudyPlan(
            id=study_id,
            evaluations=tuple(evaluations),
            roles=self._roles(),
            training=self._training_sets(),
            held_out=tuple(held_out),
            tests=(*evaluated_sets["reference"], *evaluated_sets["shift"]),
            sets={**evaluated_sets, "train": (task.train,)},
            initial=task.initial,
            zero_shot=task.zero_shot,
            runs=end_to_end_runs,
            soups=models.soups,
            exportable={
                "zero-shot": task.initial,
                **models.runs,
                **models.soups,
            },
            models=self._descriptions(models),
        )

    def _descriptions(self, models: ModelIds) -> dict[str, dict[str, Any]]:
        """What analyses and pages know of the models; they read no config."""
        evaluated_runs = {name: models.runs[name] for name in self._evaluated_runs()}
        train = self.config["data"]["train"]
        classes = class_names(self.config["datasets"], train, self._locate)
        return describe_models(
            self.config,
            evaluated_runs,
            models.soups,
            self.plan.counts,
            len(classes),
        )

    # Data.

    def _plan_tasks(self, heads: Heads) -> None:
        """The data and zero-shot models of the study and its tasks."""
        self._tasks[OWN_TASK] = self._plan_task(
            "zero-shot",
            self.config["data"],
            heads[OWN_TASK],
        )
        for name, task in sorted(self.config["tasks"].items()):
            self._tasks[name] = self._plan_task(
                f"zero-shot-{name}",
                task,
                heads[name],
            )

    def _plan_task(
        self,
        name: str,
        data: dict[str, Any],
        head: dict[str, Any],
    ) -> Task:
        """Training and held-out set of one task, and the zero-shot model over its classes."""
        train = self._plan_dataset(data["train"])
        held_out = self._plan_dataset(data["held_out"])
        datasets = self.config["datasets"]
        classes = class_names(datasets, data["train"], self._locate)
        if self.plan.model.has_text:
            source_texts = class_texts(datasets, data["train"], self._locate)
            spec = {
                "name": name,
                "prompts": head["prompts"],
                "classes": classes,
                "texts": texts_of(classes, source_texts, head),
            }
        else:
            # Without a text side there are no prompts: the head is random.
            spec = {
                "name": name,
                "classes": classes,
                "seed": self.seed,
            }
        # The key of the model follows from its weights, so other weights give another id.
        zero_shot = artefact_id(name, {**spec, "model": self.plan.model.key})
        self.plan.zero_shots[zero_shot] = ZeroShotJob(zero_shot, plain(spec))
        return Task(
            train,
            held_out,
            zero_shot=zero_shot,
            initial=zero_shot,
        )

    def _plan_evaluated_sets(self) -> IdsByRole:
        """The data sets that models are evaluated on, by their roles."""
        data = self.config["data"]
        names_by_role = {
            "reference": [data["reference"]],
            "shift": data["shifts"],
            "held-out": [data["held_out"]],
            "corrupted": data["corrupted"],
        }
        ids_by_role = {}
        for role, names in names_by_role.items():
            ids_by_role[role] = tuple(map(self._plan_dataset, names))
        return ids_by_role

    def _roles(self) -> tuple[tuple[str, str], ...]:
        """(data set, its role), in the order of the tables."""
        data = self.config["data"]
        roles = [(data["held_out"], "held-out")]
        roles += [(name, "corrupted") for name in data["corrupted"]]
        roles += [(data["reference"], "reference")]
        roles += [(name, "shift") for name in data["shifts"]]
        return tuple(roles)

    def _training_sets(self) -> tuple[str, ...]:
        """Ids of the sets that some run of this seed trains on; without runs, none is prepared."""
        trained_on: set[str] = set()
        for run in self.plan.runs.values():
            trained_on.update(run.training_sets)
        training, _ = datasets_by_role(self.config)
        # The plan also has runs of other seeds, whose sets may be others.
        ids = dict.fromkeys(map(self._plan_dataset, training.values()))
        return tuple(dataset for dataset in ids if dataset in trained_on)

    def _plan_dataset(self, name: str) -> str:
        """Id of a data set, planned with all that it is made of."""
        entry = self.config["datasets"][name]
        # Sets that are made of others are planned after them; the same set gets the same id.
        if entry["source"] == ADVERSARIAL:
            job = self._filtered_dataset(name, entry)
        elif entry["source"] == CORRUPTED:
            job = self._corrupted_dataset(name, entry)
        else:
            job = self._prepared_dataset(name, entry)
        self.plan.datasets[job.id] = job
        return job.id

    def _filtered_dataset(
        self,
        name: str,
        entry: dict[str, Any],
    ) -> DatasetJob:
        """What an adversary gets wrong of a pool."""
        spec = {
            "name": name,
            **entry,
            "seed": self.seed,
        }
        pool = self._plan_dataset(entry["pool"])
        adversary = self._plan_scratch_run("adversary", self.config["adversary"])
        follows = {"pool": pool, "adversary": adversary}
        dataset_id = artefact_id(name, {**spec, **follows})
        return FilteredDataset(
            dataset_id,
            plain(spec),
            **follows,
        )

    def _corrupted_dataset(
        self,
        name: str,
        entry: dict[str, Any],
    ) -> DatasetJob:
        """The corrupted images of another set."""
        spec = {
            "severity": DEFAULT_SEVERITY,
            "name": name,
            **entry,
            "seed": self.seed,
        }
        dataset = self._plan_dataset(entry["dataset"])
        dataset_id = artefact_id(name, {**spec, "dataset": dataset})
        return CorruptedDataset(
            dataset_id,
            plain(spec),
            dataset,
        )

    def _prepared_dataset(
        self,
        name: str,
        entry: dict[str, Any],
    ) -> DatasetJob:
        """A set from its source, after its download if the config asks for one."""
        source = entry["source"]
        spec = {
            "name": name,
            **sources.with_defaults(entry),
            **self.plan.model.transform,
        }
        # A training set may be stored larger than models see it.
        spec["image_size"] = entry.get("image_size") or spec["image_size"]
        if sources.declared(source).seeded:
            spec["seed"] = self.seed
        if name in self._answers_among:
            # What answers are taken among is part of the data set, and so of its id.
            spec["among"] = self._answers_among[name]
        download = spec.pop("download", False)
        fetched: tuple[str, ...] = ()
        if download:
            # The config says true, or gives the address of a mirror.
            mirror = download if isinstance(download, str) else ""
            fetched = (self._plan_download(source, spec["path"], mirror),)
        facts = self._facts[name]
        location_now = location_of(facts)
        if sources.reads_user_files(source) and not fetched:
            # A folder that was renamed keeps its name in the id, so nothing is made again.
            known = self._known_locations.first_location(name, entry, self._locate)
            if known is not None:
                spec |= known.entry
                facts = {**facts, **known.facts}
        return PreparedDataset(
            artefact_id(name, spec),
            plain({**spec, **facts}),
            fetched,
            current_paths=location_now,
            first_paths=location_of(spec),
        )

    def _plan_download(
        self,
        source: str,
        path: str,
        mirror: str,
    ) -> str:
        """The download that a data set waits for. mirror: an address, "" for the original one."""
        spec = {
            "path": path,
            "archives": sources.archives(source),
            "mirror": mirror,
        }
        download_id = artefact_id(source, spec)
        self.plan.downloads[download_id] = DownloadJob(download_id, plain(spec))
        return download_id

    # Models.

    def _plan_initial_model(self) -> None:
        """Runs start from the zero-shot model, or from the run that the config names."""
        run = self.config["model"].get("zero_shot_run")
        if run:
            initial = self._plan_run_or_checkpoint(run)
            self._tasks[OWN_TASK] = replace(self._own_task, initial=initial)

    def _plan_models(self) -> ModelIds:
        """All runs, baselines and soups."""
        runs = {}
        for name in sorted(self._specs):
            runs[name] = self._plan_run_or_checkpoint(name)
        baselines = {}
        for name, spec in sorted(baseline_specs(self.config).items()):
            baselines[name] = self._plan_scratch_run(name, spec)
        # Soups name the initial model "zero-shot", also where a run takes the place of that one.
        ids = {
            "zero-shot": self._own_task.initial,
            **runs,
            **baselines,
        }
        soups = {}
        for name, soup in sorted(self.config["soups"].items()):
            ingredients = soup.get("ingredients", self._end_to_end_runs())
            ingredient_ids = [ids[ingredient] for ingredient in ingredients]
            soups[name] = self._plan_soup(name, soup, ingredient_ids)
        return ModelIds(runs, baselines, soups)

    def _evaluated_runs(self) -> list[str]:
        """Names of the runs of the study's own task, which are evaluated."""
        return [
            name for name in sorted(self._specs) if not self._specs[name].get("task")
        ]

    def _end_to_end_runs(self) -> list[str]:
        """Names of those that train the whole model."""
        names = []
        for name in self._evaluated_runs():
            if self._specs[name]["variant"] == "end-to-end":
                names.append(name)
        return names

    def _plan_run_or_checkpoint(self, name: str) -> str:
        """A fine-tuning run, after the run that it starts from, if any; or a checkpoint."""
        if name in self.config["checkpoints"]:
            return self._plan_checkpoint(name)
        spec = dict(self._specs[name])
        task = self._tasks[spec.pop("task", OWN_TASK)]
        initial_run = spec.pop("init_from", "zero-shot")
        if name == self.config["model"].get("zero_shot_run"):
            # All other runs start from this one, so it cannot start from itself.
            initial = task.zero_shot
        elif initial_run == "zero-shot":
            initial = task.initial
        else:
            initial = self._plan_run_or_checkpoint(initial_run)
        return self._plan_run(
            name,
            spec,
            task.train,
            (initial,),
            task.held_out,
        )

    def _plan_checkpoint(self, name: str) -> str:
        """A model of the study's own task that was trained elsewhere."""
        entry = self.config["checkpoints"][name]
        path = self._locate(entry["path"])
        initial = self._own_task.initial
        spec = {"name": name, "variant": "end-to-end"}
        for key, value in entry.items():
            # Its hyperparameters are for tables, which take them from the plan's models. Where the
            # file is says nothing of the model.
            if key not in ("path", "hyperparameters"):
                spec[key] = value
        follows = {**spec, "start": initial}
        files: tuple[str, ...] = ()
        # What is fetched is known by its address and checksum, before and after it is there.
        if not entry.get("url"):
            files = (str(path),)
            follows["content"] = checked_digest(
                path,
                f"checkpoints.{name}.path",
                sha256_file_cached,
            )
        checkpoint_id = artefact_id(name, follows)
        self.plan.checkpoints[checkpoint_id] = CheckpointJob(
            checkpoint_id,
            plain({**spec, "path": str(path)}),
            initial,
            files,
        )
        return checkpoint_id

    def _plan_run(
        self,
        name: str,
        spec: Spec,
        train: str,
        start: tuple[str, ...],
        held_out: str,
    ) -> str:
        """One training run; its own seed follows from the study's seed and its name."""
        second_dataset: tuple[str, ...] = ()
        if spec.get("second_dataset"):
            second_dataset = (self._plan_dataset(spec["second_dataset"]),)
        # The seed of a run stays when others are added before it.
        run_seed = zlib.crc32(f"{self.seed} {name}".encode())
        spec = {
            "name": name,
            **spec,
            "seed": run_seed,
        }
        follows = {
            "train": train,
            "held_out": held_out,
            "start": start,
            "second_dataset": second_dataset,
        }
        # Two kinds: exponential moving averages, and one of the last steps (SWA).
        keeps_moving_averages = bool(spec.get("ema_decays"))
        keeps_last_average = spec.get("swa_start", 1) < 1
        run_id = artefact_id(name, {**spec, **follows})
        self.plan.runs[run_id] = RunJob(
            run_id,
            plain(spec),
            train=train,
            held_out=held_out,
            start=start,
            second_dataset=second_dataset,
            averages=keeps_moving_averages or keeps_last_average,
        )
        return run_id

    def _plan_scratch_run(
        self,
        name: str,
        spec: Spec,
    ) -> str:
        """A model trained from random weights; ``spec`` names its training set."""
        # A copy, with the defaults of the variant.
        spec = with_options(spec)
        train = self._plan_dataset(spec.pop("train"))
        held_out = self._plan_dataset(self.config["data"]["held_out"])
        return self._plan_run(
            name,
            spec,
            train,
            (),
            held_out,
        )

    def _plan_soup(
        self,
        name: str,
        soup: dict[str, Any],
        ingredients: list[str],
    ) -> str:
        """A merge of models, given by their ids."""
        if not ingredients:
            raise StockpotError(
                f"soups.{name}: there is no end-to-end run to take as an ingredient"
            )
        method = soup["method"]
        # For most methods the order makes no difference, and so it makes no other id.
        if not methods.ordered(method):
            ingredients = sorted(ingredients)
        spec = self._soup_spec(name, soup)
        task = self._own_task
        start = self._soup_start(ingredients)
        follows = {
            "start": start,
            "ingredients": tuple(ingredients),
            "held_out": task.held_out,
            "train": task.train,
        }
        soup_id = artefact_id(name, {**spec, **follows})
        self.plan.soups[soup_id] = SoupJob(
            soup_id,
            plain(spec),
            start=start,
            ingredients=tuple(ingredients),
            held_out=task.held_out,
            train=task.train,
            reads_training=methods.reads_training(method),
            writes_weights=methods.mixes(method) == "weights",
            averages=bool(methods.averages(method)),
        )
        return soup_id

    def _soup_spec(self, name: str, soup: dict[str, Any]) -> dict[str, Any]:
        """Options of a merge, and how its ingredients are evaluated."""
        options = defaults(methods.options(soup["method"])) | soup
        options.pop("ingredients", None)
        return {
            "name": name,
            **options,
            **prediction_settings(self.config),
        }

    def _soup_start(self, ingredients: list[str]) -> str:
        """The model that the ingredients were trained from.

        Models from random weights have none; the first of them takes its place.
        """
        # An ingredient without a run is a checkpoint or the zero-shot model.
        for ingredient in ingredients:
            run = self.plan.runs.get(ingredient)
            if run is None or run.start:
                return self._own_task.initial
        return ingredients[0]

    # Evaluations.

    def _plan_evaluations(
        self,
        models: ModelIds,
        sets: IdsByRole,
    ) -> list[str]:
        """All models by themselves, and the sweeps; ids in the order of the tables."""
        tests = tuple(chain.from_iterable(sets.values()))
        jobs = self.config["evaluation"]
        initial_id = self._own_task.initial
        initial_model = EvaluatedModel("zero-shot", "zero-shot", initial_id)
        runs = self._evaluated_run_models(models)
        soups = []
        for name, soup_id in models.soups.items():
            method = self.config["soups"][name]["method"]
            soups.append(EvaluatedModel(name, method, soup_id))
        baselines = []
        for name, baseline_id in models.baselines.items():
            baselines.append(EvaluatedModel(name, "from-scratch", baseline_id))

        evaluations = [self._plan_evaluation("zero-shot", [initial_model], tests)]
        evaluations += self._plan_in_chunks(
            runs,
            tests,
            jobs["models_per_job"],
        )
        for soup in soups:
            evaluations.append(self._plan_evaluation(soup.name, [soup], tests))
        if baselines:
            evaluations.append(self._plan_evaluation("baselines", baselines, tests))
        evaluations += self._plan_in_chunks(
            self._sweep_targets([*runs, *soups]),
            tests,
            jobs["sweeps_per_job"],
            suffix="-sweep",
            sweep_start=(initial_id,),
        )
        return evaluations

    def _evaluated_run_models(self, models: ModelIds) -> list[EvaluatedModel]:
        """The fine-tuned runs and checkpoints of the study's own task."""
        runs = []
        for name in self._evaluated_runs():
            variant = self._specs[name]["variant"]
            runs.append(EvaluatedModel(name, variant, models.runs[name]))
        return runs

    def _sweep_targets(self, models: list[EvaluatedModel]) -> list[EvaluatedModel]:
        """Those at which the sweeps of the config end."""
        sweep = self.config["sweep"]
        if not sweep["alphas"]:
            return []
        # The config gives the order of sweeps.
        by_name = {model.name: model for model in models}
        return [by_name[name] for name in sweep["targets"]]

    def _plan_in_chunks(
        self,
        models: list[EvaluatedModel],
        tests: tuple[str, ...],
        size: int,
        suffix: str = "",
        sweep_start: tuple[str, ...] = (),
    ) -> list[str]:
        """The models in jobs of ``size``, in the order given.

        A new model gives the jobs at and after its place other members, and so other ids; they
        run again and find the cells of the others in the store.
        """
        evaluations = []
        # A job of several models loads data sets once, but fails as a whole.
        for begin in range(0, len(models), size):
            chunk = models[begin : begin + size]
            name = chunk[0].name
            if len(chunk) > 1:
                name = f"{chunk[0].name}-to-{chunk[-1].name}"
            evaluation = self._plan_evaluation(
                name + suffix,
                chunk,
                tests,
                sweep_start,
            )
            evaluations.append(evaluation)
        return evaluations

    def _plan_evaluation(
        self,
        name: str,
        models: list[EvaluatedModel],
        tests: tuple[str, ...],
        sweep_start: tuple[str, ...] = (),
    ) -> str:
        """Models evaluated by one job; with a start, the sweep from there to each of them."""
        alphas = []
        if sweep_start:
            # 0 and 0.0 are one alpha, and have one id.
            alphas = sorted(map(float, self.config["sweep"]["alphas"]))
        spec = plain(
            {
                "members": [model.member() for model in models],
                "alphas": alphas,
                **prediction_settings(self.config),
            }
        )
        follows = {
            "spec": spec,
            "tests": tests,
            "start": sweep_start,
        }
        evaluation_id = artefact_id(name, follows)
        job = EvaluationJob(
            evaluation_id,
            spec=spec,
            tests=tests,
            sweep_start=sweep_start,
        )
        self.plan.evaluations[evaluation_id] = job
        return evaluation_id
