"""Jobs that make classifiers and recipes: zero-shot heads, runs, checkpoints, soups."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..training import variants
from .jobs import (
    COMPARED,
    Inputs,
    Job,
    Parents,
    Present,
    Spec,
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
        transform: How images are resized for it: image_size, resize_mode, interpolation.
        files: What is there already: config, vocabulary, weights, checkpoint -> path.
        architecture: The content of its open_clip_config.json.
        has_text: Has it a text side, which prompts are for?
        pretraining: How its weights are trained, if they are.
        imported: How its weights are fetched or read, if they are.
    """

    key: str
    transform: dict[str, str | int]
    files: dict[str, str]
    architecture: dict[str, Any]
    has_text: bool
    pretraining: dict[str, Any] | None = None
    imported: dict[str, Any] | None = None

    @property
    def rule(self) -> str:
        """Name of the rule that makes the weights.

        Returns:
            "" where they are there already.
        """
        if self.imported:
            return "import_model"
        return "pretrain" if self.pretraining else ""

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            How the weights are imported or trained.
        """
        return self.imported or self.pretraining or {}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files that weights are made from; see ``Job.inputs``.

        Returns:
            Name of an input -> its file.
        """
        files = self._existing_files()
        if self.imported:
            # The architecture is among the parameters, so only the weights are read.
            files = _only(files, "checkpoint")
        return {**files}

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script that makes the weights; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        if not self.rule:
            return ()
        return (f"{self.rule}.py",)

    def _existing_files(self) -> dict[str, str]:
        """Its files that are there already. Their content is in ``key``, so no date counts."""
        return {name: Present(file) for name, file in self.files.items()}

    def vocabulary(self) -> dict[str, str]:
        """The vocabulary of its tokenizer.

        Returns:
            "vocabulary" -> the file; {} where the model uses the standard one.
        """
        return _only(self._existing_files(), "vocabulary")

    def outputs(self) -> dict[str, str]:
        """The files of the model, given or made here.

        Returns:
            "config", "weights" and, where it has one of its own, "vocabulary" -> the file.
        """
        files = self._existing_files()
        if self.imported:
            # The importer writes a folder that open_clip can load.
            folder = f"<results>/imported/{self.id}"
            return {
                "config": files.get("config", f"{folder}/open_clip_config.json"),
                "weights": f"{folder}/open_clip_model.safetensors",
                **self.vocabulary(),
            }
        # Weights that are there already take the place of those that would be trained.
        trained = f"<results>/models/{self.id}/open_clip_model.safetensors"
        return {"weights": trained, **files}


def _only(
    files: dict[str, str],
    wanted_name: str,
) -> dict[str, str]:
    """The input of one name, if it is there."""
    return {name: file for name, file in files.items() if name == wanted_name}


@dataclass(frozen=True)
class ZeroShotJob(Job):
    """The pretrained tower with a head over the classes of a task.

    Attributes:
        spec: Its name, classes and prompts; without a text side, the seed of its random head.
    """

    spec: Spec
    script: ClassVar[str] = "zero_shot.py"

    @property
    def name(self) -> str:
        """What tables call the model.

        Returns:
            "zero-shot", with the task if it is not the study's own.
        """
        return self.spec["name"]

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the pretrained model; see ``Job.inputs``.

        Returns:
            Name of an input -> its file.
        """
        return {**plan.model.outputs()}


@dataclass(frozen=True)
class RunJob(Job):
    """A training run.

    Attributes:
        spec: Its hyperparameters, with its variant, name and seed.
        train: Id of its training set.
        held_out: Id of the held-out set.
        start: Id of the classifier that it starts from; none from random weights.
        second_dataset: Id of its second training set, if it has one.
        averages: Does it keep averages along the way?
    """

    spec: Spec
    train: str
    held_out: str
    start: tuple[str, ...]
    second_dataset: tuple[str, ...]
    averages: bool
    script: ClassVar[str] = "finetune.py"

    @property
    def name(self) -> str:
        """What the config calls the run.

        Returns:
            Name of the run.
        """
        return self.spec["name"]

    @property
    def rule(self) -> str:
        """Name of the rule that runs the job.

        Returns:
            Another one where the run writes its averages too.
        """
        return "finetune_with_averages" if self.averages else "finetune"

    @property
    def training_sets(self) -> tuple[str, ...]:
        """The sets that it trains on.

        Returns:
            Their ids, one or two.
        """
        return (self.train, *self.second_dataset)

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec

    def follows(self) -> Parents:
        """The data sets and the initial weights; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {
            "train": (self.train,),
            "held_out": (self.held_out,),
            "second_dataset": self.second_dataset,
            "start": self.start,
        }

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the data sets and of the initial weights; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        # The adversary trains before all data sets are there, as it helps to make one.
        compared = [] if self.id in plan.adversaries else [Present(COMPARED)]
        return {
            **dataset_files([self.train], "train_"),
            **dataset_files([self.held_out], "held_out_"),
            **classifier_files(self.start, "start_"),
            **dataset_files(self.second_dataset, "second_dataset_"),
            "compared": compared,
        }

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script and the variant; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        variant_file = plugin_file("training/variants", self.spec["variant"])
        return (self.script, variant_file)

    def gpus(
        self,
        plan: "Plan",
        machine: Machine,
    ) -> int:
        """How many GPUs the run can use; see ``Job.gpus``.

        Returns:
            All of a run, or one for a variant that cannot share its work.
        """
        # Linear classifiers on stored features are trained in a moment, on one device.
        can_use_several = variants.shared(self.spec["variant"])
        return machine.gpus if can_use_several else machine.single_gpu

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Memory and time of the training; see ``Job.needs``.

        Returns:
            Megabytes and minutes.
        """
        needs = training(
            plan.size,
            self.spec,
            images=plan.images_of(self.training_sets),
            threads=machine.threads,
            gpus=self.gpus(plan, machine),
        )
        return needs.with_more(self._bytes_held(plan))

    def _bytes_held(self, plan: "Plan") -> int:
        """Bytes of images in memory: two training sets are held there, one is read from its file.

        Each image has a byte for each of its three channels and side * side pixels.
        """
        if not self.second_dataset:
            return 0
        # Each set may be stored in a size of its own.
        image_bytes = 0
        for dataset in self.training_sets:
            spec = plan.datasets[dataset].spec
            side = spec.get("image_size", plan.model.transform["image_size"])
            image_bytes += plan.images_of([dataset]) * 3 * side**2
        # Twice that while the two sets are put together.
        return 2 * image_bytes


@dataclass(frozen=True)
class CheckpointJob(Job):
    """A classifier that was trained elsewhere.

    Attributes:
        spec: What the config says of it.
        start: Id of the zero-shot model that it is compared with.
        files: Its file, if it is there already; one with an address is fetched.
    """

    spec: Spec
    start: str
    files: tuple[str, ...]
    script: ClassVar[str] = "adopt_checkpoint.py"

    @property
    def name(self) -> str:
        """What the config calls the checkpoint.

        Returns:
            Name of the checkpoint.
        """
        return self.spec["name"]

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec

    def follows(self) -> Parents:
        """The zero-shot model; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {"start": (self.start,)}

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the zero-shot model and of the checkpoint; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        # The content of the checkpoint is in the id, so its date does not count.
        files = [Present(file) for file in self.files]
        return {
            **classifier_files([self.start], "start_"),
            "file": files,
        }


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

    spec: Spec
    start: str
    ingredients: tuple[str, ...]
    held_out: str
    train: str
    reads_training: bool
    writes_weights: bool
    averages: bool

    @property
    def name(self) -> str:
        """What the config calls the soup.

        Returns:
            Name of the soup.
        """
        return self.spec["name"]

    @property
    def rule(self) -> str:
        """Name of the rule that runs the job.

        Returns:
            That of recipes, or that of merges which write a classifier.
        """
        return "merge" if self.writes_weights else "soup"

    @property
    def training_sets(self) -> tuple[str, ...]:
        """The training set, for methods that look at it.

        Returns:
            Its id, or nothing.
        """
        return (self.train,) if self.reads_training else ()

    @property
    def classifiers(self) -> tuple[str, ...]:
        """What its recipe may name.

        Returns:
            Ids of the start and of the ingredients, in this order.
        """
        return (self.start, *self.ingredients)

    def parameters(self, plan: "Plan") -> Spec:
        """What the script is told; see ``Job.parameters``.

        Returns:
            The spec.
        """
        return self.spec

    def follows(self) -> Parents:
        """The models and the data sets; see ``Job.follows``.

        Returns:
            Role -> ids.
        """
        return {
            "start": (self.start,),
            "ingredients": self.ingredients,
            "held_out": (self.held_out,),
            "train": (self.train,),
        }

    def inputs(self, plan: "Plan") -> Inputs:
        """The files of the data sets and of the models; see ``Job.inputs``.

        Returns:
            Name of an input -> its files.
        """
        inputs = {
            **dataset_files([self.held_out], "held_out_"),
            **dataset_files(self.training_sets, "train_"),
            **classifier_files(self.classifiers),
        }
        if self.writes_weights:
            # The rule of merges has this input even where it names no file.
            inputs["averages"] = self._average_files()
        inputs["compared"] = [Present(COMPARED)]
        return inputs

    def _average_files(self) -> list[str]:
        """The averages that the ingredients kept while they were trained."""
        if not self.averages:
            return []
        files = []
        for run in self.ingredients:
            files.append(f"<results>/classifiers/{run}/averages.safetensors")
        return files

    def code(self, plan: "Plan") -> tuple[str, ...]:
        """The script and the method; see ``Job.code``.

        Returns:
            Files below workflow_scripts/.
        """
        method_file = plugin_file("merging/methods", self.spec["method"])
        return (f"{self.rule}.py", method_file)

    def needs(
        self,
        plan: "Plan",
        machine: Machine,
        threads: int,
    ) -> Needs:
        """Memory and time of the selection; see ``Job.needs``.

        Returns:
            Megabytes and minutes.
        """
        # Some selections evaluate every prefix of the ingredients, others step through the data.
        model_count = 5 * (len(self.ingredients) + 5)
        return evaluating(
            plan.size,
            recipes=model_count,
            images=plan.images_of([self.held_out]),
            threads=machine.threads,
            gpus=machine.single_gpu,
        )


def exported_vocabulary(model: ModelJob) -> list[str]:
    """Name the files of the vocabulary that an export of the whole model has beside its own.

    Args:
        model: The pretrained model.

    Returns:
        Names without folders.
    """
    return [Path(file).name for file in model.vocabulary().values()]
