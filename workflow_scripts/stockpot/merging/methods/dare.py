"""DARE (Yu et al., ICML 2024): drop numbers of the updates at random and rescale the rest.

Each number of each update is dropped with probability ``drop``, else divided by 1 - drop;
the merge is the start plus ``scale`` times the mean of what is left.
"""

MIXES = "weights"
OPTIONS = {
    "drop": {
        "description": "probability that a number of an update is dropped",
        "type": "number",
        "minimum": 0,
        "exclusiveMaximum": 1,
        "default": 0.5,
    },
    "scale": {"type": "number", "exclusiveMinimum": 0, "default": 1.0},
    "seed": {"type": "integer", "minimum": 0, "default": 0},
}


def merge(ingredients: dict[str, str], context):
    from ..elementwise import elementwise

    start, spec = context.weights(context.start), context.spec
    shas = sorted(ingredients.values())
    weights = [context.weights(sha) for sha in shas]

    def rule(base, updates, name, begin):
        masks = [kept(sha, name, begin, updates.shape[1], spec) for sha in shas]
        rest = sum(update * mask for update, mask in zip(updates, masks)) / (1 - spec["drop"])
        return base + spec["scale"] * rest / len(shas)

    return elementwise(rule, start, weights, start.names)


def kept(sha256: str, name: str, begin: int, size: int, spec: dict):
    """bool [size]: which numbers of one ingredient's piece stay.

    The draw follows from the ingredient, the piece and the seed, not from who else is there.
    """
    import torch

    from ...runtime.code_digest import sha256 as digest

    seed = int(digest([spec["seed"], sha256, name, begin])[:12], 16)
    drawn = torch.rand(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn >= spec["drop"]
