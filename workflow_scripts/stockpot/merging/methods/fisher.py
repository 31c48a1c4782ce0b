"""Fisher merging (Matena and Raffel, NeurIPS 2022): each number weighted by its information.

theta = sum_i F_i theta_i / sum_i F_i with the diagonal Fisher information F_i of ingredient i
on training images, at least ``floor``. Two running sums are in memory beside one model, its
gradient and its information, whatever the number of ingredients.
"""

import logging
import time

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Method


class Options(PluginOptions):
    images: int = Field(
        500,
        ge=1,
        description="number of training images that the information is taken over",
    )
    floor: float = Field(
        1.0e-8, gt=0, description="least information, where there is none"
    )
    seed: int = Field(0, ge=0, description="seed of the drawn labels")


METHOD = Method(options=Options, mixes="weights", reads_training=True)

log = logging.getLogger(__name__)


def merge(ingredients: dict[str, str], context):
    import torch

    from ...datasets.dataset import some_rows
    from ..fisher_information import fisher_diagonal
    from ..linear import mix, stored, whole

    spec, shas = context.spec, sorted(ingredients.values())
    names = {sha: name for name, sha in ingredients.items()}
    model, batches = context.model("train")
    rows = torch.from_numpy(some_rows(batches.labels.numpy(), spec["images"]))
    images = batches.prepare(
        batches.inputs[rows].to(next(model.parameters()).device), None
    )
    above, below, started = {}, {}, time.monotonic()
    for done, sha in enumerate(shas, 1):
        weights = context.weights(sha)
        model.load_state_dict(
            {name: whole(stored(weights, name)) for name in weights.names}
        )
        generator = torch.Generator().manual_seed(spec["seed"])
        for name, found in fisher_diagonal(model, images, generator).items():
            found = found.cpu().double().clamp_min_(spec["floor"])
            if done == 1:
                above[name], below[name] = (
                    torch.zeros_like(found),
                    torch.zeros_like(found),
                )
            above[name] += found * whole(stored(weights, name)).double()
            below[name] += found
        left = (time.monotonic() - started) / done * (len(shas) - done)
        log.info(
            "information of %s  %d/%d  %.0f s left", names[sha], done, len(shas), left
        )
    start = context.weights(context.start)
    for name in start.names:
        if name in above:
            yield name, (above.pop(name) / below.pop(name)).to(start[name].dtype)
        else:  # buffers carry no information: the plain mean, and counters those of the start
            yield (
                name,
                mix(
                    [
                        (1 / len(shas), stored(context.weights(sha), name))
                        for sha in shas
                    ]
                ),
            )
