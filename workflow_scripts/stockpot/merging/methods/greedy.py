"""The greedy soup (Model soups, recipe 1): selected on the held-out set only."""

import logging
import random
from typing import Any

from ..recipe import single, uniform
from ..rules import LINEAR
from . import Context, Method
from ._options import Order

METHOD = Method(options=Order)
log = logging.getLogger(__name__)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Find the greedy soup.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe, with the selected names and the trace of the selection.
    """
    return select(ingredients, context, LINEAR)


def select(
    ingredients: dict[str, str],
    context: Context,
    rule: str,
) -> dict[str, Any]:
    """Try the ingredients in order; keep each that does not hurt on the held-out set.

    A candidate stays if the mix with it is at least as good (``>=``, as in the paper; the
    original code asks for ``>``). Ties in the order go to the name that sorts first.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.
        rule: How the ingredients are mixed.

    Returns:
        The recipe, with the selected names (members) and a trace: per candidate its counts on
        the held-out set.
    """
    alone = {name: context.held_out(single(sha)) for name, sha in ingredients.items()}
    selected: list[str] = []
    # Images that the best mix so far gets right; any candidate is better than none.
    best: float = -1
    trace = []
    for candidate in _order(alone, context.spec):
        tried = [*selected, candidate]
        correct, image_count = context.held_out(_mean(tried, ingredients, rule))
        # Counts of the same images: no rounding decides.
        accepted = correct >= best
        if accepted:
            selected = tried
            best = correct
        trace.append(
            {
                "candidate": candidate,
                "alone_k": alone[candidate][0],
                "soup_k": correct,
                "n": image_count,
                "accepted": accepted,
            }
        )
        _log_step(trace[-1])
    recipe = _mean(selected, ingredients, rule)
    return {**recipe, "members": selected, "trace": trace}


def _log_step(step: dict[str, Any]) -> None:
    """Log one row of the trace."""
    log.info(
        "%s  alone %.2f %%  mixed %.2f %%  %s",
        step["candidate"],
        100 * step["alone_k"] / step["n"],
        100 * step["soup_k"] / step["n"],
        "in" if step["accepted"] else "out",
    )


def _mean(
    selected: list[str],
    ingredients: dict[str, str],
    rule: str,
) -> dict[str, Any]:
    """The mean of the selected ingredients.

    A mix of one model is that model by any rule. As a linear recipe its predictions are in the
    store already.
    """
    if len(selected) <= 1:
        rule = LINEAR
    return uniform([ingredients[name] for name in selected], rule=rule)


def _order(
    alone: dict[str, tuple[float, int]],
    spec: dict[str, Any],
) -> list[str]:
    """Names in the order in which they are tried."""
    if spec["order"] == "random":
        # A text as the seed: the order differs from other draws by the same number.
        return random.Random(f"order {spec['seed']}").sample(sorted(alone), len(alone))
    # From the best one down; equals by name, so that the order never depends on the config's.
    return sorted(alone, key=lambda name: (-alone[name][0], name))
