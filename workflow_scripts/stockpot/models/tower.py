"""Image towers from their description: open_clip's image encoders and timm's classifiers."""

import json
import tempfile
from pathlib import Path

import torch
from torch.nn import functional

from ..runtime.errors import StockpotError
from .clip import create_clip
from .files import CONFIG
from .openclip import timm

OPEN_CLIP, TIMM = "open_clip", "timm"


def build_tower(architecture: dict) -> torch.nn.Module:
    """An image tower with random weights, float32: [n, 3, h, w] -> features [n, d].

    architecture: {"library": "open_clip", "config": the content of an open_clip_config.json}
    or {"library": "timm", "name": ..., "options": {...}}.
    """
    library = architecture["library"]
    if library == OPEN_CLIP:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / CONFIG).write_text(json.dumps(architecture["config"]))
            return create_clip(folder, load_weights=False).visual
    if library == TIMM:
        try:
            return timm.create_model(
                architecture["name"], num_classes=0, **architecture["options"]
            )
        except (
            Exception
        ) as error:  # timm's models raise whatever their options run into
            raise StockpotError(
                f"architecture: timm cannot build '{architecture['name']}' with options "
                f"{architecture['options']} ({error})"
            ) from error
    raise StockpotError(
        f"architecture.library: '{library}' is not one of {OPEN_CLIP}, {TIMM}"
    )


class ImageClassifier(torch.nn.Module):
    """Image tower and linear head; the head and the normalisation stay in float32.

    With ``normalise`` the logits are those of WiSE-FT section 3: unit features times head
    weights that carry the logit scale.
    """

    def __init__(
        self, visual: torch.nn.Module, features: int, classes: int, normalise: bool
    ):
        super().__init__()
        self.visual = visual
        self.head = torch.nn.Linear(features, classes)
        self.normalise = normalise
        self.autocast = (
            False  # the tower's arithmetic in bf16, from and to weights in float32
        )

    def reset_head(self, seed: int) -> None:
        """A random head, as torch begins a linear layer; it follows from the seed alone."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            fresh = torch.nn.Linear(self.head.in_features, self.head.out_features)
        self.head.load_state_dict(fresh.state_dict())

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """float [n, 3, h, w] -> float32 [n, d], unit length where the model asks for it."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.autocast):
            features = self.visual(images)
        features = features.float()
        return functional.normalize(features, dim=-1) if self.normalise else features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """float [n, 3, h, w] -> float32 logits [n, classes]."""
        return self.head(self.features(images))


def fitted(x: torch.Tensor, side: int) -> torch.Tensor:
    """[n, 3, s, s] -> [n, 3, side, side]: images that are stored larger, to crop from, as seen
    without a crop."""
    if x.shape[-1] == side:
        return x
    return functional.interpolate(x, (side, side), mode="bicubic", antialias=True)


class Normaliser:
    """uint8 [n, h, w, 3] on any device -> normalised [n, 3, h, w] of the wanted type."""

    def __init__(
        self, mean: list[float], std: list[float], device="cpu", dtype=torch.float32
    ):
        self.scale = (1 / (255 * torch.tensor(std))).to(device)
        self.shift = (-torch.tensor(mean) / torch.tensor(std)).to(device)
        self.dtype = dtype

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        n, height, width, channels = images.shape
        # Whole rows of pixels at once: with three channels as the last axis torch takes 7 times
        # as long for the same numbers.
        rows = images.reshape(n, height, width * channels).float()
        x = torch.addcmul(self.shift.repeat(width), rows, self.scale.repeat(width))
        return x.to(self.dtype).view(n, height, width, channels).permute(0, 3, 1, 2)
