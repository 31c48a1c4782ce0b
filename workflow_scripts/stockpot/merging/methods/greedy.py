"""The greedy soup (Model soups, recipe 1): selected on the held-out set alone."""

import logging

from ..recipe import single, uniform

log = logging.getLogger(__name__)


def find(ingredients: dict[str, str], context) -> dict:
    """Try the ingredients from the best on the held-out set down; keep each that does not hurt.

    A candidate stays when the soup with it is at least as good (``>=``, as in the paper;
    the originals' code asks for ``>``). Ties in the order go to the name that sorts first.
    The recipe carries its members and the whole trace with held-out counts.
    """
    alone = {name: context.held_out(single(sha)) for name, sha in ingredients.items()}
    order = sorted(ingredients, key=lambda name: (-alone[name][0], name))
    members: list[str] = []
    best, trace = -1, []
    for candidate in order:
        tried = [*members, candidate]
        k, n = context.held_out(uniform([ingredients[name] for name in tried]))
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
            "%s  alone %.2f %%  soup %.2f %%  %s",
            candidate, 100 * alone[candidate][0] / n, 100 * k / n, "in" if accepted else "out",
        )  # fmt: skip
    recipe = uniform([ingredients[name] for name in members])
    return {**recipe, "members": members, "trace": trace}
