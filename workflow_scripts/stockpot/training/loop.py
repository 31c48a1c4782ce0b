"""The training loop: AdamW, warm-up and cosine, gradient clipping, resumable after any step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..runtime.errors import Stopped
from ..runtime.heartbeat import Heartbeat
from ..runtime.stop import wishes
from .averages import Averages
from .loss import Loss
from .processes import Processes
from .sam import sharpen
from .schedule import warmup_cosine
from .state import State


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
    norm), seed, what ``Loss`` takes, and where they are wanted sam (rho), ema (decays) and
    swa (share). Every epoch's order and augmentation follow from (seed, epoch), so a run that
    resumes from ``state_dir`` ends with the same bytes as one that was never stopped. The state is
    saved after every epoch, after ten minutes within one, and when SIGTERM or SIGINT asks to stop,
    which raises Stopped. Where torch.distributed is set up, its processes share each batch. start:
    the model that distillation and L2-SP refer to. averages_dir: where averages are saved.
    Raises Diverged at the first loss that is not finite.
    """
    run = _Run(model, train, held_out, spec, state_dir, device, start)
    with wishes() as run.wish:
        for epoch in range(len(run.place.history), spec["epochs"]):
            run.epoch(epoch)
    model.eval()
    if averages_dir and run.processes.first:
        run.averages.save(averages_dir)
    return run.place.history


class _Run:
    """What the steps of one run share."""

    def __init__(self, model, train, held_out, spec, state_dir, device, start):
        self.model, self.train, self.held_out = model, train, held_out
        self.spec, self.device = spec, device
        self.processes = Processes()
        self.net = self.processes.model(model.to(device))
        self.loss = Loss(spec, start)
        groups = parameter_groups(model, spec["weight_decay"])
        self.optimizer = torch.optim.AdamW(groups, lr=spec["lr"], fused=True)
        self.per_epoch = len(batches(torch.arange(len(train)), spec["batch_size"]))
        self.steps = self.per_epoch * spec["epochs"]
        self.warmup = max(1, round(spec["warmup"] * self.steps))
        self.averages = Averages(
            model, spec.get("ema", []), spec.get("swa", 1), self.steps
        )
        parts = {"model": model, "optimizer": self.optimizer, "averages": self.averages}
        self.state = State(parts, state_dir, self.processes, device)
        self.state.require_room(model, self.averages.nbytes)
        self.place = self.state.load()
        done = len(self.place.history) * self.per_epoch + self.place.step
        self.heartbeat = Heartbeat(
            self.steps, done, spec["epochs"], self.processes.first
        )

    def epoch(self, epoch: int) -> None:
        place, seed = self.place, self.spec["seed"] * 1_000_003 + epoch
        self.generator = torch.Generator().manual_seed(seed)
        order = self.train.order(self.generator)
        self.state.begin(place, self.generator, seed)
        self.net.train()
        for i, rows in enumerate(batches(order, self.spec["batch_size"])):
            if i >= place.step:
                self.step(epoch, i, rows)
        if not all(
            torch.isfinite(tensor).all() for tensor in self.model.state_dict().values()
        ):
            raise Diverged(f"a weight is no longer finite after epoch {epoch + 1}")
        hits = correct(self.model, self.held_out, self.device, between=self.heed)
        place.history.append(
            {
                "epoch": epoch + 1,
                "loss": place.loss / len(self.train),
                "held_out_n": len(self.held_out),
                "held_out_k": hits,
            }
        )
        place.step, place.loss = 0, 0.0
        self.heartbeat.epoch(place.history[-1])
        self.state.save(place, self.generator)

    def step(self, epoch: int, i: int, rows: torch.Tensor) -> None:
        spec, done = self.spec, epoch * self.per_epoch + i
        for group in self.optimizer.param_groups:
            group["lr"] = spec["lr"] * warmup_cosine(done, self.steps, self.warmup)
        x = self.train.prepare(self.train.inputs[rows].to(self.device), self.generator)
        labels = self.train.labels[rows].to(self.device)
        loss_of = self.loss.for_batch(
            x, labels, self.generator, *self.processes.share(len(rows))
        )
        loss = loss_of(self.net)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if spec.get("sam"):
            sharpen(self.net, loss_of, spec["sam"])
        (mean,) = self.processes.sum([loss.item() / self.processes.count], self.device)
        if not math.isfinite(mean):
            raise Diverged(f"the loss became {mean} in epoch {epoch + 1}, step {i + 1}")
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), spec["clip"])
        self.optimizer.step()
        self.averages.update(self.model)
        self.place.step, self.place.loss = i + 1, self.place.loss + mean * len(rows)
        self.heartbeat.step(len(rows), epoch, mean)
        self.heed()

    def heed(self) -> None:
        """Save the state where it is time, or where the run is asked to stop; then stop."""
        asked, due = self.processes.sum(
            [self.wish.signal, self.state.due()], self.device
        )
        if asked or due:
            self.state.save(self.place, self.generator)
        if asked:
            epochs, step = len(self.place.history), self.place.step
            raise Stopped(f"after epoch {epochs}, step {step}")


def batches(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """The order cut in batches; a last batch of one is left out, as BatchNorm cannot use it."""
    batches = list(order.split(size))
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


@torch.no_grad()
def correct(
    model: torch.nn.Module,
    data: Batches,
    device,
    batch_size: int = 100,
    between: Callable[[], None] = lambda: None,
) -> int:
    """Number of examples whose largest logit is at the label; processes share them.

    between: is called after each batch, by every process.
    """
    model.eval()
    hits, processes = 0, Processes()
    for i, rows in enumerate(torch.arange(len(data.labels)).split(batch_size)):
        if i % processes.count == processes.rank:
            predicted = model(data.prepare(data.inputs[rows].to(device), None)).argmax(
                1
            )
            hits += int((predicted.cpu() == data.labels[rows]).sum())
        between()
    return int(processes.sum([hits], device)[0])
