"""The exponential moving average along a run (WiSE-FT, C.3.2), or the mean of several runs' own.

With mu_0 = 0 and mu_t = b mu_{t-1} + (1 - b) theta_t, the debiased average is mu_T / (1 - b^T);
the one biased to the start begins with mu_0 = theta_0, and so is mu_T + b^T theta_0: WiSE-FT of
the debiased one at alpha = 1 - b^T. Runs save mu_T for the decays that their ``ema`` lists.
"""

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Method


class Options(PluginOptions):
    decay: float = Field(
        0.99,
        gt=0,
        lt=1,
        description="decay b, one of those that the runs list under ema",
    )
    biased: bool = Field(False, description="biased to the start, instead of debiased")


METHOD = Method(options=Options, averages="ema", mixes="weights")


def merge(ingredients: dict[str, str], context):
    from ..linear import mix, stored

    start, b, biased = (
        context.weights(context.start),
        context.spec["decay"],
        context.spec["biased"],
    )
    runs = [
        (context.weights(sha), context.averages(sha))
        for sha in sorted(ingredients.values())
    ]
    k = len(runs)
    for name in start.names:
        pairs = []
        for weights, averages in runs:
            mean, left = averages.ema(b, name), b**averages.steps
            if mean is None:
                pairs.append((1 / k, stored(weights, name)))
            elif biased:
                pairs += [(1 / k, mean), (left / k, stored(start, name))]
            else:
                pairs.append((1 / (k * (1 - left)), mean))
        yield name, mix(pairs)
