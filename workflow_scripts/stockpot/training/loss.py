"""What a training step minimises: cross-entropy, and what may be added to it.

    (1 - a) CE(f, y) + a CE(f, f_start) + l ||theta - theta_start||^2 + l1 ||theta||_1

with label smoothing and mixup in the first term, distillation from the start in the second
(WiSE-FT C.3.3, equation 3), and L2-SP (WiSE-FT section 4, "regularise to zero-shot") third.

A new term is a term here, and an option of the training variants that take it: in
``variants/end_to_end.py``, or in ``variants/_options.py`` for all of them.
"""

from collections.abc import Callable

import torch
from torch.nn import functional

BatchLoss = Callable[[torch.nn.Module], torch.Tensor]


class Loss:
    """One run's loss; draws what is random once per batch, so that a step may ask for it twice."""

    def __init__(self, spec: dict, start: torch.nn.Module | None = None):
        """
        Args:
            spec: label_smoothing, mixup (alpha of its Beta distribution), distill (a), l2_start
                (l), l1; what is missing counts as 0.
            start: A model of its own, in evaluation mode, needed for the two terms that name it.
        """
        self.smoothing = spec["label_smoothing"]
        self.mixup = spec.get("mixup", 0)
        self.distill = spec.get("distill", 0)
        self.l2_start, self.l1 = spec.get("l2_start", 0), spec.get("l1", 0)
        self.start = start.requires_grad_(False) if start is not None else None

    def for_batch(
        self,
        x: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
        rows: slice = slice(None),
        weight: float = 1.0,
    ) -> BatchLoss:
        """The loss on one batch.

        Args:
            x: Images.
            labels: int64 [n].
            generator: Draws what is random.
            rows: Of the batch, once it is mixed, those that this process looks at.
            weight: Of their loss.

        Returns:
            The loss as a function of the model.
        """
        share = 1.0
        mixed_in = labels
        if self.mixup:
            share, order = _mixed(self.mixup, len(x), generator)
            x = share * x + (1 - share) * x[order]
            mixed_in = labels[order]
        x, labels, mixed_in = x[rows], labels[rows], mixed_in[rows]
        teacher = None
        if self.distill:
            with torch.no_grad():
                teacher = self.start(x).softmax(1)

        def loss(model: torch.nn.Module) -> torch.Tensor:
            logits = model(x)
            total = self._cross_entropy(logits, labels)
            if share != 1:
                total = share * total + (1 - share) * self._cross_entropy(
                    logits, mixed_in
                )
            if teacher is not None:
                copied = functional.cross_entropy(logits, teacher)
                total = (1 - self.distill) * total + self.distill * copied
            if self.l2_start:
                total = total + self.l2_start * _squared_distance(model, self.start)
            if self.l1:
                total = total + self.l1 * _l1_norm(model)
            return total if weight == 1 else weight * total

        return loss

    def _cross_entropy(
        self, logits: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        return functional.cross_entropy(logits, labels, label_smoothing=self.smoothing)


def _mixed(
    alpha: float, n: int, generator: torch.Generator
) -> tuple[float, torch.Tensor]:
    """mixup (Zhang et al., ICLR 2018): the first image's share, and whom each is mixed with."""
    # Beta(a, a) from two gamma variables, which torch draws from a generator of its own.
    gammas = torch._standard_gamma(torch.full((2,), float(alpha)), generator=generator)
    share = float(gammas[0] / gammas.sum()) if float(gammas.sum()) > 0 else 1.0
    return share, torch.randperm(n, generator=generator)


def _squared_distance(model: torch.nn.Module, start: torch.nn.Module) -> torch.Tensor:
    """Squared distance over the parameters that are trained."""
    pairs = zip(model.parameters(), start.parameters(), strict=True)
    return sum((p - q).square().sum() for p, q in pairs if p.requires_grad)


def _l1_norm(model: torch.nn.Module) -> torch.Tensor:
    """Sum of magnitudes of the matrices that are trained."""
    return sum(
        p.abs().sum() for p in model.parameters() if p.requires_grad and p.ndim >= 2
    )
