"""What jobs ask of a cluster: memory and time, from the model, the images and the epochs.

Rough, and on the safe side: twice the time of the arithmetic. A job that still lacks some asks for
twice as much when it is tried again; ``set-resources`` of a profile has the last word.
"""

from typing import NamedTuple

from ..runtime.errors import StockpotError

CPU, GPU = 0.03e12, 15e12  # operations per second that a thread and a GPU get done
START = 10  # minutes, for what does not grow
BASE = 3000  # MB: Python, torch and the workflow itself


class Needs(NamedTuple):
    """Memory and time of a job.

    Attributes:
        mb: Megabytes of memory.
        minutes: Of time.
    """

    mb: int
    minutes: int

    def again(self, attempt: int) -> "Needs":
        """What a try asks for: twice as much as the one before it.

        Args:
            attempt: Number of the try, from 1.
        """
        return Needs(self.mb * 2 ** (attempt - 1), self.minutes * 2 ** (attempt - 1))

    def with_more(self, bytes_held: int) -> "Needs":
        """The same with more memory.

        Args:
            bytes_held: How much more.
        """
        return Needs(self.mb + (bytes_held >> 20), self.minutes)


class Machine(NamedTuple):
    """What the jobs of a study may use.

    Attributes:
        threads: Cores of one job.
        gpus: GPUs of one training run; other jobs use one at the most.
    """

    threads: int
    gpus: int

    @property
    def gpu(self) -> int:
        """GPUs of a job that cannot use several."""
        return min(self.gpus, 1)


def resolve_gpus(requested: int | str, profile: int | None, detected: int) -> int:
    """How many GPUs a training run uses.

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
    """
    if requested != "auto":
        return requested
    return detected if profile is None else profile


def check_gpus(gpus: int, profile: int | None, limit: int | None) -> None:
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
    if limit is not None and gpus > limit:
        raise StockpotError(
            f"gpus: {gpus}, but --resources gpu={limit}; give --resources gpu={gpus}"
        )


class Model(NamedTuple):
    """parameters: of the image tower; tokens: how often each is used for one image."""

    parameters: float
    tokens: float
    width: float
    layers: float


# Where nothing is known but a name, as of timm's models: about a ResNet-152.
UNKNOWN = Model(60e6, 200, 1024, 50)


def model(architecture: dict) -> Model:
    """Estimated from an open_clip_config.json: exact to a few percent for ViTs."""
    vision = architecture.get("model_cfg", {}).get("vision_cfg", {})
    layers, width = vision.get("layers"), vision.get("width", 64)
    if isinstance(layers, list):  # a ResNet of CLIP's
        scale = (width / 64) ** 2 * sum(layers) / 16
        return Model(38e6 * scale, 140, 16 * width, 3 * sum(layers))
    if not layers or "patch_size" not in vision:
        return UNKNOWN
    tokens = (vision.get("image_size", 224) / vision["patch_size"]) ** 2 + 1
    return Model(12 * layers * width**2, tokens, width, layers)


def _minutes(operations: float, threads: int, gpus: int) -> int:
    speed = GPU * gpus if gpus else CPU * threads
    return START + round(2 * operations / speed / 60)


def training(model: Model, spec: dict, images: int, threads: int, gpus: int) -> Needs:
    """One run. spec: its variant, epochs and batch_size if it has them, what lengthens a step."""
    forward = 2 * model.parameters * model.tokens * images
    passes = 3 * spec.get("epochs", 1)
    if spec["variant"].startswith("linear"):
        passes = 2
    operations = (
        forward
        * passes
        * (2 if spec.get("sam") else 1)
        * (1.5 if spec.get("distill") else 1)
    )
    # Weights, gradients, two moments, the start, and each average that is kept.
    averages = len(spec.get("ema", ())) + (spec.get("swa", 1) < 1)
    copies = 6 + 2 * averages  # which are kept in float64
    batch = (
        0
        if gpus
        else 80 * spec.get("batch_size", 0) * model.tokens * model.width * model.layers
    )
    mb = BASE + round((4 * copies * model.parameters + batch) / 1e6)
    return Needs(mb, _minutes(operations, threads, gpus))


def evaluating(
    model: Model, recipes: int, images: int, threads: int, gpus: int
) -> Needs:
    """So many models on so many images each."""
    operations = 2 * model.parameters * model.tokens * images * recipes
    mb = BASE + round(16 * model.parameters / 1e6)
    return Needs(mb, _minutes(operations, threads, gpus))


def preparing(images: int, threads: int) -> Needs:
    """Images decoded, a hundred per second and thread at the least."""
    return Needs(BASE + 200 * threads, START + round(2 * images / (100 * threads) / 60))
