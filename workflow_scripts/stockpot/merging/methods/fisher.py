"""Fisher merging (Matena and Raffel, NeurIPS 2022): each number weighted by its information.

theta = sum_i F_i theta_i / sum_i F_i with the diagonal Fisher information F_i of ingredient i
on training images, at least ``floor``. Two running sums are in memory beside one model, its
gradient and its information, whatever the number of ingredients.
"""

import logging
import time
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Context, Method, NamedTensors

if TYPE_CHECKING:
    import torch


class Options(PluginOptions):
    """Options of Fisher merging.

    Attributes:
        images: Number of training images.
        floor: Least information of a number.
        seed: Seed of the labels.
    """

    images: int = Field(
        500,
        ge=1,
        description="number of training images on which the Fisher information is "
        "estimated",
    )
    floor: float = Field(
        1.0e-8,
        gt=0,
        description="smallest Fisher information; it replaces smaller values",
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the draw of labels",
    )


METHOD = Method(
    options=Options,
    mixes="weights",
    reads_training=True,
)

log = logging.getLogger(__name__)


def merge(
    ingredients: dict[str, str],
    context: Context,
) -> NamedTensors:
    """Merge by Fisher information.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Yields:
        (name, merged tensor) in the order of the names.
    """
    from ..linear import lazy_tensor, mix

    weighted_sums, information_sums = _running_sums(ingredients, context)
    shas = sorted(ingredients.values())
    start = context.weights(context.start)
    for name in start.names:
        if name in weighted_sums:
            # Each sum is dropped when its tensor is done, to free memory.
            merged = weighted_sums.pop(name) / information_sums.pop(name)
            yield name, merged.to(start[name].dtype)
        else:
            # Buffers carry no information: the plain mean; counters are those of the first.
            terms = [
                (1 / len(shas), lazy_tensor(context.weights(sha256), name))
                for sha256 in shas
            ]
            yield name, mix(terms)


def _running_sums(
    ingredients: dict[str, str],
    context: Context,
) -> tuple[dict[str, "torch.Tensor"], dict[str, "torch.Tensor"]]:
    """(sum_i F_i theta_i, sum_i F_i) of every parameter, float64."""
    import torch

    from ..fisher_information import fisher_diagonal
    from ..linear import lazy_tensor, load_tensor

    names = {sha256: name for name, sha256 in ingredients.items()}
    shas = sorted(ingredients.values())
    model, batches = context.model("train")
    images = _images(model, batches, context.spec["images"])
    weighted_sums: dict[str, torch.Tensor] = {}
    information_sums: dict[str, torch.Tensor] = {}
    started = time.monotonic()
    # Sorted, so that sums are rounded alike whatever the order of the ingredients.
    for done, sha256 in enumerate(shas, 1):
        weights = context.weights(sha256)
        tensors = {
            name: load_tensor(lazy_tensor(weights, name)) for name in weights.names
        }
        model.load_state_dict(tensors)
        # The same draws for every ingredient.
        generator = torch.Generator().manual_seed(context.spec["seed"])
        for name, diagonal in fisher_diagonal(model, images, generator).items():
            # The floor keeps the mean defined where no ingredient has information.
            information = diagonal.cpu().double().clamp_min_(context.spec["floor"])
            if done == 1:
                weighted_sums[name] = torch.zeros_like(information)
                information_sums[name] = torch.zeros_like(information)
            # sum_i F_i theta_i and sum_i F_i grow by one ingredient.
            values = load_tensor(lazy_tensor(weights, name)).double()
            weighted_sums[name] += information * values
            information_sums[name] += information
        _log_progress(
            names[sha256],
            done,
            len(shas),
            started,
        )
    return weighted_sums, information_sums


def _images(
    model: "torch.nn.Module",
    batches: Any,
    count: int,
) -> "torch.Tensor":
    """Normalised training images on the model's device, float32 [count, 3, h, w]."""
    import torch

    from ...datasets.dataset import spread_rows

    rows = torch.from_numpy(spread_rows(batches.labels.numpy(), count))
    device = next(model.parameters()).device
    return batches.prepare(batches.inputs[rows].to(device), None)


def _log_progress(
    name: str,
    done: int,
    total: int,
    started: float,
) -> None:
    seconds_left = (time.monotonic() - started) / done * (total - done)
    log.info("information of %s  %d/%d  %.0f s left", name, done, total, seconds_left)
