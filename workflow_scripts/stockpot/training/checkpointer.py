"""The file that lets a stopped run go on as if it had never been stopped."""

import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from ..datasets.disk import require_space
from ..runtime.atomic_files import wait_for
from .distributed import Distributed
from .state_file import read_state, write_state

log = logging.getLogger(__name__)

SAVE_EVERY = 600  # seconds between two saves within an epoch

# Each process draws its own noise: a prime, so that no process has the seed of another's epoch.
PROCESS_STRIDE = 1_000_000_007


class Checkpointed(Protocol):
    """What a state can hold: a model, an optimizer, or the averages of a run."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that the object has to remember."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Set the object to what ``state_dict`` returned."""


@dataclass
class TrainingProgress:
    """How far a run is.

    Attributes:
        history: One row for each epoch that is done.
        step: Steps of the next epoch that are done.
        loss_sum: Sum of the losses of these steps' examples.
        data_rng_state: State of the generator of batches and augmentation; None at the beginning.
        torch_rng_states: States of torch's own generators, which dropout and the like draw from:
            of the CPU, and of the GPU if there is one.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    step: int = 0
    loss_sum: float = 0.0
    data_rng_state: torch.Tensor | None = None
    torch_rng_states: list[torch.Tensor] = field(default_factory=list)


class Checkpointer:
    """Writes and reads the state of one run.

    Attributes:
        checkpointed: Name -> model, optimizer or averages of the run.
        processes: The processes of the run; only the main one writes.
        device: Where the run is trained.
        on_gpu: Whether that is a GPU.
        path: The file.
        last_save_time: When the state was saved last, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        checkpointed: dict[str, Checkpointed],
        folder: Path,
        processes: Distributed,
        device: torch.device | str = "cpu",
    ):
        """Name the file, without reading it.

        Args:
            checkpointed: Name -> what the state holds.
            folder: Where the file is.
            processes: The processes of the run.
            device: Where the run is trained.
        """
        self.checkpointed = checkpointed
        self.processes = processes
        self.device = device
        self.on_gpu = torch.device(device).type == "cuda"
        self.path = Path(folder) / "state.pt"
        self.last_save_time = time.monotonic()

    def load(self) -> TrainingProgress:
        """Set all objects to what they were when the run was stopped.

        Returns:
            How far the run was. It is the beginning of the run where there is no state, or where
            the state is damaged for any of the processes.
        """
        if not self.processes.broadcast(self.path.exists()):
            return TrainingProgress()
        # A network file system may show the file later to other nodes than to the main process.
        wait_for(self.path)
        saved = read_state(self.path)
        # If one process cannot read it, all begin anew: their models must be the same.
        is_damaged = float(saved is None)
        (damaged_count,) = self.processes.all_reduce_sum([is_damaged], self.device)
        if damaged_count:
            return TrainingProgress()
        for name, item in self.checkpointed.items():
            item.load_state_dict(saved[name])
        progress = TrainingProgress(**saved["progress"])
        epochs_done = len(progress.history)
        log.info("resumed after epoch %d, step %d", epochs_done, progress.step)
        return progress

    def require_room(self, model: torch.nn.Module, averages_nbytes: int) -> None:
        """Check that the disk has room for what the run will write.

        That is two states, as a new one is written beside the old one, the weights and the
        averages. A state holds the weights, two moments of each, and the averages.

        Args:
            model: The model that is trained.
            averages_nbytes: Bytes of all averages.

        Raises:
            StockpotError: The disk has not enough room.
        """
        weights_nbytes = sum(tensor.nbytes for tensor in model.state_dict().values())
        # The model, and AdamW's two moments of each of its weights.
        state_nbytes = 3 * weights_nbytes + averages_nbytes
        # The old state's room is free again once the first new one has replaced it.
        old_state_nbytes = 0
        if self.path.exists():
            old_state_nbytes = self.path.stat().st_size
        if not self.processes.is_main:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new_nbytes = 2 * state_nbytes - old_state_nbytes
        needed_nbytes = new_nbytes + weights_nbytes + averages_nbytes
        require_space(self.path.parent, needed_nbytes, f"{self.path}: training")

    def restore_rng(
        self,
        progress: TrainingProgress,
        generator: torch.Generator,
        seed: int,
    ) -> None:
        """Set all generators for an epoch: from its seed, or to where the epoch was left.

        Dropout and the like draw from torch's own generators, on each process something else.

        Args:
            progress: How far the run is.
            generator: The generator of batches and augmentation.
            seed: The seed of the epoch.
        """
        process_seed = seed + PROCESS_STRIDE * self.processes.rank
        torch.manual_seed(process_seed + progress.step)
        if not progress.step:
            return
        generator.set_state(progress.data_rng_state)
        # Only the main process saves, so only its own noise can go on where it was.
        if self.processes.is_main:
            torch.set_rng_state(progress.torch_rng_states[0])
            if self.on_gpu and len(progress.torch_rng_states) > 1:
                torch.cuda.set_rng_state(progress.torch_rng_states[1])

    def is_due(self) -> bool:
        """Tell whether the last save is ``SAVE_EVERY`` seconds ago.

        Returns:
            True where the state should be saved again.
        """
        return time.monotonic() - self.last_save_time >= SAVE_EVERY

    def save(self, progress: TrainingProgress, generator: torch.Generator) -> None:
        """Write the state; only the main process does.

        Args:
            progress: How far the run is; the states of the generators are put into it.
            generator: The generator of batches and augmentation.
        """
        progress.data_rng_state = generator.get_state()
        progress.torch_rng_states = [torch.get_rng_state()]
        if self.on_gpu:
            progress.torch_rng_states.append(torch.cuda.get_rng_state())
        # On all processes, so that they find the next save due at the same time.
        self.last_save_time = time.monotonic()
        if not self.processes.is_main:
            return
        content = {name: item.state_dict() for name, item in self.checkpointed.items()}
        content["progress"] = asdict(progress)
        write_state(self.path, content)
