"""What a run needs to go on as if it had never been stopped, on disk."""

import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from ..files import atomic
from .processes import Processes

log = logging.getLogger(__name__)

SAVE_EVERY = 600  # seconds between two saves within an epoch


@dataclass
class Place:
    """How far a run is: the epochs that are done, and of the next one the steps, the sum of their
    losses, and the state of the generator that it draws from."""

    history: list[dict] = field(default_factory=list)
    step: int = 0
    loss: float = 0.0
    draws: torch.Tensor | None = None


class State:
    """The file of one run's state; ``parts`` are its model, its optimizer and its averages."""

    def __init__(self, parts: dict, folder: Path, processes: Processes):
        self.parts, self.processes = parts, processes
        self.path = Path(folder) / "state.pt"
        self.saved = time.monotonic()

    def load(self) -> Place:
        """Where the run was left, its parts as they were then; else its beginning."""
        saved = None
        if self.processes.first and self.path.exists():
            saved = torch.load(self.path, weights_only=True, map_location="cpu")
        saved = self.processes.agreed(saved)
        if saved is None:
            return Place()
        for name, part in self.parts.items():
            part.load_state_dict(saved[name])
        place = Place(**saved["place"])
        log.info("resumed after epoch %d, step %d", len(place.history), place.step)
        return place

    def due(self) -> bool:
        return time.monotonic() - self.saved >= SAVE_EVERY

    def save(self, place: Place, generator: torch.Generator) -> None:
        place.draws = generator.get_state()
        self.saved = time.monotonic()
        if self.processes.first:
            parts = {name: part.state_dict() for name, part in self.parts.items()}
            with atomic(self.path) as path:
                torch.save({**parts, "place": asdict(place)}, path)
