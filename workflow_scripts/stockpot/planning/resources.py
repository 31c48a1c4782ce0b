"""What jobs ask of a cluster: memory and time, from the model, the images and the epochs.

Rough, and on the safe side: twice the time of the arithmetic. A job that still lacks some asks for
twice as much when it is tried again; ``set-resources`` of a profile has the last word.
"""

from typing import NamedTuple

CPU, GPU = 0.03e12, 15e12  # operations per second that a thread and a GPU get done
START = 10  # minutes, for what does not grow
BASE = 3000  # MB: Python, torch and the workflow itself


class Needs(NamedTuple):
    """mb: memory; minutes: of time."""

    mb: int
    minutes: int

    def again(self, attempt: int) -> "Needs":
        """Of the nth try."""
        return Needs(self.mb * 2 ** (attempt - 1), self.minutes * 2 ** (attempt - 1))


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
        forward * passes * (2 if spec.get("sam") else 1) * (1.5 if spec.get("distill") else 1)
    )
    # Weights, gradients, two moments, the start, and each average that is kept.
    averages = len(spec.get("ema", ())) + (spec.get("swa", 1) < 1)
    copies = 6 + 2 * averages  # which are kept in float64
    batch = (
        0 if gpus else 80 * spec.get("batch_size", 0) * model.tokens * model.width * model.layers
    )
    mb = BASE + round((4 * copies * model.parameters + batch) / 1e6)
    return Needs(mb, _minutes(operations, threads, gpus))


def evaluating(model: Model, recipes: int, images: int, threads: int, gpus: int) -> Needs:
    """So many models on so many images each."""
    operations = 2 * model.parameters * model.tokens * images * recipes
    mb = BASE + round(16 * model.parameters / 1e6)
    return Needs(mb, _minutes(operations, threads, gpus))


def preparing(images: int, threads: int) -> Needs:
    """Images decoded, a hundred per second and thread at the least."""
    return Needs(BASE + 200 * threads, START + round(2 * images / (100 * threads) / 60))
