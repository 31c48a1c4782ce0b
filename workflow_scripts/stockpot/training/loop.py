"""The training loop: AdamW, warm-up and cosine, gradient clipping, resumable after any step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import Stopped
from .averages import Averages
from .heartbeat import Heartbeat
from .objective import Objective
from .processes import Processes
from .sam import sharpen
from .schedule import warmup_cosine
from .state import State
from .stop import wishes


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
    resumes from ``state_dir`` ends with the same bytes as one that was never stopped. The state is
    saved after every epoch, after ten minutes within one, and when SIGTERM or SIGINT asks to stop,
    which raises Stopped. Where torch.distributed is set up, its processes share each batch. start:
    the model that distillation and L2-SP refer to. averages_dir: where averages are saved.
    Raises Diverged at the first loss that is not finite.
    """
    processes = Processes()
    net = processes.model(model.to(device))
    objective = Objective(spec, start)
    groups = parameter_groups(model, spec["weight_decay"])
    optimizer = torch.optim.AdamW(groups, lr=spec["lr"], fused=True)
    per_epoch = len(batches(torch.arange(len(train)), spec["batch_size"]))
    steps = per_epoch * spec["epochs"]
    warmup = max(1, round(spec["warmup"] * steps))
    averages = Averages(model, spec.get("ema", []), spec.get("swa", 1), steps)
    parts = {"model": model, "optimizer": optimizer, "averages": averages}
    state = State(parts, state_dir, processes)
    place = state.load()
    done = len(place.history) * per_epoch + place.step
    heartbeat = Heartbeat(steps, done, spec["epochs"], processes.first)

    with wishes() as wish:
        for epoch in range(len(place.history), spec["epochs"]):
            generator = torch.Generator().manual_seed(spec["seed"] * 1_000_003 + epoch)
            order = train.order(generator)
            if place.step:
                generator.set_state(place.draws)
            net.train()
            for i, rows in list(enumerate(batches(order, spec["batch_size"])))[place.step :]:
                for group in optimizer.param_groups:
                    group["lr"] = spec["lr"] * warmup_cosine(epoch * per_epoch + i, steps, warmup)
                x = train.prepare(train.inputs[rows].to(device), generator)
                share, weight = processes.share(len(rows))
                loss_of = objective.on(x, train.labels[rows].to(device), generator, share, weight)
                loss = loss_of(net)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                if spec.get("sam"):
                    sharpen(net, loss_of, spec["sam"])
                told = [loss.item() / processes.count, wish.signal, state.due()]
                mean, asked, due = processes.sum(told, device)
                if not math.isfinite(mean):
                    raise Diverged(f"the loss became {mean} in epoch {epoch + 1}, step {i + 1}")
                torch.nn.utils.clip_grad_norm_(model.parameters(), spec["clip"])
                optimizer.step()
                averages.update(model)
                place.step, place.loss = i + 1, place.loss + mean * len(rows)
                heartbeat.step(len(rows), epoch, mean)
                if asked or due:
                    state.save(place, generator)
                if asked:
                    raise Stopped(f"after epoch {epoch}, step {i + 1}")
            if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
                raise Diverged(f"a weight is no longer finite after epoch {epoch + 1}")
            place.history.append(
                {
                    "epoch": epoch + 1,
                    "loss": place.loss / len(train),
                    "held_out_n": len(held_out),
                    "held_out_k": correct(model, held_out, device),
                }
            )
            place.step, place.loss = 0, 0.0
            heartbeat.epoch(place.history[-1])
            state.save(place, generator)
    model.eval()
    if averages_dir and processes.first:
        averages.save(averages_dir)
    return place.history


def batches(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """The order cut in batches; a last batch of one is left out, as BatchNorm cannot use it."""
    batches = list(order.split(size))
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


@torch.no_grad()
def correct(model: torch.nn.Module, data: Batches, device, batch_size: int = 100) -> int:
    """Number of examples whose largest logit is at the label; processes share them."""
    model.eval()
    hits, processes = 0, Processes()
    for i, rows in enumerate(torch.arange(len(data.labels)).split(batch_size)):
        if i % processes.count == processes.rank:
            predicted = model(data.prepare(data.inputs[rows].to(device), None)).argmax(1)
            hits += int((predicted.cpu() == data.labels[rows]).sum())
    return int(processes.sum([hits], device)[0])
