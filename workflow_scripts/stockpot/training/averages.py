"""Averages along a run: exponential moving averages and the mean of its last steps.

They are kept as running sums beside the run and saved with it, so that debiased and biased
averages are both made from one file afterwards, without training again.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..models.classifier import HEAD
from ..runtime.array_digest import tree_digest
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, place_of, sealed, unreadable, unsealed

AVERAGES = "averages.safetensors"
SWA = "swa"  # stochastic weight averaging: the mean of the last steps


class Averages:
    """Running sums over the weights after every step, float64 on the model's device.

    In float32 each step would round the sum: over 200,000 steps with a decay of 0.9999 a weight
    that never moves would be off by 6e-4 of itself. They are saved in float32, rounded once.

    For each decay b: mu_t = b mu_{t-1} + (1 - b) theta_t from mu_0 = 0 (WiSE-FT C.3.2). For the
    last steps: their mean (Izmailov et al., UAI 2018, with the run's own learning rate).

    Attributes:
        decays: The decays of the moving averages, ascending.
        steps: Steps that were averaged over.
        swa_start_step: Steps before the mean of the last steps begins.
        sums: Kind of average -> name of a tensor -> the average.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        decays: list[float],
        swa_start: float,
        total_steps: int,
    ):
        """Begin all averages at 0.

        Args:
            model: The model that is trained; its tensors of floating point are averaged.
            decays: The decays of the moving averages.
            swa_start: Fraction of the steps after which the mean of the last steps begins; 1
                keeps no mean.
            total_steps: Steps of the run.
        """
        self.decays = sorted(set(decays))
        self.steps = 0
        # A mean over no step at all would be undefined, so the last step always counts.
        start_step = round(swa_start * total_steps)
        self.swa_start_step = min(start_step, total_steps - 1)
        kinds = [_ema_kind(decay) for decay in self.decays]
        if swa_start < 1:
            kinds.append(SWA)
        self.sums: dict[str, dict[str, torch.Tensor]] = {}
        for kind in kinds:
            self.sums[kind] = {
                name: torch.zeros_like(tensor, dtype=torch.float64)
                for name, tensor in model.state_dict().items()
                if tensor.is_floating_point()
            }

    @property
    def nbytes(self) -> int:
        """Count the bytes of all averages.

        Returns:
            Bytes on the model's device.
        """
        total = 0
        for averages in self.sums.values():
            total += sum(average.nbytes for average in averages.values())
        return total

    def update(self, model: torch.nn.Module) -> None:
        """Take in the weights after one more step.

        Args:
            model: The model after the step.
        """
        self.steps += 1
        if not self.sums:
            return
        weights = model.state_dict()
        for decay in self.decays:
            # b mu + (1 - b) theta is a move by 1 - b of the distance to theta.
            self._move_towards(weights, _ema_kind(decay), 1 - decay)
        averaged_count = self.steps - self.swa_start_step
        if SWA in self.sums and averaged_count > 0:
            # The mean of n values moves by 1/n of the distance to the nth.
            self._move_towards(weights, SWA, 1 / averaged_count)

    def _move_towards(
        self,
        weights: dict[str, torch.Tensor],
        kind: str,
        fraction: float,
    ) -> None:
        for name, average in self.sums[kind].items():
            average.lerp_(weights[name].double(), fraction)

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` takes.

        Returns:
            The steps and all averages.
        """
        return {"steps": self.steps, "sums": self.sums}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the averages to what they were.

        Args:
            state_dict: What ``state_dict`` returned.
        """
        self.steps = state_dict["steps"]
        for kind, averages in self.sums.items():
            for name, average in averages.items():
                average.copy_(state_dict["sums"][kind][name])

    def save(self, folder: Path) -> None:
        """Write all averages to one file, also where there are none.

        Args:
            folder: The folder of the run.
        """
        tensors = {}
        for kind, averages in self.sums.items():
            for name, average in averages.items():
                rounded = average.float().cpu()
                tensors[f"{kind}/{name}"] = rounded.contiguous()
        description = _description(folder / AVERAGES, self.steps, tensors)
        # In float32: a soup of averages is no more exact than its ingredients.
        with atomic(folder / AVERAGES) as path:
            # One metadata key: the library writes several in random order.
            save_file(tensors, path, {"averages": description})


class SavedAverages:
    """The averages that a run saved, memory-mapped.

    Attributes:
        path: The file.
        steps: Steps that were averaged over.
    """

    def __init__(self, folder: Path, *, heads: bool = True):
        """Open the file of a run.

        Args:
            folder: The folder of the run.
            heads: Whether averages of the head are given; else they count as not kept.

        Raises:
            StockpotError: The file cannot be read, or it is damaged.
        """
        self.path = folder / AVERAGES
        self._with_heads = heads
        try:
            self._file = safe_open(self.path, framework="pt")
        except OSError as error:
            raise unreadable(self.path, error) from error
        except SafetensorError as error:
            raise damaged(self.path, str(error)) from error
        # The description says what each tensor was when it was saved.
        metadata = self._file.metadata() or {}
        try:
            description = unsealed(metadata.get("averages", ""), self.path)
            self.steps = description["steps"]
            self._digests = description["digests"]
        except (ValueError, KeyError) as error:
            raise damaged(self.path, str(error)) from error
        self._keys = set(self._file.keys())
        # Keys are "kind/name of the tensor".
        self._kinds = {key.split("/")[0] for key in self._keys}

    def ema(self, decay: float, name: str) -> torch.Tensor | None:
        """Read the moving average mu_T of one tensor.

        Args:
            decay: The decay of the average.
            name: The name of the tensor.

        Returns:
            float32; None where no average is kept, as for tensors of integers.

        Raises:
            StockpotError: The run saved no average of this decay, or the file is damaged.
        """
        return self._get(_ema_kind(decay), name, f"saved no average of decay {decay}")

    def swa(self, name: str) -> torch.Tensor | None:
        """Read the mean of one tensor over the last steps.

        Args:
            name: The name of the tensor.

        Returns:
            float32; None where no mean is kept, as for tensors of integers.

        Raises:
            StockpotError: The run saved no mean of its last steps, or the file is damaged.
        """
        return self._get(SWA, name, "saved no mean of its last steps")

    def _get(
        self,
        kind: str,
        name: str,
        problem: str,
    ) -> torch.Tensor | None:
        """One average; ``problem`` says what is wrong where the run has none of its kind."""
        if kind not in self._kinds:
            raise StockpotError(f"{self.path}: this run {problem}")
        if name.startswith(HEAD) and not self._with_heads:
            return None
        key = f"{kind}/{name}"
        if key not in self._keys:
            return None
        tensor = self._file.get_tensor(key)
        if tree_digest(tensor) != self._digests.get(key):
            raise damaged(self.path, f"its {key} is not what was saved")
        return tensor


def _description(
    path: Path,
    steps: int,
    tensors: dict[str, torch.Tensor],
) -> str:
    """What the file says of itself: the steps, and the digest of each tensor."""
    digests = {name: tree_digest(tensor) for name, tensor in sorted(tensors.items())}
    content = {"steps": steps, "digests": digests}
    return sealed(content, place_of(path), indent=None)


def _ema_kind(decay: float) -> str:
    return f"ema-{decay!r}"
