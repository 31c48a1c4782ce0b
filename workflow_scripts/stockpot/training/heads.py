"""Many linear classifiers over the same features, trained at once as one batch of heads.

Shapes: b examples in a batch, s heads, d features.
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..runtime.errors import StoppedError
from ..runtime.stop_requests import catch_stop_signals
from .loop import SEED_STRIDE, Batches, split_batches
from .schedule import warmup_cosine
from .state_file import read_state, write_state

log = logging.getLogger(__name__)

# AdamW as torch has it by default (Kingma & Ba, 2015; Loshchilov & Hutter, 2019).
BETA_1 = 0.9
BETA_2 = 0.999
ADAM_EPSILON = 1e-8
CLIP_EPSILON = 1e-6  # as in torch.nn.utils.clip_grad_norm_
EVALUATION_BATCH_SIZE = 500


@dataclass
class HeadHyperparameters:
    """The hyperparameters in which the heads differ, float32 [s] each.

    Attributes:
        lr: Peak learning rates.
        weight_decay: Weight decay of the weights; biases have none.
        l1: Factors on the sum of the magnitudes of the weights; biases do not count.
        label_smoothing: Smoothing of the labels in the cross-entropy.
    """

    lr: torch.Tensor
    weight_decay: torch.Tensor
    l1: torch.Tensor
    label_smoothing: torch.Tensor

    def __len__(self) -> int:
        """Count the heads."""
        return len(self.lr)


class Heads:
    """s linear heads, each with its own AdamW.

    The gradient of the cross-entropy of all heads takes one matrix product forward and one
    backward, so a step costs little more than that of one head until these products dominate.

    Attributes:
        hyperparameters: The hyperparameters of the heads.
        tensors: Weights [s, classes, d] and biases [s, classes], float32.
        exp_avg: AdamW's first moments, like ``tensors``.
        exp_avg_sq: AdamW's second moments, like ``tensors``.
        steps: Steps that were taken.
    """

    def __init__(self, head: torch.nn.Linear, hyperparameters: HeadHyperparameters):
        """Give all heads the same initial weights.

        Args:
            head: The initial weights of all heads.
            hyperparameters: The hyperparameters of the heads.
        """
        head_count = len(hyperparameters)
        self.hyperparameters = hyperparameters
        self.tensors = []
        for parameter in (head.weight, head.bias):
            initial = parameter.detach().float()
            repeated = initial.expand(head_count, *initial.shape)
            self.tensors.append(repeated.clone())
        self.exp_avg = [torch.zeros_like(tensor) for tensor in self.tensors]
        self.exp_avg_sq = [torch.zeros_like(tensor) for tensor in self.tensors]
        self.steps = 0

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Compute the logits of all heads.

        Args:
            features: float32 [b, d].

        Returns:
            float32 [b, s, classes].
        """
        weight, bias = self.tensors
        # The heads side by side are one linear layer with s * classes outputs.
        flat_weight = weight.reshape(-1, features.shape[1])
        flat_logits = torch.addmm(bias.reshape(-1), features, flat_weight.T)
        return flat_logits.view(len(features), *bias.shape)

    def gradients(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Compute each head's loss and its gradients.

        The loss of a head is the mean cross-entropy with label smoothing e over c classes, plus
        l1 ||W||_1. With log-probabilities log p of one example with label y, it is

            -(1 - e) log p_y - e/c sum_k log p_k + l1 ||W||_1

        Args:
            features: float32 [b, d].
            labels: int64 [b].

        Returns:
            The gradients, shaped like ``tensors``, and the losses [s].
        """
        weight, bias = self.tensors
        l1 = self.hyperparameters.l1
        smoothing = self.hyperparameters.label_smoothing
        # The label of each example, once per head, as gather and scatter take it: [b, s, 1].
        label_index = labels[:, None, None].expand(-1, len(smoothing), 1)

        log_probabilities = self.logits(features).log_softmax(2)
        at_label = log_probabilities.gather(2, label_index)[..., 0]
        over_classes = log_probabilities.mean(2)
        # Cross-entropy with smoothed labels, of each example and head: [b, s].
        smoothed = (1 - smoothing) * at_label + smoothing * over_classes
        losses = -smoothed.mean(0)
        l1_norms = weight.abs().sum((1, 2))
        losses = losses + l1 * l1_norms

        # d loss / d logits_k = (p_k - e/c - (1 - e) [k = y]) / b. The probabilities take the
        # memory of their logarithms, which are no longer needed.
        probabilities = log_probabilities.exp_()
        class_count = bias.shape[1]
        smoothing_share = smoothing / class_count
        grad_logits = probabilities - smoothing_share[:, None]
        label_term = smoothing - 1
        label_terms = label_term.expand(len(features), -1)[..., None]
        grad_logits.scatter_add_(2, label_index, label_terms)
        grad_logits /= len(features)

        # logits = W x + bias: grad_W = grad_logits^T x + l1 sign(W), grad_bias = grad_logits.
        flat_grad_logits = grad_logits.view(len(features), -1)
        grad_weight = (flat_grad_logits.T @ features).view(weight.shape)
        grad_weight.addcmul_(weight.sign(), l1[:, None, None])
        grad_bias = grad_logits.sum(0)
        return [grad_weight, grad_bias], losses

    def step(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        lr_factor: float,
        max_norm: float,
    ) -> torch.Tensor:
        """Take one step of AdamW with all heads.

        Args:
            features: float32 [b, d].
            labels: int64 [b].
            lr_factor: Factor on all learning rates, from the schedule.
            max_norm: Largest norm of each head's gradient; a larger gradient is scaled to it.

        Returns:
            The losses before the step [s].
        """
        gradients, losses = self.gradients(features, labels)
        # The gradient of each head, weight and bias together, is clipped by its own norm.
        squared_norms = sum(g.flatten(1).square().sum(1) for g in gradients)
        norms = squared_norms.sqrt()
        clip_factor = (max_norm / (norms + CLIP_EPSILON)).clamp(max=1)
        self.steps += 1
        lr = self.hyperparameters.lr * lr_factor
        weight_decay_factor = 1 - lr * self.hyperparameters.weight_decay
        for index, gradient in enumerate(gradients):
            gradient *= _per_head(clip_factor, gradient)
            if index == 0:  # AdamW decays the weights, and not the biases
                self.tensors[index] *= _per_head(weight_decay_factor, gradient)
            self._adam_update(index, gradient, lr)
        return losses

    def _adam_update(
        self,
        index: int,
        gradient: torch.Tensor,
        lr: torch.Tensor,
    ) -> None:
        """Adam (Kingma & Ba, 2015, algorithm 1) on one of ``tensors``, in place."""
        first_moment = self.exp_avg[index]
        second_moment = self.exp_avg_sq[index]
        # m <- b1 m + (1 - b1) g and v <- b2 v + (1 - b2) g^2
        first_moment.lerp_(gradient, 1 - BETA_1)
        second_moment.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        # theta <- theta - lr m' / (sqrt(v') + epsilon), where m' and v' are without the bias of
        # the first steps: m' = m / (1 - b1^t), v' = v / (1 - b2^t).
        corrected_second = second_moment / (1 - BETA_2**self.steps)
        denominator = corrected_second.sqrt_().add_(ADAM_EPSILON)
        step_size = -lr / (1 - BETA_1**self.steps)
        numerator = first_moment * _per_head(step_size, gradient)
        self.tensors[index].addcdiv_(numerator, denominator)

    def count_correct(self, data: Batches) -> torch.Tensor:
        """Count the examples that each head gets right.

        Args:
            data: Features and labels.

        Returns:
            int64 [s] on the CPU; -1 for a head with a weight that is not finite.
        """
        weight, bias = self.tensors
        device = weight.device
        correct_counts = torch.zeros(len(weight), dtype=torch.int64, device=device)
        for features, labels in zip(
            data.inputs.split(EVALUATION_BATCH_SIZE),
            data.labels.split(EVALUATION_BATCH_SIZE),
        ):
            logits = self.logits(features.to(device))
            predicted = logits.argmax(2)
            # One label per example, compared with the answers of all heads: [b, s].
            is_correct = predicted == labels.to(device)[:, None]
            correct_counts += is_correct.sum(0)
        weight_is_finite = weight.flatten(1).isfinite().all(1)
        bias_is_finite = bias.flatten(1).isfinite().all(1)
        is_finite = weight_is_finite & bias_is_finite
        return torch.where(is_finite, correct_counts, -1).cpu()

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` takes.

        Returns:
            The steps, the heads and their moments.
        """
        return {
            "steps": self.steps,
            "tensors": self.tensors,
            "exp_avg": self.exp_avg,
            "exp_avg_sq": self.exp_avg_sq,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the heads to what they were.

        Args:
            state_dict: What ``state_dict`` returned.
        """
        self.steps = state_dict["steps"]
        for name in ("tensors", "exp_avg", "exp_avg_sq"):
            for tensor, saved in zip(
                getattr(self, name),
                state_dict[name],
                strict=True,
            ):
                tensor.copy_(saved)


def _per_head(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """View one number per head so that it multiplies a tensor [s, ...]."""
    ones = (1,) * (like.ndim - 1)
    return values.view(-1, *ones)


@torch.no_grad()
def fit_heads(
    head: torch.nn.Linear,
    hyperparameters: HeadHyperparameters,
    train: Batches,
    held_out: Batches,
    spec: dict[str, Any],
    state_dir: Path,
) -> tuple[Heads, torch.Tensor]:
    """Train many heads from the same initial weights.

    Resumes from the last epoch in ``state_dir``; the order of an epoch's examples follows from
    (seed, epoch), as in ``loop.fit``.

    Args:
        head: The initial weights.
        hyperparameters: The hyperparameters of each head.
        train: Features and labels of the training set.
        held_out: Features and labels of the held-out set.
        spec: epochs, batch_size, warmup (fraction of the steps), grad_clip_norm (largest
            norm of a head's gradient) and seed.
        state_dir: Folder of the state that a stopped run resumes from.

    Returns:
        The heads, and how many held-out examples each has right, int64 [s].

    Raises:
        StoppedError: A signal has asked to stop, and the state is saved.
    """
    device = head.weight.device
    heads = Heads(head, hyperparameters)
    state_path = Path(state_dir) / "state.pt"
    epochs_done = _resume(heads, state_path, device)
    # Every epoch has the same number of batches, whatever their order.
    any_order = torch.arange(len(train))
    steps_per_epoch = len(split_batches(any_order, spec["batch_size"]))
    total_steps = steps_per_epoch * spec["epochs"]
    warmup_steps = max(1, round(spec["warmup"] * total_steps))
    # Features are small, so that all of them fit on the device.
    inputs = train.inputs.to(device)
    labels = train.labels.to(device)
    start_time = time.monotonic()
    # Epochs are short, so that the state is saved and a signal is heard after each.
    with catch_stop_signals() as stop_request:
        for epoch in range(epochs_done, spec["epochs"]):
            seed = spec["seed"] * SEED_STRIDE + epoch
            order = train.order(torch.Generator().manual_seed(seed))
            for rows in split_batches(order, spec["batch_size"]):
                lr_factor = warmup_cosine(heads.steps, total_steps, warmup_steps)
                heads.step(
                    inputs[rows],
                    labels[rows],
                    lr_factor,
                    spec["grad_clip_norm"],
                )
            write_state(state_path, {**heads.state_dict(), "epochs": epoch + 1})
            seconds = time.monotonic() - start_time
            mean_seconds = seconds / (epoch + 1 - epochs_done)
            _log_progress(
                len(hyperparameters),
                epoch,
                spec["epochs"],
                mean_seconds,
            )
            if stop_request.signal:
                raise StoppedError(f"after epoch {epoch + 1}")
    return heads, heads.count_correct(held_out)


def _resume(
    heads: Heads,
    state_path: Path,
    device: torch.device,
) -> int:
    """Load the heads of a run that was stopped; returns the epochs that are done."""
    if not state_path.exists():
        return 0
    saved = read_state(state_path, device)
    if saved is None:
        return 0
    heads.load_state_dict(saved)
    log.info("resumed after epoch %d", saved["epochs"])
    return saved["epochs"]


def _log_progress(
    head_count: int,
    epoch: int,
    epochs: int,
    seconds_per_epoch: float,
) -> None:
    seconds_left = seconds_per_epoch * (epochs - epoch - 1)
    log.info(
        "%d heads  epoch %d/%d  %.0f s left",
        head_count,
        epoch + 1,
        epochs,
        seconds_left,
    )
