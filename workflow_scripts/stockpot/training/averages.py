"""Averages along a run: exponential moving averages and the mean of its last steps.

Kept as running sums beside the run and saved with it, so that debiased and biased averages are
both made from one file afterwards, without training again.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..models.classifier import HEAD
from ..runtime.array_digest import tree_digest
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, place_of, sealed, unreadable, unsealed

AVERAGES = "averages.safetensors"


class Averages:
    """Running sums over the weights after every step, float64 on the model's device.

    In float32 each step would round the sum: over 200,000 steps with a decay of 0.9999 a weight
    that never moves would be off by 6e-4 of itself. They are saved in float32, rounded once.

    For each decay b: mu_t = b mu_{t-1} + (1 - b) theta_t from mu_0 = 0 (WiSE-FT C.3.2). For the
    last steps: their mean (Izmailov et al., UAI 2018, with the run's own learning rate).
    """

    def __init__(
        self, model: torch.nn.Module, decays: list[float], swa: float, steps: int
    ):
        """swa: share of the steps after which their mean begins; 1 is no mean."""
        self.decays, self.steps = sorted(set(decays)), 0
        self.first = min(round(swa * steps), steps - 1)
        floating = {
            n: t for n, t in model.state_dict().items() if t.is_floating_point()
        }
        kinds = [_ema(decay) for decay in self.decays] + (["swa"] if swa < 1 else [])
        self.sums = {k: {} for k in kinds}
        for means in self.sums.values():
            for name, tensor in floating.items():
                means[name] = torch.zeros_like(tensor, dtype=torch.float64)

    @property
    def nbytes(self) -> int:
        return sum(
            mean.nbytes for means in self.sums.values() for mean in means.values()
        )

    def update(self, model: torch.nn.Module) -> None:
        """Take in the weights after one more step."""
        self.steps += 1
        weights = model.state_dict() if self.sums else {}
        for decay in self.decays:
            self._move(_ema(decay), weights, 1 - decay)
        if "swa" in self.sums and self.steps > self.first:
            self._move("swa", weights, 1 / (self.steps - self.first))

    def _move(self, kind: str, weights: dict[str, torch.Tensor], share: float) -> None:
        for name, mean in self.sums[kind].items():
            mean.lerp_(weights[name].double(), share)

    def state_dict(self) -> dict:
        return {"steps": self.steps, "sums": self.sums}

    def load_state_dict(self, state: dict) -> None:
        self.steps = state["steps"]
        for kind, means in self.sums.items():
            for name, mean in means.items():
                mean.copy_(state["sums"][kind][name])

    def save(self, folder: Path) -> None:
        """Write all sums to one file; also where there are none."""
        tensors = {
            f"{kind}/{name}": mean.float().cpu().contiguous()
            for kind, means in self.sums.items()
            for name, mean in means.items()
        }
        with atomic(folder / AVERAGES) as path:
            # One metadata key: the library writes several in random order.
            described = _described(folder / AVERAGES, self.steps, tensors)
            save_file(tensors, path, {"averages": described})


class SavedAverages:
    """The averages that a run saved, memory-mapped."""

    def __init__(self, folder: Path, heads: bool = True):
        """heads: whether to give those of the head; else they are as if none had been kept."""
        self.path, self._heads = folder / AVERAGES, heads
        try:
            self._file = safe_open(self.path, framework="pt")
        except OSError as error:
            raise unreadable(self.path, error) from error
        except SafetensorError as error:
            raise damaged(self.path, str(error)) from error
        try:
            described = unsealed(
                (self._file.metadata() or {}).get("averages", ""), self.path
            )
            self.steps, self._digests = described["steps"], described["digests"]
        except (ValueError, KeyError) as error:
            raise damaged(self.path, str(error)) from error
        self._names = set(self._file.keys())
        self._kinds = {name.split("/")[0] for name in self._names}

    def ema(self, decay: float, name: str) -> torch.Tensor | None:
        """mu_T of one tensor; None where none is kept, as of integers.

        Raises StockpotError for a decay that was not averaged over.
        """
        return self._get(_ema(decay), name, f"saved no average of decay {decay}")

    def swa(self, name: str) -> torch.Tensor | None:
        """The mean of the last steps; None and errors as of ``ema``."""
        return self._get("swa", name, "saved no mean of its last steps")

    def _get(self, kind: str, name: str, missing: str) -> torch.Tensor | None:
        if kind not in self._kinds:
            raise StockpotError(f"{self.path}: this run {missing}")
        if name.startswith(HEAD) and not self._heads:
            return None
        key = f"{kind}/{name}"
        if key not in self._names:
            return None
        tensor = self._file.get_tensor(key)
        if tree_digest(tensor) != self._digests.get(key):
            raise damaged(self.path, f"its {key} is not what was saved")
        return tensor


def _described(path: Path, steps: int, tensors: dict[str, torch.Tensor]) -> str:
    """What the file says of itself: steps, and the digest of each tensor."""
    digests = {name: tree_digest(tensor) for name, tensor in sorted(tensors.items())}
    return sealed({"steps": steps, "digests": digests}, place_of(path), indent=None)


def _ema(decay: float) -> str:
    return f"ema-{decay!r}"
