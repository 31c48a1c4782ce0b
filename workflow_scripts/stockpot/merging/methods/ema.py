"""The exponential moving average along a run (WiSE-FT, C.3.2), or the mean of several such.

With mu_0 = 0 and mu_t = b mu_{t-1} + (1 - b) theta_t, the debiased average is mu_T / (1 - b^T).
The average biased to the start begins with mu_0 = theta_0, and so is mu_T + b^T theta_0: WiSE-FT
of the debiased one at alpha = 1 - b^T. Runs save mu_T for the decays in their ``ema_decays``.
"""

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Context, Method, NamedTensors


class Options(PluginOptions):
    """Options of the moving average.

    Attributes:
        decay: Decay b.
        biased: Whether the average begins at the initial weights.
    """

    decay: float = Field(
        0.99,
        gt=0,
        lt=1,
        description="decay b; the runs must list it under ema_decays",
    )
    biased: bool = Field(
        default=False,
        description="use the average that is biased to the zero-shot model, not the "
        "debiased one",
    )


METHOD = Method(
    options=Options,
    averages="ema",
    mixes="weights",
)


def merge(
    ingredients: dict[str, str],
    context: Context,
) -> NamedTensors:
    """Merge the moving averages of runs.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Yields:
        (name, merged tensor) in the order of the names.
    """
    from ..linear import lazy_tensor, mix

    start = context.weights(context.start)
    decay = context.spec["decay"]
    biased = context.spec["biased"]
    shas = sorted(ingredients.values())
    runs = [(context.weights(sha256), context.averages(sha256)) for sha256 in shas]
    run_count = len(runs)
    for name in start.names:
        terms = []
        for weights, averages in runs:
            average = averages.ema(decay, name)  # mu_T
            start_weight = decay**averages.steps  # b^T
            if average is None:
                # Tensors of integers are not averaged: the run's own.
                terms.append((1 / run_count, lazy_tensor(weights, name)))
            elif biased:
                terms.append((1 / run_count, average))
                terms.append((start_weight / run_count, lazy_tensor(start, name)))
            else:
                # 1 - b^T is the sum of the weights that mu_T gives to the steps.
                terms.append((1 / (run_count * (1 - start_weight)), average))
        yield name, mix(terms)
