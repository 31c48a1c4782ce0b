"""MonoSoup (Abdollahpoorrostam et al., 2026): one model, its updates reweighted by their spectrum.

The update of every matrix is split by its singular values s: the first k, with k the effective
rank rounded up, hold the fraction P of the energy; then

    low = r + (1 - r) sqrt(1 - P),  r = (s_{k+1} / s_1)^2,
    W = W_0 + (1 - low) high part + low * low part.

Vectors, and matrices that have not moved, stay as the run has them. The tensors of a
convolution are matrices of [out, in * height * width]. One matrix and its decomposition are
in memory at a time.
"""

from typing import TYPE_CHECKING

from ...runtime.errors import StockpotError
from . import Context, Method, NamedTensors

if TYPE_CHECKING:
    import torch

METHOD = Method(
    ingredients=1,
    mixes="weights",
)

# Subtracted from the effective rank before it is rounded up: a whole number that comes out
# slightly too large must not be rounded past itself.
_RANK_TOLERANCE = 1e-9


def merge(
    ingredients: dict[str, str],
    context: Context,
) -> NamedTensors:
    """Reweight the update of one run.

    Args:
        ingredients: Name -> SHA-256 of the one run.
        context: What the method may look at.

    Yields:
        (name, tensor) in the order of the names.

    Raises:
        StockpotError: If there is not exactly one ingredient.
    """
    if len(ingredients) != 1:
        raise StockpotError(
            f"soups.{context.spec['name']}: mono-soup takes one ingredient, not "
            f"{len(ingredients)} ({', '.join(ingredients)})"
        )
    from ..linear import lazy_tensor, load_tensor

    (sha256,) = ingredients.values()
    start = context.weights(context.start)
    run = context.weights(sha256)
    for name in start.names:
        before = load_tensor(lazy_tensor(start, name))
        after = load_tensor(lazy_tensor(run, name))
        is_matrix = after.is_floating_point() and after.ndim >= 2
        yield name, reweight_update(before, after) if is_matrix else after


def reweight_update(
    before: "torch.Tensor",
    after: "torch.Tensor",
) -> "torch.Tensor":
    """Reweight the singular values of one matrix's update, in float64.

    Args:
        before: The matrix W_0 of the initial weights, [out, ...].
        after: The matrix after training, [out, ...].

    Returns:
        W of this module's docstring, in the shape and type of ``after``.
    """
    import torch

    origin = before.double().flatten(1)
    update = after.double().flatten(1) - origin
    # U diag(s) V
    u, s, v = torch.linalg.svd(update, full_matrices=False)
    if float(s.sum()) == 0:
        return after
    rank, low = rank_and_low_weight(s)
    is_high = torch.arange(len(s)) < rank
    weights = s * torch.where(is_high, 1 - low, low)
    matrix = origin + (u * weights) @ v
    return matrix.to(after.dtype).reshape(after.shape)


def rank_and_low_weight(s: "torch.Tensor") -> tuple[int, float]:
    """Compute the effective rank of an update, and the weight of what lies beyond it.

    Args:
        s: Singular values, float64 [r], in falling order and not all zero.

    Returns:
        (k, low) of this module's docstring.
    """
    import torch

    # Effective rank (Roy and Vetterli 2007): exp of the entropy of the normalised values.
    distribution = s / s.sum()
    entropy = -torch.special.xlogy(distribution, distribution).sum()
    rank = int(torch.ceil(entropy.exp() - _RANK_TOLERANCE))
    rank = min(len(s), max(1, rank))
    energy = s.square()
    rest = float(energy[rank:].sum() / energy.sum())  # 1 - P
    ratio = 0.0
    if rank < len(s):
        ratio = float(s[rank] / s[0]) ** 2
    return rank, ratio + (1 - ratio) * rest**0.5
