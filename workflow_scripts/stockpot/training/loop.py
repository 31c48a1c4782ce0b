"""The training loop: AdamW, warm-up and cosine, gradient clipping, resumable after each epoch."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..files import atomic
from .averages import Averages
from .objective import Objective
from .sam import sharpen
from .schedule import warmup_cosine

log = logging.getLogger(__name__)


class Diverged(Exception):
    """The loss is no longer a finite number."""


@dataclass
class Batches:
    """Inputs and labels of one data set, and how a batch of inputs becomes the model's.

    inputs: [n, ...] of any type; labels: int64 [n]. prepare(batch, generator) gets a
    generator for augmentation in training and None in evaluation.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    prepare: Callable[[torch.Tensor, torch.Generator | None], torch.Tensor]

    def __len__(self) -> int:
        """Examples in an epoch."""
        return len(self.labels)

    def order(self, generator: torch.Generator) -> torch.Tensor:
        """Places of one epoch's examples, int64 [examples in an epoch]."""
        return torch.randperm(len(self), generator=generator)


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict]:
    """Weight decay for matrices only, none for gains and biases; as open_clip's training."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]


def fit(
    model: torch.nn.Module,
    train: Batches,
    held_out: Batches,
    spec: dict,
    state_dir: Path,
    device: torch.device | str = "cpu",
    start: torch.nn.Module | None = None,
    averages_dir: Path | None = None,
) -> list[dict]:
    """Train ``model`` in place and return one row per epoch: loss, held-out n and k.

    spec: epochs, batch_size, lr, weight_decay, warmup (share of the steps), clip (global
    norm), seed, what ``Objective`` takes, and where they are wanted sam (rho), ema (decays) and
    swa (share). Every epoch's order and augmentation follow from (seed, epoch), so a run that
    resumes from ``state_dir`` ends with the same bytes as one that was never stopped. start:
    the model that distillation and L2-SP refer to. averages_dir: where averages are saved.
    Raises Diverged at the first loss that is not finite.
    """
    model.to(device)
    objective = Objective(spec, start)
    groups = parameter_groups(model, spec["weight_decay"])
    optimizer = torch.optim.AdamW(groups, lr=spec["lr"], fused=True)
    per_epoch = len(batches(torch.arange(len(train)), spec["batch_size"]))
    steps = per_epoch * spec["epochs"]
    warmup = max(1, round(spec["warmup"] * steps))
    averages = Averages(model, spec.get("ema", []), spec.get("swa", 1), steps)
    parts = {"model": model, "optimizer": optimizer, "averages": averages}
    history, state = _resume(parts, state_dir)

    for epoch in range(len(history), spec["epochs"]):
        started = time.monotonic()
        generator = torch.Generator().manual_seed(spec["seed"] * 1_000_003 + epoch)
        order = train.order(generator)
        model.train()
        total = 0.0
        for i, rows in enumerate(batches(order, spec["batch_size"])):
            for group in optimizer.param_groups:
                group["lr"] = spec["lr"] * warmup_cosine(epoch * per_epoch + i, steps, warmup)
            x = train.prepare(train.inputs[rows].to(device), generator)
            loss_of = objective.on(x, train.labels[rows].to(device), generator)
            loss = loss_of(model)
            if not torch.isfinite(loss):
                raise Diverged(f"the loss became {loss.item()} in epoch {epoch + 1}, step {i + 1}")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if spec.get("sam"):
                sharpen(model, loss_of, spec["sam"])
            torch.nn.utils.clip_grad_norm_(model.parameters(), spec["clip"])
            optimizer.step()
            averages.update(model)
            total += loss.item() * len(rows)
        if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
            raise Diverged(f"a weight is no longer finite after epoch {epoch + 1}")
        history.append(
            {
                "epoch": epoch + 1,
                "loss": total / len(train),
                "held_out_n": len(held_out),
                "held_out_k": correct(model, held_out, device),
            }
        )
        _report(history[-1], spec["epochs"], len(train), time.monotonic() - started)
        with atomic(state) as path:
            saved = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**saved, "history": history}, path)
    model.eval()
    if averages_dir:
        averages.save(averages_dir)
    return history


def batches(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """The order cut in batches; a last batch of one is left out, as BatchNorm cannot use it."""
    batches = list(order.split(size))
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


@torch.no_grad()
def correct(model: torch.nn.Module, data: Batches, device, batch_size: int = 100) -> int:
    """Number of examples whose largest logit is at the label."""
    model.eval()
    hits = 0
    for inputs, labels in zip(data.inputs.split(batch_size), data.labels.split(batch_size)):
        predicted = model(data.prepare(inputs.to(device), None)).argmax(1)
        hits += int((predicted.cpu() == labels).sum())
    return hits


def _resume(parts: dict, state_dir: Path) -> tuple[list[dict], Path]:
    """Epochs that are done, whose state the parts take up, and the file of the state."""
    state = Path(state_dir) / "state.pt"
    if not state.exists():
        return [], state
    saved = torch.load(state, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    log.info("resumed after epoch %d", len(saved["history"]))
    return saved["history"], state


def _report(row: dict, epochs: int, n: int, seconds: float) -> None:
    log.info(
        "epoch %d/%d  loss %.4f  held-out %.2f %%  %.0f images/s  %.0f s left",
        row["epoch"], epochs, row["loss"], 100 * row["held_out_k"] / row["held_out_n"],
        n / seconds, seconds * (epochs - row["epoch"]),
    )  # fmt: skip
