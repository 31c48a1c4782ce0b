"""What a training step minimises: cross-entropy, and the terms that a run may add to it.

    (1 - a) CE(f, y) + a CE(f, f_0) + l ||theta - theta_0||^2 + l1 ||theta||_1

f_0 and theta_0 are the initial model and its weights. The first term has label smoothing
and mixup, the second is distillation from the initial model (WiSE-FT C.3.3, equation 3), and
the third is L2-SP (WiSE-FT section 4, "regularise to zero-shot").

A new term is a term in ``BatchLoss.__call__``, and an option of the training variants that
take it: in ``variants/end_to_end.py``, or in ``variants/_options.py`` for all of them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional


class Loss:
    """The loss of one run: its terms and their weights.

    Attributes:
        label_smoothing: Smoothing of the labels in the cross-entropy.
        mixup: Alpha of mixup's Beta distribution; 0 turns mixup off.
        distillation_weight: a in the formula above.
        l2_weight: l in the formula above.
        l1_weight: l1 in the formula above.
        initial_model: The model f_0, whose parameters get no gradients.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        initial_model: torch.nn.Module | None = None,
    ):
        """Read the terms of the loss from a run's hyperparameters.

        Args:
            spec: label_smoothing, mixup (alpha of its Beta distribution), distillation_weight (a),
                l2_sp (l), l1; what is missing counts as 0.
            initial_model: A copy of the initial model, in evaluation mode; needed for the two
                terms that refer to it. It is not trained.
        """
        self.label_smoothing = spec["label_smoothing"]
        self.mixup = spec.get("mixup", 0)
        self.distillation_weight = spec.get("distillation_weight", 0)
        self.l2_weight = spec.get("l2_sp", 0)
        self.l1_weight = spec.get("l1", 0)
        self.initial_model = initial_model
        if initial_model is not None:
            initial_model.requires_grad_(requires_grad=False)

    def for_batch(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
        rows: slice = slice(None),
        weight: float = 1.0,
    ) -> "BatchLoss":
        """Draw what is random in the loss of one batch.

        Args:
            images: Inputs of the model [n, ...].
            labels: int64 [n].
            generator: The source of mixup's random draws.
            rows: The examples of the mixed batch that this process looks at.
            weight: Factor on the loss of this process.

        Returns:
            The loss of the batch as a function of the model. Calls draw nothing, so that SAM can
            evaluate the same loss at two points.
        """
        label_weight = 1.0
        mixup_labels = labels
        if self.mixup:
            # The whole batch is mixed before a process takes its rows, so that the result does
            # not depend on the number of processes.
            label_weight, order = _draw_mixup(self.mixup, len(images), generator)
            images = label_weight * images + (1 - label_weight) * images[order]
            mixup_labels = labels[order]
        # From here on a process sees only its own rows.
        images = images[rows]
        teacher_probabilities = None
        if self.distillation_weight:
            with torch.no_grad():
                teacher_probabilities = self.initial_model(images).softmax(1)
        return BatchLoss(
            terms=self,
            images=images,
            labels=labels[rows],
            mixup_labels=mixup_labels[rows],
            label_weight=label_weight,
            teacher_probabilities=teacher_probabilities,
            weight=weight,
        )


@dataclass(frozen=True)
class BatchLoss:
    """The loss of one batch as a function of the model.

    Attributes:
        terms: The loss of the run.
        images: Inputs of the model, mixed where mixup is on [n, ...].
        labels: int64 [n].
        mixup_labels: Labels of the images that were mixed in, int64 [n].
        label_weight: Weight of ``labels``; ``mixup_labels`` have the rest.
        teacher_probabilities: Softmax outputs of the initial model [n, classes], or None.
        weight: Factor on the whole loss.
    """

    terms: Loss
    images: torch.Tensor
    labels: torch.Tensor
    mixup_labels: torch.Tensor
    label_weight: float
    teacher_probabilities: torch.Tensor | None
    weight: float

    def __call__(self, model: torch.nn.Module) -> torch.Tensor:
        """Compute the loss.

        Args:
            model: The model that is trained.

        Returns:
            The loss, a tensor without dimensions.
        """
        terms = self.terms
        # Cross-entropy, or mixup's weighted mean of that with each of the two labels.
        logits = model(self.images)
        total = self._cross_entropy(logits, self.labels)
        if self.label_weight != 1:
            mixup_term = self._cross_entropy(logits, self.mixup_labels)
            total = self.label_weight * total + (1 - self.label_weight) * mixup_term
        if self.teacher_probabilities is not None:
            # (1 - a) CE(f, y) + a CE(f, f_0)
            a = terms.distillation_weight
            distillation = functional.cross_entropy(logits, self.teacher_probabilities)
            total = (1 - a) * total + a * distillation
        # Penalties on the weights.
        if terms.l2_weight:
            distance = _squared_distance(model, terms.initial_model)
            total = total + terms.l2_weight * distance
        if terms.l1_weight:
            total = total + terms.l1_weight * _l1_norm(model)
        if self.weight == 1:
            return total
        return self.weight * total

    def _cross_entropy(
        self,
        logits: torch.Tensor,
        labels: torch.Tensor,
    ) -> torch.Tensor:
        smoothing = self.terms.label_smoothing
        return functional.cross_entropy(logits, labels, label_smoothing=smoothing)


def _draw_mixup(
    alpha: float,
    image_count: int,
    generator: torch.Generator,
) -> tuple[float, torch.Tensor]:
    """Draw the first image's weight and each image's partner (Zhang et al., ICLR 2018)."""
    # Beta(a, a) from two gamma variables: only these can be drawn from a given generator.
    concentrations = torch.full((2,), float(alpha))
    gammas = torch._standard_gamma(concentrations, generator=generator)
    gamma_sum = gammas.sum()
    # With a tiny alpha both gammas can underflow to 0; such a batch is not mixed.
    first_weight = 1.0
    if float(gamma_sum) > 0:
        first_weight = float(gammas[0] / gamma_sum)
    partners = torch.randperm(image_count, generator=generator)
    return first_weight, partners


def _squared_distance(
    model: torch.nn.Module,
    initial_model: torch.nn.Module,
) -> torch.Tensor:
    """Squared distance to the initial model over the parameters that are trained."""
    pairs = zip(model.parameters(), initial_model.parameters(), strict=True)
    return sum(
        (parameter - initial).square().sum()
        for parameter, initial in pairs
        if parameter.requires_grad
    )


def _l1_norm(model: torch.nn.Module) -> torch.Tensor:
    """Sum of magnitudes of the matrices that are trained; biases do not count."""
    return sum(
        parameter.abs().sum()
        for parameter in model.parameters()
        if parameter.requires_grad and parameter.ndim >= 2
    )
