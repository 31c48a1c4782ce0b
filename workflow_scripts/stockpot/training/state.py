"""What a run needs to go on as if it had never been stopped, on disk."""

import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from ..datasets.disk import require_space
from ..runtime.atomic_files import wait_for
from .processes import Processes
from .saved import read_state, write_state

log = logging.getLogger(__name__)

SAVE_EVERY = 600  # seconds between two saves within an epoch


@dataclass
class Place:
    """How far a run is: the epochs that are done, and of the next one the steps, the sum of their
    losses, and the states of the generators: of the data, and of the model's own noise."""

    history: list[dict] = field(default_factory=list)
    step: int = 0
    loss: float = 0.0
    draws: torch.Tensor | None = None
    noise: list[torch.Tensor] = field(default_factory=list)


class State:
    """The file of one run's state; ``parts`` are its model, its optimizer and its averages."""

    def __init__(self, parts: dict, folder: Path, processes: Processes, device="cpu"):
        self.parts, self.processes = parts, processes
        self.device = device
        self.on_gpu = torch.device(device).type == "cuda"
        self.path = Path(folder) / "state.pt"
        self.saved = time.monotonic()

    def load(self) -> Place:
        """Where the run was left, its parts as they were then; else its beginning.

        A state that is damaged, for any of the processes, is none.
        """
        if not self.processes.agreed(self.path.exists()):
            return Place()
        wait_for(self.path)
        saved = read_state(self.path)
        (lost,) = self.processes.sum([float(saved is None)], self.device)
        if lost:
            return Place()
        for name, part in self.parts.items():
            part.load_state_dict(saved[name])
        place = Place(**saved["progress"])
        log.info("resumed after epoch %d, step %d", len(place.history), place.step)
        return place

    def require_room(self, model: torch.nn.Module, averages: int) -> None:
        """Raises StockpotError where the disk has no room for what the run will write.

        That is two states, as a new one is written beside the old one, the weights and the
        averages. A state holds the weights, two moments of each, and the averages.

        averages: bytes of all averages.
        """
        weights = sum(tensor.nbytes for tensor in model.state_dict().values())
        state = 3 * weights + averages
        there = self.path.stat().st_size if self.path.exists() else 0
        if self.processes.first:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            needed = 2 * state - there + weights + averages
            require_space(self.path.parent, needed, f"{self.path}: training")

    def begin(self, place: Place, generator: torch.Generator, seed: int) -> None:
        """Let an epoch draw from its seed, or from where it was left.

        Dropout and the like draw from torch's own generators, on each process something else.
        """
        torch.manual_seed(seed + 1_000_000_007 * self.processes.rank + place.step)
        if place.step:
            generator.set_state(place.draws)
        if place.step and self.processes.first:
            torch.set_rng_state(place.noise[0])
            if self.on_gpu and len(place.noise) > 1:
                torch.cuda.set_rng_state(place.noise[1])

    def due(self) -> bool:
        return time.monotonic() - self.saved >= SAVE_EVERY

    def save(self, place: Place, generator: torch.Generator) -> None:
        place.draws, place.noise = generator.get_state(), [torch.get_rng_state()]
        place.noise += [torch.cuda.get_rng_state()] if self.on_gpu else []
        self.saved = time.monotonic()
        if self.processes.first:
            parts = {name: part.state_dict() for name, part in self.parts.items()}
            write_state(self.path, {**parts, "progress": asdict(place)})
