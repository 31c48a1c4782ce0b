"""The training loop: AdamW, warm-up and cosine, gradient clipping, resumable after any step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..runtime.errors import StoppedError
from ..runtime.progress_log import ProgressLogger
from ..runtime.stop_requests import catch_stop_signals
from .averages import Averages
from .checkpointer import Checkpointer
from .distributed import Distributed
from .loss import BatchLoss, Loss
from .sam import replace_with_sam_gradients
from .schedule import warmup_cosine

# Seeds of the epochs of runs with neighbouring seeds must differ: a prime above all epochs.
SEED_STRIDE = 1_000_003


class DivergedError(Exception):
    """The loss or a weight is no longer a finite number."""


@dataclass
class Batches:
    """Examples of one data set, and how a batch of them becomes the model's input.

    Attributes:
        inputs: [n, ...] of any type.
        labels: int64 [n].
        prepare: Turns a batch of inputs into the model's input. It gets a generator for
            augmentation in training and None in evaluation.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    prepare: Callable[[torch.Tensor, torch.Generator | None], torch.Tensor]

    def __len__(self) -> int:
        """Count the examples in an epoch."""
        return len(self.labels)

    def order(self, generator: torch.Generator) -> torch.Tensor:
        """Shuffle the examples for one epoch.

        Args:
            generator: The source of the random order.

        Returns:
            Row numbers of the epoch's examples, int64 [examples in an epoch].
        """
        return torch.randperm(len(self), generator=generator)


def parameter_groups(
    model: torch.nn.Module,
    weight_decay: float,
) -> list[dict[str, Any]]:
    """Group the parameters for AdamW: weight decay only for matrices, as in open_clip.

    Args:
        model: Its parameters that require gradients are trained.
        weight_decay: Weight decay of matrices; gains and biases have none.

    Returns:
        The parameter groups of a torch optimizer.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trainable if p.ndim >= 2]
    gains_and_biases = [p for p in trainable if p.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": gains_and_biases, "weight_decay": 0.0},
    ]


def fit(
    model: torch.nn.Module,
    train: Batches,
    held_out: Batches,
    spec: dict[str, Any],
    state_dir: Path,
    device: torch.device | str = "cpu",
    initial_model: torch.nn.Module | None = None,
    averages_dir: Path | None = None,
) -> list[dict[str, Any]]:
    """Train ``model`` in place.

    Every epoch's order and augmentation follow from (seed, epoch), so a run that resumes from
    ``state_dir`` ends with the same bytes as one that was never stopped. The state is saved
    after every epoch, after ten minutes within one, and when SIGTERM or SIGINT asks to stop.
    Where torch.distributed is set up, its processes share each batch.

    Args:
        model: The model with its initial weights.
        train: The training set.
        held_out: The held-out set; each epoch ends with the model's accuracy on it.
        spec: epochs, batch_size, lr, weight_decay, warmup (fraction of the steps), grad_clip_norm
            (largest norm of all gradients), seed, what ``Loss`` takes, and optionally sam_rho,
            ema_decays and swa_start (fraction of the steps after which the mean begins).
        state_dir: Folder of the state that a stopped run resumes from.
        device: Where the model is trained.
        initial_model: The model that distillation and L2-SP refer to.
        averages_dir: Where averages along the run are saved; None saves none.

    Returns:
        One row per epoch: epoch, loss, held_out_n (images) and held_out_k (correct ones).

    Raises:
        DivergedError: At the first loss or weight that is not finite.
        StoppedError: A signal has asked to stop, and the state is saved.
    """
    run = _Run(
        model,
        train,
        held_out,
        spec,
        state_dir,
        device,
        initial_model,
    )
    epochs_done = len(run.progress.history)
    with catch_stop_signals() as run.stop_request:
        for epoch in range(epochs_done, spec["epochs"]):
            run.train_epoch(epoch)
    # Also where all epochs were done before, as in a run that was stopped after its last one.
    model.eval()
    if averages_dir and run.processes.is_main:
        run.averages.save(averages_dir)
    return run.progress.history


class _Run:
    """What the steps of one run share."""

    def __init__(
        self,
        model: torch.nn.Module,
        train: Batches,
        held_out: Batches,
        spec: dict[str, Any],
        state_dir: Path,
        device: torch.device | str,
        initial_model: torch.nn.Module | None,
    ):
        self.model = model
        self.train = train
        self.held_out = held_out
        self.spec = spec
        self.device = device
        self.processes = Distributed()
        # The model as a step calls it: wrapped so that several processes add their gradients.
        self.wrapped_model = self.processes.wrap(model.to(device))
        self.loss = Loss(spec, initial_model)
        groups = parameter_groups(model, spec["weight_decay"])
        # fused: one kernel for all parameters, also on CPUs.
        self.optimizer = torch.optim.AdamW(groups, lr=spec["lr"], fused=True)
        # Every epoch has the same number of batches, whatever their order.
        any_order = torch.arange(len(train))
        self.steps_per_epoch = len(split_batches(any_order, spec["batch_size"]))
        self.total_steps = self.steps_per_epoch * spec["epochs"]
        # At least one step, as the factor of the learning rate is step / warmup_steps.
        warmup_steps = round(spec["warmup"] * self.total_steps)
        self.warmup_steps = max(1, warmup_steps)
        decays = spec.get("ema_decays", [])
        swa_start = spec.get("swa_start", 1)
        self.averages = Averages(model, decays, swa_start, self.total_steps)
        self._resume(state_dir)

    def _resume(self, state_dir: Path) -> None:
        """Go on where an earlier process stopped, if one did."""
        checkpointed = {
            "model": self.model,
            "optimizer": self.optimizer,
            "averages": self.averages,
        }
        self.checkpointer = Checkpointer(
            checkpointed, state_dir, self.processes, self.device
        )
        self.checkpointer.require_room(self.model, self.averages.nbytes)
        self.progress = self.checkpointer.load()
        epochs_done = len(self.progress.history)
        steps_done = epochs_done * self.steps_per_epoch + self.progress.step
        self.heartbeat = ProgressLogger(
            self.total_steps,
            steps_done,
            self.spec["epochs"],
            heard=self.processes.is_main,
        )

    def train_epoch(self, epoch: int) -> None:
        """Train the steps of one epoch that are still to do, and evaluate the model."""
        seed = self.spec["seed"] * SEED_STRIDE + epoch
        self.generator = torch.Generator().manual_seed(seed)
        # The order is drawn before the state of the generator is restored: a run that resumes
        # within an epoch goes through the same batches.
        order = self.train.order(self.generator)
        self.checkpointer.restore_rng(self.progress, self.generator, seed)
        self.wrapped_model.train()
        steps_done = self.progress.step
        all_batches = split_batches(order, self.spec["batch_size"])
        for step, rows in enumerate(all_batches):
            if step >= steps_done:
                self.train_step(epoch, step, rows)
        self._require_finite_weights(epoch)
        correct_count = count_correct(
            self.model,
            self.held_out,
            self.device,
            after_batch=self.checkpoint_or_stop,
        )
        self._finish_epoch(epoch, correct_count)

    def _require_finite_weights(self, epoch: int) -> None:
        # The loss is computed before a step, so that of the last step says nothing of the result.
        for tensor in self.model.state_dict().values():
            if not torch.isfinite(tensor).all():
                raise DivergedError(
                    f"a weight is no longer finite after epoch {epoch + 1}"
                )

    def _finish_epoch(self, epoch: int, correct_count: int) -> None:
        # The history goes into the card, where tables read it.
        row = {
            "epoch": epoch + 1,
            "loss": self.progress.loss_sum / len(self.train),
            "held_out_n": len(self.held_out),
            "held_out_k": correct_count,
        }
        self.progress.history.append(row)
        self.progress.step = 0
        self.progress.loss_sum = 0.0
        self.heartbeat.epoch(row)
        self.checkpointer.save(self.progress, self.generator)

    def train_step(
        self,
        epoch: int,
        step: int,
        rows: torch.Tensor,
    ) -> None:
        """Train on one batch: the examples ``rows`` are step ``step`` of the epoch."""
        # Forward and backward pass.
        self._set_learning_rate(epoch * self.steps_per_epoch + step)
        batch_loss = self._draw_batch(rows)
        loss = batch_loss(self.wrapped_model)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.spec.get("sam_rho"):
            rho = self.spec["sam_rho"]
            replace_with_sam_gradients(self.wrapped_model, batch_loss, rho)
        # All processes see the same mean, so that all of them stop or none.
        mean_loss = self._mean_over_processes(loss)
        if not math.isfinite(mean_loss):
            raise DivergedError(
                f"the loss became {mean_loss} in epoch {epoch + 1}, step {step + 1}"
            )
        # One norm over all parameters: the direction of the step stays.
        max_norm = self.spec["grad_clip_norm"]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), max_norm)
        self.optimizer.step()
        self.averages.update(self.model)
        # Batches may differ in size; the loss of the epoch is the mean over its examples.
        self.progress.step = step + 1
        self.progress.loss_sum += mean_loss * len(rows)
        self.heartbeat.step(len(rows), epoch, mean_loss)
        self.checkpoint_or_stop()

    def _set_learning_rate(self, steps_done: int) -> None:
        factor = warmup_cosine(steps_done, self.total_steps, self.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.spec["lr"] * factor

    def _draw_batch(self, rows: torch.Tensor) -> BatchLoss:
        """Prepare the examples ``rows``, and draw the loss of this process's shard of them."""
        inputs = self.train.inputs[rows].to(self.device)
        images = self.train.prepare(inputs, self.generator)
        labels = self.train.labels[rows].to(self.device)
        shard, weight = self.processes.shard(len(rows))
        return self.loss.for_batch(
            images,
            labels,
            self.generator,
            shard,
            weight,
        )

    def _mean_over_processes(self, loss: torch.Tensor) -> float:
        # Each process's loss is weighted so that the mean over processes is that over examples.
        part_of_mean = loss.item() / self.processes.count
        (mean,) = self.processes.all_reduce_sum([part_of_mean], self.device)
        return mean

    def checkpoint_or_stop(self) -> None:
        """Save the state if it is time to or if the run is asked to stop; in that case stop.

        All processes decide alike: the signal or the time of one of them counts for all.

        Raises:
            StoppedError: A signal has asked one of the processes to stop.
        """
        reasons = [self.stop_request.signal, self.checkpointer.is_due()]
        reason_sums = self.processes.all_reduce_sum(reasons, self.device)
        signal_sum, due_sum = reason_sums
        if signal_sum or due_sum:
            self.checkpointer.save(self.progress, self.generator)
        if signal_sum:
            epochs_done = len(self.progress.history)
            raise StoppedError(f"after epoch {epochs_done}, step {self.progress.step}")


def split_batches(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Cut the order of the examples in batches.

    Args:
        order: Row numbers of the examples, int64 [n].
        size: Examples in a batch.

    Returns:
        The batches. A last batch of one example is left out, as BatchNorm cannot train on it,
        unless it is the only batch.
    """
    batches = list(order.split(size))
    last_has_one = len(batches[-1]) == 1
    if last_has_one and len(batches) > 1:
        batches.pop()
    return batches


@torch.no_grad()
def count_correct(
    model: torch.nn.Module,
    data: Batches,
    device: torch.device | str,
    batch_size: int = 100,
    after_batch: Callable[[], None] = lambda: None,
) -> int:
    """Count the examples whose largest logit is at the label; processes share the batches.

    Args:
        model: The model; it is left in evaluation mode.
        data: The examples.
        device: Where the model is.
        batch_size: Examples in a batch.
        after_batch: Every process calls it after each batch, also after those of the others.

    Returns:
        The number of correct examples over all processes.
    """
    model.eval()
    processes = Distributed()
    correct_count = 0
    all_rows = torch.arange(len(data.labels))
    for batch_number, rows in enumerate(all_rows.split(batch_size)):
        # The processes take turns.
        if batch_number % processes.count == processes.rank:
            inputs = data.inputs[rows].to(device)
            logits = model(data.prepare(inputs, None))
            predicted = logits.argmax(1).cpu()
            is_correct = predicted == data.labels[rows]
            correct_count += int(is_correct.sum())
        after_batch()
    (total,) = processes.all_reduce_sum([correct_count], device)
    return int(total)
