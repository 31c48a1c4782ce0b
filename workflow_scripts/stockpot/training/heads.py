"""Many linear classifiers over the same features, trained at once as one batch of heads."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from ..runtime.errors import Stopped
from ..runtime.stop import wishes
from .loop import Batches, batches
from .saved import read_state, write_state
from .schedule import warmup_cosine

log = logging.getLogger(__name__)
BETAS, EPS = (0.9, 0.999), 1e-8


@dataclass
class Settings:
    """What differs between the heads: float32 [s] each.

    weight_decay and l1 act on the weights alone, not on the biases.
    """

    lr: torch.Tensor
    weight_decay: torch.Tensor
    l1: torch.Tensor
    label_smoothing: torch.Tensor

    def __len__(self) -> int:
        return len(self.lr)


class Heads:
    """s linear heads with AdamW of their own: weights [s, classes, d], biases [s, classes].

    The gradient of the cross-entropy of all heads is one product of matrices forth and one
    back, so a step costs little more than that of one head until the products do.
    """

    def __init__(self, head: torch.nn.Linear, settings: Settings):
        n = len(settings)
        self.settings = settings
        self.tensors = [
            p.detach().float().expand(n, *p.shape).clone()
            for p in (head.weight, head.bias)
        ]
        self.first = [torch.zeros_like(p) for p in self.tensors]
        self.second = [torch.zeros_like(p) for p in self.tensors]
        self.steps = 0

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """features [b, d] -> [b, s, classes]."""
        weight, bias = self.tensors
        return torch.addmm(bias.reshape(-1), x, weight.reshape(-1, x.shape[1]).T).view(
            len(x), *bias.shape
        )

    def gradients(
        self, x: torch.Tensor, labels: torch.Tensor
    ) -> tuple[list, torch.Tensor]:
        """Of the mean loss of every head: [weights', biases'], and the losses [s].

        loss: cross-entropy with label smoothing, plus l1 times the sum of the magnitudes.
        """
        weight, bias = self.tensors
        logs = self.logits(x).log_softmax(2)
        e = self.settings.label_smoothing
        at_label = logs.gather(2, labels[:, None, None].expand(-1, len(e), 1))[..., 0]
        losses = -((1 - e) * at_label + e * logs.mean(2)).mean(0)
        losses = losses + self.settings.l1 * weight.abs().sum((1, 2))
        slope = logs.exp_() - (e / bias.shape[1])[:, None]
        slope.scatter_add_(
            2,
            labels[:, None, None].expand(-1, len(e), 1),
            (e - 1).expand(len(x), -1)[..., None],
        )
        slope /= len(x)
        of_weight = (slope.view(len(x), -1).T @ x).view(weight.shape)
        of_weight.addcmul_(weight.sign(), self.settings.l1[:, None, None])
        return [of_weight, slope.sum(0)], losses

    def step(self, x: torch.Tensor, labels: torch.Tensor, factor: float, clip: float):
        """One step of AdamW for all heads; clip: largest norm of each head's gradient.

        factor: of the learning rates. Returns the losses before the step, [s].
        """
        gradients, losses = self.gradients(x, labels)
        norms = sum(g.flatten(1).square().sum(1) for g in gradients).sqrt()
        scale = (clip / (norms + 1e-6)).clamp(max=1)
        self.steps += 1
        b1, b2 = BETAS
        lr = self.settings.lr * factor
        for p, g, m, v, decayed in zip(
            self.tensors, gradients, self.first, self.second, (True, False), strict=True
        ):
            shape = (-1,) + (1,) * (p.ndim - 1)
            g *= scale.view(shape)
            if decayed:
                p *= (1 - lr * self.settings.weight_decay).view(shape)
            m.lerp_(g, 1 - b1)
            v.mul_(b2).addcmul_(g, g, value=1 - b2)
            size = (v / (1 - b2**self.steps)).sqrt_().add_(EPS)
            p.addcdiv_(m * (-lr / (1 - b1**self.steps)).view(shape), size)
        return losses

    def correct(self, data: Batches) -> torch.Tensor:
        """int64 [s]: how many examples each head gets right; -1 of one that is not finite."""
        device = self.tensors[0].device
        hits = torch.zeros(len(self.settings), dtype=torch.int64, device=device)
        for x, labels in zip(data.inputs.split(500), data.labels.split(500)):
            hits += (
                self.logits(x.to(device)).argmax(2) == labels.to(device)[:, None]
            ).sum(0)
        finite = [p.flatten(1).isfinite().all(1) for p in self.tensors]
        return torch.where(finite[0] & finite[1], hits, -1).cpu()

    def state(self) -> dict:
        names = ("tensors", "first", "second")
        return {"steps": self.steps, **{name: getattr(self, name) for name in names}}


@torch.no_grad()
def fit_heads(
    head: torch.nn.Linear,
    settings: Settings,
    train: Batches,
    held_out: Batches,
    spec: dict,
    state_dir: Path,
) -> tuple[Heads, torch.Tensor]:
    """Train all heads from ``head``; they, and how many held-out examples each has right [s].

    spec: epochs, batch_size, warmup, clip, seed. Resumes from the last epoch in ``state_dir``;
    the order of an epoch's examples follows from (seed, epoch), as in ``loop.fit``.
    """
    heads, state, done = Heads(head, settings), Path(state_dir) / "state.pt", 0
    device = head.weight.device
    if state.exists() and (saved := read_state(state, device)):
        heads.steps, done = saved["steps"], saved["epochs"]
        for name in ("tensors", "first", "second"):
            for own, kept in zip(getattr(heads, name), saved[name], strict=True):
                own.copy_(kept)
        log.info("resumed after epoch %d", done)
    per_epoch = len(batches(torch.arange(len(train)), spec["batch_size"]))
    steps, started = per_epoch * spec["epochs"], time.monotonic()
    warmup = max(1, round(spec["warmup"] * steps))
    inputs, labels = train.inputs.to(device), train.labels.to(device)
    with wishes() as wish:
        for epoch in range(done, spec["epochs"]):
            generator = torch.Generator().manual_seed(spec["seed"] * 1_000_003 + epoch)
            for rows in batches(train.order(generator), spec["batch_size"]):
                factor = warmup_cosine(heads.steps, steps, warmup)
                heads.step(inputs[rows], labels[rows], factor, spec["clip"])
            write_state(state, {**heads.state(), "epochs": epoch + 1})
            left = (
                (time.monotonic() - started)
                / (epoch + 1 - done)
                * (spec["epochs"] - epoch - 1)
            )
            log.info(
                "%d heads  epoch %d/%d  %.0f s left",
                len(settings),
                epoch + 1,
                spec["epochs"],
                left,
            )
            if wish.signal:
                raise Stopped(f"after epoch {epoch + 1}")
    return heads, heads.correct(held_out)
