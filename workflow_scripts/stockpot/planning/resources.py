"""What jobs ask of a cluster: memory and time, from the model, the images and the epochs.

Rough, and on the safe side: twice the time of the arithmetic. A job that still lacks some asks for
twice as much when it is tried again; ``set-resources`` of a profile has the last word.
"""

from typing import Any, Literal, NamedTuple

from ..runtime.errors import StockpotError

CPU_SPEED = 0.03e12  # operations per second that a thread gets done
GPU_SPEED = 15e12  # operations per second that a GPU gets done
START_MINUTES = 10  # minutes, for what does not grow
BASE_MB = 3000  # MB: Python, torch and the workflow itself
SAFETY = 2  # how much longer a job may take than its arithmetic
FLOAT_BYTES = 4  # of a number in float32

# A forward pass multiplies and adds once for each parameter and token; the backward pass does so
# twice, for the gradients of inputs and of weights.
FORWARD_OPERATIONS = 2
TRAINING_PASSES = 3
# A linear classifier on stored features needs the tower's forward pass only, with room to spare.
LINEAR_PASSES = 2
SAM_FACTOR = 2  # a second gradient at each step
DISTILLATION_FACTOR = 1.5  # a forward pass of the teacher at each step
# Copies of the weights while a run trains: weights, gradients, two moments, the start, and one to
# spare. Each average that is kept is a copy in float64, so it counts twice.
TRAINING_COPIES = 6
COPIES_PER_AVERAGE = 2
# Bytes of activations for each image, token, channel and layer while a CPU trains.
ACTIVATION_BYTES = 80
# Bytes for each parameter of an evaluated model: four copies in float32.
EVALUATION_BYTES = 16
DECODED_PER_SECOND = 100  # images, by one thread, at the least
DECODING_MB = 200  # of one thread


class Needs(NamedTuple):
    """Memory and time of a job.

    Attributes:
        mb: Megabytes of memory.
        minutes: Of time.
    """

    mb: int
    minutes: int

    def again(self, attempt: int) -> "Needs":
        """What an attempt asks for: twice as much as the one before it.

        Args:
            attempt: Number of the attempt, from 1.

        Returns:
            More memory and time.
        """
        factor = 2 ** (attempt - 1)
        return Needs(self.mb * factor, self.minutes * factor)

    def with_more(self, bytes_held: int) -> "Needs":
        """The same with more memory.

        Args:
            bytes_held: How much more.

        Returns:
            More memory, and the same time.
        """
        return Needs(
            self.mb + (bytes_held >> 20), self.minutes
        )  # 2**20 bytes a megabyte


class Machine(NamedTuple):
    """What the jobs of a study may use.

    Attributes:
        threads: Cores of one job.
        gpus: GPUs of one training run; other jobs use one at the most.
    """

    threads: int
    gpus: int

    @property
    def single_gpu(self) -> int:
        """GPUs of a job that cannot use several.

        Returns:
            0 or 1.
        """
        return min(self.gpus, 1)


def resolve_gpus(
    requested: int | Literal["auto"],
    profile: int | None,
    detected: int,
) -> int:
    """Decide how many GPUs a training run uses.

    ============  ==========  =========================================
    requested     profile     result
    ============  ==========  =========================================
    a number      any         that number
    "auto"        a number    that of the profile, which knows the nodes
    "auto"        None        what this machine has
    ============  ==========  =========================================

    Args:
        requested: The config's ``gpus``.
        profile: What set-resources of a profile gives the rule finetune, if it does.
        detected: GPUs of this machine, 0 or 1.

    Returns:
        Number of GPUs.
    """
    if requested != "auto":
        return requested
    # The machine that submits jobs to a cluster often has no GPU itself.
    return detected if profile is None else profile


def check_gpus(
    gpus: int,
    profile: int | None,
    limit: int | None,
) -> None:
    """Check that a run gets the GPUs that it uses.

    Args:
        gpus: What a training run uses.
        profile: What set-resources of a profile gives the rule finetune, if it does.
        limit: GPUs that all jobs together may use, if --resources says so.

    Raises:
        StockpotError: The profile gives another number, or the limit is lower.
    """
    if profile is not None and gpus != profile:
        raise StockpotError(
            f"gpus: {gpus}, but set-resources of the profile gives finetune gpu: {profile}"
        )
    # Snakemake lowers what a job asks for to the limit, and says nothing.
    if limit is not None and gpus > limit:
        raise StockpotError(
            f"gpus: {gpus}, but --resources gpu={limit}; give --resources gpu={gpus}"
        )


class ModelSize(NamedTuple):
    """Size of a model, as far as memory and time depend on it.

    Attributes:
        parameters: Of the image tower.
        tokens: How often each parameter is used for one image.
        width: Channels of a token.
        layers: Number of layers.
    """

    parameters: float
    tokens: float
    width: float
    layers: float


# Where nothing is known but a name, as of timm's models: about a ResNet-152.
UNKNOWN_SIZE = ModelSize(60e6, 200, 1024, 50)


def model_size(architecture: dict[str, Any]) -> ModelSize:
    """Estimate the size of a model.

    Args:
        architecture: Content of an open_clip_config.json.

    Returns:
        The size, exact to a few percent for ViTs.
    """
    vision = architecture.get("model_cfg", {}).get("vision_cfg", {})
    layers = vision.get("layers")
    width = vision.get("width", 64)
    # CLIP's ResNets have a list: blocks of each of the four stages.
    if isinstance(layers, list):
        return _resnet_size(layers, width)
    # Models of timm, and those that open_clip builds of other libraries.
    if not layers or "patch_size" not in vision:
        return UNKNOWN_SIZE
    patches_per_side = vision.get("image_size", 224) / vision["patch_size"]
    # One token for each patch, and the class token.
    tokens = patches_per_side**2 + 1
    # Each layer has four matrices of width * width for attention, and eight for its MLP.
    parameters = 12 * layers * width**2
    return ModelSize(parameters, tokens, width, layers)


def _resnet_size(
    layers: list[int],
    width: int,
) -> ModelSize:
    """Size of a ResNet of CLIP's, as multiple of RN50: width 64, 16 blocks, 38 million parameters.

    A block has three layers; the last stage has 16 times the width of the first.
    """
    blocks = sum(layers)
    scale = (width / 64) ** 2 * blocks / 16
    return ModelSize(
        parameters=38e6 * scale,
        tokens=140,
        width=16 * width,
        layers=3 * blocks,
    )


def _minutes(
    operations: float,
    threads: int,
    gpus: int,
) -> int:
    """Time for so many operations, with the start of a job."""
    # On a GPU the threads only prepare batches.
    speed = GPU_SPEED * gpus if gpus else CPU_SPEED * threads
    return START_MINUTES + round(SAFETY * operations / speed / 60)


def training(
    model: ModelSize,
    spec: dict[str, Any],
    images: int,
    threads: int,
    gpus: int,
) -> Needs:
    """Estimate the needs of one run.

    Args:
        model: Size of the model.
        spec: Its variant; epochs and batch_size if it has them; what lengthens a step.
        images: Of one epoch.
        threads: Cores of the run.
        gpus: GPUs of the run.

    Returns:
        Megabytes and minutes.
    """
    operations = _training_operations(model, spec, images)
    bytes_needed = FLOAT_BYTES * _weight_copies(spec) * model.parameters
    if not gpus:
        # Activations on a GPU are in its own memory.
        activation_bytes = (
            ACTIVATION_BYTES
            * spec.get("batch_size", 0)
            * model.tokens
            * model.width
            * model.layers
        )
        bytes_needed += activation_bytes
    megabytes = BASE_MB + round(bytes_needed / 1e6)
    return Needs(megabytes, _minutes(operations, threads, gpus))


def _training_operations(
    model: ModelSize,
    spec: dict[str, Any],
    images: int,
) -> float:
    """Operations of all steps of a run."""
    operations = FORWARD_OPERATIONS * model.parameters * model.tokens * images
    if spec["variant"].startswith("linear"):
        operations *= LINEAR_PASSES
    else:
        operations *= TRAINING_PASSES * spec.get("epochs", 1)
    if spec.get("sam_rho"):
        operations *= SAM_FACTOR
    if spec.get("distillation_weight"):
        operations *= DISTILLATION_FACTOR
    return operations


def _weight_copies(spec: dict[str, Any]) -> int:
    """How often the weights are in memory, in float32, while a run trains."""
    average_count = len(spec.get("ema_decays", ()))
    # swa_start is the fraction of the steps after which averaging begins; at 1 it never does.
    if spec.get("swa_start", 1) < 1:
        average_count += 1
    return TRAINING_COPIES + COPIES_PER_AVERAGE * average_count


def evaluating(
    model: ModelSize,
    recipes: int,
    images: int,
    threads: int,
    gpus: int,
) -> Needs:
    """Estimate the needs of an evaluation.

    Args:
        model: Size of the models.
        recipes: How many models are evaluated.
        images: How many images each of them sees.
        threads: Cores of the job.
        gpus: GPUs of the job.

    Returns:
        Megabytes and minutes.
    """
    operations = FORWARD_OPERATIONS * model.parameters * model.tokens * images
    operations *= recipes
    megabytes = BASE_MB + round(EVALUATION_BYTES * model.parameters / 1e6)
    return Needs(megabytes, _minutes(operations, threads, gpus))


def preparing(
    images: int,
    threads: int,
) -> Needs:
    """Estimate the needs of a job that decodes images.

    Args:
        images: How many images.
        threads: Cores of the job.

    Returns:
        Megabytes and minutes.
    """
    seconds = SAFETY * images / (DECODED_PER_SECOND * threads)
    return Needs(
        mb=BASE_MB + DECODING_MB * threads,
        minutes=START_MINUTES + round(seconds / 60),
    )
