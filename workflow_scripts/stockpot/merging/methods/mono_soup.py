"""MonoSoup (Abdollahpoorrostam et al., 2026): one model, its updates reweighted by their spectrum.

The update of every matrix is split by its singular values s: the first k, with k the effective
rank rounded up, hold the share P of the energy; then

    low = r + (1 - r) sqrt(1 - P),  r = (s_{k+1} / s_1)^2,
    W = W_0 + (1 - low) high part + low * low part.

Vectors, and matrices that have not moved, stay as the run has them. The tensors of a
convolution are matrices of [out, in * height * width]. One matrix and its decomposition are
in memory at a time.
"""

from ...runtime.errors import StockpotError
from . import Method

METHOD = Method(ingredients=1, mixes="weights")


def merge(ingredients: dict[str, str], context):
    if len(ingredients) != 1:
        raise StockpotError(
            f"soups.{context.spec['name']}: mono-soup takes one ingredient, not "
            f"{len(ingredients)} ({', '.join(ingredients)})"
        )
    from ..linear import stored, whole

    (sha,) = ingredients.values()
    start, end = context.weights(context.start), context.weights(sha)
    for name in start.names:
        before, after = (whole(stored(model, name)) for model in (start, end))
        matrix = after.is_floating_point() and after.ndim >= 2
        yield name, reweighted(before, after) if matrix else after


def reweighted(before, after):
    """W of the module's text, of the type of ``after``; both [out, ...], computed in float64."""
    import torch

    origin = before.double().flatten(1)
    u, s, v = torch.linalg.svd(after.double().flatten(1) - origin, full_matrices=False)
    if float(s.sum()) == 0:
        return after
    k, low = split(s)
    weights = s * torch.where(torch.arange(len(s)) < k, 1 - low, low)
    return (origin + (u * weights) @ v).to(after.dtype).reshape(after.shape)


def split(s) -> tuple[int, float]:
    """(k, low) of singular values [r], float64, in falling order and not all zero."""
    import torch

    shares = s / s.sum()
    entropy = -torch.special.xlogy(shares, shares).sum()
    # An effective rank that is a whole number must not be rounded past itself.
    k = min(len(s), max(1, int(torch.ceil(entropy.exp() - 1e-9))))
    energy = s.square()
    rest = float(energy[k:].sum() / energy.sum())
    ratio = float(s[k] / s[0]) ** 2 if k < len(s) else 0.0
    return k, ratio + (1 - ratio) * rest**0.5
