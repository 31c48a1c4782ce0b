"""The greedy soup (Model soups, recipe 1): selected on the held-out set alone."""

import logging
import random

from ..names import LINEAR
from ..recipe import single, uniform
from . import Method
from ._options import Order

METHOD = Method(options=Order)
log = logging.getLogger(__name__)


def find(ingredients: dict[str, str], context) -> dict:
    return select(ingredients, context, LINEAR)


def select(ingredients: dict[str, str], context, rule: str) -> dict:
    """Try the ingredients in order; keep each that does not hurt on the held-out set.

    A candidate stays when the mix with it is at least as good (``>=``, as in the paper; the
    originals' code asks for ``>``). Ties in the order go to the name that sorts first. The
    recipe carries its members and the whole trace with held-out counts.
    """
    alone = {name: context.held_out(single(sha)) for name, sha in ingredients.items()}
    members: list[str] = []
    best, trace = -1, []
    for candidate in _order(alone, context.spec):
        tried = [*members, candidate]
        k, n = context.held_out(
            uniform([ingredients[name] for name in tried], rule=_rule(tried, rule))
        )
        accepted = k >= best
        if accepted:
            members, best = tried, k
        trace.append(
            {
                "candidate": candidate,
                "alone_k": alone[candidate][0],
                "soup_k": k,
                "n": n,
                "accepted": accepted,
            }
        )
        log.info(
            "%s  alone %.2f %%  mixed %.2f %%  %s",
            candidate,
            100 * alone[candidate][0] / n,
            100 * k / n,
            "in" if accepted else "out",
        )
    recipe = uniform([ingredients[name] for name in members], rule=_rule(members, rule))
    return {**recipe, "members": members, "trace": trace}


def _rule(members: list[str], rule: str) -> str:
    """A mix of one model is that model, whatever the rule: its predictions are there already."""
    return rule if len(members) > 1 else LINEAR


def _order(alone: dict[str, tuple[int, int]], spec: dict) -> list[str]:
    if spec["order"] == "random":
        return random.Random(f"order {spec['seed']}").sample(sorted(alone), len(alone))
    return sorted(alone, key=lambda name: (-alone[name][0], name))
