"""Stochastic weight averaging (Izmailov et al., UAI 2018): the mean of a run's last steps.

The mean of the weights after every step from the share of the training that the run's ``swa``
names, under the run's own learning rate; with several runs, the mean of their averages.
"""

from . import Method

METHOD = Method(averages="swa", mixes="weights")


def merge(ingredients: dict[str, str], context):
    from ..linear import mix, stored

    runs = [
        (context.weights(sha), context.averages(sha))
        for sha in sorted(ingredients.values())
    ]
    for name in context.weights(context.start).names:
        found = [
            (stored(weights, name), averages.swa(name)) for weights, averages in runs
        ]
        yield (
            name,
            mix(
                [(1 / len(runs), own if mean is None else mean) for own, mean in found]
            ),
        )
