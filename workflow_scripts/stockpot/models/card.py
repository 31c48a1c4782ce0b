"""The card of a classifier: what is known of it without its weights, and without torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..runtime.digest import canonical
from ..runtime.sealed import damaged, read_sealed

CARD = "classifier.json"
UNKNOWN_LINEAGE = "unknown"

# The fields that predictions depend on, beside the weights.
INTERFACE = (
    "architecture",
    "class_names",
    "normalise",
    "mean",
    "std",
    "image_size",
    "resize_mode",
    "interpolation",
)


@dataclass
class Card:
    """What is known of a classifier without opening its weights.

    Attributes:
        name: Its name in the study.
        kind: How it was made: a training variant, a merge method, "zero-shot".
        architecture: The tower, see ``models.tower``.
        class_names: Classes in the order of the head's rows.
        normalise: Whether features have unit length before the head.
        mean: Means of the input pixels in [0, 1], per channel.
        std: Standard deviations of the input pixels in [0, 1], per channel.
        image_size: Height and width of its images in pixels.
        resize_mode: How images were made square, see ``datasets.transform``.
        interpolation: How images were resized, see ``datasets.transform``.
        start: SHA-256 of the zero-shot model of its lineage, whatever lies between; "" where it
            is the zero-shot model itself, "unknown" where nobody knows.
        spec: The hyperparameters or options that it was made with.
        status: "ok", or how the run diverged.
        sha256: Digest of the interface and of all tensors.
        tower_sha256: Digest of the tower's tensors.
        history: A row per epoch, with held_out_n (images) and held_out_k (correct ones).
    """

    name: str
    kind: str
    architecture: dict[str, Any]
    class_names: list[str]
    normalise: bool
    mean: list[float]
    std: list[float]
    image_size: int
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    start: str = ""
    spec: dict[str, Any] = field(default_factory=dict)
    status: str = "ok"
    sha256: str = ""
    tower_sha256: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)

    def origin(self) -> str:
        """Identify the lineage.

        Returns:
            SHA-256 of the zero-shot model of the lineage: ``start``, or the model's own.
        """
        return self.start or self.sha256

    def interface(self) -> str:
        """Describe all that predictions depend on, beside the weights.

        Returns:
            Canonical JSON.
        """
        return canonical({name: getattr(self, name) for name in INTERFACE})


def read_card(folder: str | Path) -> Card:
    """Read the card of a classifier.

    Args:
        folder: The folder of the classifier.

    Returns:
        The card.

    Raises:
        StockpotError: The card is missing, damaged, or another model's.
    """
    path = Path(folder) / CARD
    # The seal shows damage, and a card that was copied from another folder.
    content = read_sealed(path, remove=folder)
    try:
        return Card(**content)
    except TypeError as error:  # a field too many or too few
        raise damaged(path, str(error), folder) from error
