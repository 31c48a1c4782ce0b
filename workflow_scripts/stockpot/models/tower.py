"""Image towers from their description: open_clip's image encoders and timm's classifiers."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from ..runtime.errors import StockpotError
from .clip import create_clip
from .files import CONFIG
from .third_party import timm

# The libraries that towers come from.
OPEN_CLIP = "open_clip"
TIMM = "timm"

MAX_PIXEL = 255  # of uint8


def build_tower(architecture: dict[str, Any]) -> torch.nn.Module:
    """Build an image tower with random weights.

    Args:
        architecture: {"library": "open_clip", "config": the content of an open_clip_config.json}
            or {"library": "timm", "name": ..., "options": {...}}.

    Returns:
        A module, float32: [n, 3, h, w] -> features [n, d].

    Raises:
        StockpotError: The library is neither, or cannot build the tower.
    """
    library = architecture["library"]
    if library == OPEN_CLIP:
        # open_clip reads a config only from a folder.
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / CONFIG).write_text(json.dumps(architecture["config"]))
            return create_clip(folder, load_weights=False).visual
    if library == TIMM:
        name = architecture["name"]
        options = architecture["options"]
        try:
            return timm.create_model(name, num_classes=0, **options)
        except Exception as error:  # timm's models raise whatever their options cause
            raise StockpotError(
                f"architecture: timm cannot build '{name}' with options "
                f"{options} ({error})"
            ) from error
    raise StockpotError(
        f"architecture.library: '{library}' is not one of {OPEN_CLIP}, {TIMM}"
    )


class ImageClassifier(torch.nn.Module):
    """Image tower and linear head; the head and the normalisation stay in float32.

    With ``normalise`` the logits are those of WiSE-FT section 3: unit features times head
    weights that carry the logit scale.

    Attributes:
        visual: The tower.
        head: The head.
        normalise: Whether features have unit length before the head.
        autocast: Whether the tower computes in bf16, from and to weights in float32.
    """

    def __init__(
        self,
        visual: torch.nn.Module,
        features: int,
        classes: int,
        *,
        normalise: bool,
    ):
        """Put a random head on a tower.

        Args:
            visual: The tower.
            features: Length of the tower's output.
            classes: The number of classes.
            normalise: Whether features have unit length before the head.
        """
        super().__init__()
        self.visual = visual
        self.head = torch.nn.Linear(features, classes)
        self.normalise = normalise
        self.autocast = False

    def reset_head(self, seed: int) -> None:
        """Make the head random, as torch begins a linear layer.

        Args:
            seed: The head depends on nothing else.
        """
        # torch draws it from its global generator, whose state is put back afterwards.
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            random_head = torch.nn.Linear(self.head.in_features, self.head.out_features)
        self.head.load_state_dict(random_head.state_dict())

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Compute what the head sees.

        Args:
            images: float [n, 3, h, w].

        Returns:
            float32 [n, d], of unit length where ``normalise`` is set.
        """
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.autocast):
            features = self.visual(images)
        # bf16 has 8 bits; the logit scale would make their rounding 100 times as large.
        features = features.float()
        if self.normalise:
            return functional.normalize(features, dim=-1)
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            images: float [n, 3, h, w].

        Returns:
            float32 [n, classes].
        """
        return self.head(self.features(images))


def resized(x: torch.Tensor, side: int) -> torch.Tensor:
    """Resize images that are stored larger than the model wants them, to crop from.

    Args:
        x: float [n, 3, s, s].
        side: Height and width of the result.

    Returns:
        The whole images, float [n, 3, side, side].
    """
    # Resizing to the same size would change the numbers slightly.
    if x.shape[-1] == side:
        return x
    return functional.interpolate(
        x,
        (side, side),
        mode="bicubic",
        antialias=True,
    )


class Normaliser:
    """Normalises the pixels of decoded images.

    (v / 255 - mean) / std = v scale + shift, with one multiplication and one addition per pixel.

    Attributes:
        scale: 1 / (255 std) per channel.
        shift: -mean / std per channel.
        dtype: The type of the result.
    """

    def __init__(
        self,
        mean: list[float],
        std: list[float],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        """Compute scale and shift.

        Args:
            mean: Means of the pixels in [0, 1], per channel.
            std: Standard deviations of the pixels in [0, 1], per channel.
            device: Where the images will be.
            dtype: The type of the result.
        """
        means = torch.tensor(mean)
        deviations = torch.tensor(std)
        self.scale = (1 / (MAX_PIXEL * deviations)).to(device)
        self.shift = (-means / deviations).to(device)
        self.dtype = dtype

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise a batch.

        Args:
            images: uint8 [n, h, w, 3].

        Returns:
            Numbers of ``dtype`` [n, 3, h, w].
        """
        image_count, height, width, channels = images.shape
        # Whole rows of pixels at once: with three channels as the last axis torch takes 7 times
        # as long for the same numbers.
        rows = images.reshape(image_count, height, width * channels).float()
        row_shift = self.shift.repeat(width)
        row_scale = self.scale.repeat(width)
        normalised = torch.addcmul(row_shift, rows, row_scale).to(self.dtype)
        channels_last = normalised.view(image_count, height, width, channels)
        return channels_last.permute(0, 3, 1, 2)
