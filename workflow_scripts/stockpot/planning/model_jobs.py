"""Jobs that make classifiers and recipes: zero-shot heads, runs, checkpoints, soups."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..training import variants
from .jobs import (
    COMPARED,
    Inputs,
    Job,
    Present,
    classifier_files,
    dataset_files,
    plugin_file,
)
from .resources import Machine, Needs, evaluating, training

if TYPE_CHECKING:
    from .plan import Plan


@dataclass(frozen=True)
class ModelJob(Job):
    """The pretrained model: where its files are, or how its weights are trained or imported.

    Attributes:
        key: Digest of its content, wherever it lies.
        transform: How images are resized for it: side, resize_mode, interpolation.
        files: What is there already: config, vocabulary, weights, checkpoint -> path.
        architecture: The content of its open_clip_config.json.
        has_text: Has it a text side, which prompts are for?
        pretraining: How its weights are trained, if they are.
        imported: How its weights are fetched or read, if they are.
    """

    key: str
    transform: dict[str, str | int]
    files: dict[str, str]
    architecture: dict
    has_text: bool
    pretraining: dict | None = None
    imported: dict | None = None

    @property
    def rule(self) -> str:
        if self.imported:
            return "import_model"
        return "pretrain" if self.pretraining else ""

    def parameters(self, plan: "Plan") -> dict:
        return self.imported or self.pretraining or {}

    def inputs(self, plan: "Plan") -> Inputs:
        if self.imported:
            return {
                name: file
                for name, file in self._given().items()
                if name == "checkpoint"
            }
        return self._given()

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (f"{self.rule}.py",) if self.rule else ()

    def _given(self) -> Inputs:
        """Its files that are there already. Their content is in ``key``, so no date counts."""
        return {name: Present(file) for name, file in self.files.items()}

    def vocabulary(self) -> dict[str, str]:
        """Its vocabulary's file, where it has one of its own."""
        return {
            name: file for name, file in self._given().items() if name == "vocabulary"
        }

    def outputs(self) -> Inputs:
        """The model's config, its vocabulary where it has one, its weights, given or made here."""
        if self.imported:
            folder = f"<results>/imported/{self.id}"
            config = self._given().get("config", f"{folder}/open_clip_config.json")
            weights = f"{folder}/open_clip_model.safetensors"
            return {"config": config, "weights": weights} | self.vocabulary()
        made = f"<results>/models/{self.id}/open_clip_model.safetensors"
        return {"weights": made} | self._given()


@dataclass(frozen=True)
class ZeroShotJob(Job):
    """The pretrained tower with a head over the classes of a task."""

    spec: dict
    script: ClassVar[str] = "zero_shot.py"

    @property
    def name(self) -> str:
        return self.spec["name"]

    def parameters(self, plan: "Plan") -> dict:
        return self.spec

    def inputs(self, plan: "Plan") -> Inputs:
        return plan.model.outputs()


@dataclass(frozen=True)
class RunJob(Job):
    """A training run.

    Attributes:
        spec: Its hyperparameters, with its variant, name and seed.
        train: Id of its training set.
        held_out: Id of the held-out set.
        start: Id of the classifier that it starts from; none from random weights.
        joint: Id of its second training set, if it has one.
        averages: Does it keep averages along the way?
    """

    spec: dict
    train: str
    held_out: str
    start: tuple[str, ...]
    joint: tuple[str, ...]
    averages: bool
    script: ClassVar[str] = "finetune.py"

    @property
    def name(self) -> str:
        return self.spec["name"]

    @property
    def rule(self) -> str:
        return "finetune_with_averages" if self.averages else "finetune"

    @property
    def training_sets(self) -> tuple[str, ...]:
        """Ids of the sets that it trains on."""
        return (self.train, *self.joint)

    def parameters(self, plan: "Plan") -> dict:
        return self.spec

    def follows(self) -> dict[str, tuple[str, ...]]:
        data = {
            "train": (self.train,),
            "held_out": (self.held_out,),
            "joint": self.joint,
        }
        return {**data, "start": self.start}

    def inputs(self, plan: "Plan") -> Inputs:
        # The adversary trains before all data sets are there, as it helps to make one.
        compared = [] if self.id in plan.adversaries else [Present(COMPARED)]
        return {
            **dataset_files([self.train], "train_"),
            **dataset_files([self.held_out], "held_out_"),
            **classifier_files(self.start, "start_"),
            **dataset_files(self.joint, "joint_"),
            "compared": compared,
        }

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (self.script, plugin_file("training/variants", self.spec["variant"]))

    def gpus(self, plan: "Plan", machine: Machine) -> int:
        several = variants.shared(self.spec["variant"])
        return machine.gpus if several else machine.gpu

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        images = plan.images_of(self.training_sets)
        gpus = self.gpus(plan, machine)
        needs = training(plan.size, self.spec, images, machine.threads, gpus)
        return needs.with_more(self._bytes_held(plan))

    def _bytes_held(self, plan: "Plan") -> int:
        """Two training sets at once are held in memory, one is read from its file."""
        if not self.joint:
            return 0
        held = 0
        for id in self.training_sets:
            side = plan.datasets[id].spec.get("side", plan.model.transform["side"])
            held += plan.images_of([id]) * 3 * side**2
        return 2 * held


@dataclass(frozen=True)
class CheckpointJob(Job):
    """A classifier that was trained elsewhere.

    Attributes:
        spec: What the config says of it.
        start: Id of the zero-shot model that it is compared with.
        files: Its file, if it is there already; one with an address is fetched.
    """

    spec: dict
    start: str
    files: tuple[str, ...]
    script: ClassVar[str] = "adopt_checkpoint.py"

    @property
    def name(self) -> str:
        return self.spec["name"]

    def parameters(self, plan: "Plan") -> dict:
        return self.spec

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {"start": (self.start,)}

    def inputs(self, plan: "Plan") -> Inputs:
        # Its content is in the id, so its date does not count.
        files = [Present(file) for file in self.files]
        return {**classifier_files([self.start], "start_"), "file": files}


@dataclass(frozen=True)
class SoupJob(Job):
    """A merge: a recipe over its ingredients, or a classifier of its own if it is not linear.

    Attributes:
        spec: The method with its options, and how it evaluates.
        start: Id of the model that the ingredients were trained from.
        ingredients: Ids of the runs and checkpoints that are merged.
        held_out: Id of the set on which choices are made.
        train: Id of the task's training set.
        reads_training: Does the method look at training images?
        writes_weights: Is it a classifier of its own?
        averages: Does the method take the averages along the runs?
    """

    spec: dict
    start: str
    ingredients: tuple[str, ...]
    held_out: str
    train: str
    reads_training: bool
    writes_weights: bool
    averages: bool

    @property
    def name(self) -> str:
        return self.spec["name"]

    @property
    def rule(self) -> str:
        return "merge" if self.writes_weights else "soup"

    @property
    def training_sets(self) -> tuple[str, ...]:
        """Id of the training set, for methods that look at it."""
        return (self.train,) if self.reads_training else ()

    @property
    def classifiers(self) -> tuple[str, ...]:
        """Ids of what its recipe may name: the start, then the ingredients."""
        return (self.start, *self.ingredients)

    def parameters(self, plan: "Plan") -> dict:
        return self.spec

    def follows(self) -> dict[str, tuple[str, ...]]:
        return {
            "start": (self.start,),
            "ingredients": self.ingredients,
            "held_out": (self.held_out,),
            "train": (self.train,),
        }

    def inputs(self, plan: "Plan") -> Inputs:
        inputs = {
            **dataset_files([self.held_out], "held_out_"),
            **dataset_files(self.training_sets, "train_"),
            **classifier_files(self.classifiers),
        }
        if self.writes_weights:
            ids = self.ingredients if self.averages else ()
            inputs["averages"] = [
                f"<results>/classifiers/{id}/averages.safetensors" for id in ids
            ]
        return {**inputs, "compared": [Present(COMPARED)]}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        return (f"{self.rule}.py", plugin_file("merging/methods", self.spec["method"]))

    def needs(self, plan: "Plan", machine: Machine, threads: int) -> Needs:
        # Some selections evaluate every prefix of the ingredients, others step through the data.
        recipes = 5 * (len(self.ingredients) + 5)
        images = plan.images_of([self.held_out])
        return evaluating(plan.size, recipes, images, machine.threads, machine.gpu)


def exported_vocabulary(model: ModelJob) -> list[str]:
    """Names of the vocabulary's files that an export of the whole model has beside its own."""
    return [Path(file).name for file in model.vocabulary().values()]
