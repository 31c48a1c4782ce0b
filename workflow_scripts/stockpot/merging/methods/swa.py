"""Stochastic weight averaging (Izmailov et al., UAI 2018): the mean of a run's last steps.

A run averages its weights after every step, from the fraction of the training on that its option
``swa_start`` gives, under its own learning rate. Several runs give the mean of their averages.
"""

from . import Context, Method, NamedTensors

METHOD = Method(
    averages="swa",
    mixes="weights",
)


def merge(
    ingredients: dict[str, str],
    context: Context,
) -> NamedTensors:
    """Merge the averages of the last steps of runs.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Yields:
        (name, merged tensor) in the order of the names.
    """
    from ..linear import lazy_tensor, mix

    shas = sorted(ingredients.values())
    runs = [(context.weights(sha256), context.averages(sha256)) for sha256 in shas]
    for name in context.weights(context.start).names:
        terms = []
        for weights, averages in runs:
            average = averages.swa(name)
            # Tensors of integers are not averaged: the run's own.
            source = lazy_tensor(weights, name) if average is None else average
            terms.append((1 / len(runs), source))
        yield name, mix(terms)
