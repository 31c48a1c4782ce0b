"""The card of a Classifier: what is known of it without its weights, and without torch."""

from dataclasses import dataclass, field
from pathlib import Path

from ..runtime.digest import canonical
from ..runtime.sealed import damaged, read_sealed

CARD = "classifier.json"
UNKNOWN_START = "unknown"


@dataclass
class Card:
    """What is known of a Classifier without opening its weights.

    architecture: see ``models.tower``. normalise: features to unit length before the head.
    mean, std: of the input pixels in [0, 1]; image_size, resize_mode, interpolation: what its
    images were before, see ``datasets.transform``.
    start: sha256 of the first model of the line that this one was trained in: the zero-shot
    model, whatever lies between ("" where it is itself the first, "unknown" where nobody knows).
    status: "ok", or how the run diverged. sha256: of the interface and all tensors;
    tower_sha256: of the tower's tensors. history: a row per epoch, with held-out n and k.
    """

    name: str
    kind: str
    architecture: dict
    class_names: list[str]
    normalise: bool
    mean: list[float]
    std: list[float]
    image_size: int
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    start: str = ""
    spec: dict = field(default_factory=dict)
    status: str = "ok"
    sha256: str = ""
    tower_sha256: str = ""
    history: list[dict] = field(default_factory=list)

    def origin(self) -> str:
        """SHA-256 of the weights that all of its line share: its start, or its own."""
        return self.start or self.sha256

    def interface(self) -> str:
        """All that a prediction follows from beside the weights, as canonical text."""
        names = (
            "architecture",
            "class_names",
            "normalise",
            "mean",
            "std",
            "image_size",
            "resize_mode",
            "interpolation",
        )
        return canonical({name: getattr(self, name) for name in names})


def read_card(folder: str | Path) -> Card:
    """Raises StockpotError for a card that is missing or damaged, or another model's."""
    content = read_sealed(Path(folder) / CARD, remove=folder)
    try:
        return Card(**content)
    except TypeError as error:
        raise damaged(Path(folder) / CARD, str(error), folder) from error
