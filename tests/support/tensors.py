"""Digests of tensors, and a merge of them as a whole."""


def tensor_digest(tensors) -> str:
    """SHA-256 over names, types, shapes and bytes, in the order of the names."""
    from stockpot.models.stream import TensorDigest

    digest = TensorDigest()
    for name, tensor in sorted(tensors.items()):
        digest.add(name, tensor)
    return digest.hexdigest()


def mixed(coefficients, ingredients, names):
    """(name, tensor) of a mix, in the shapes of the ingredients."""
    import torch

    from stockpot.merging.linear import iterate_mix

    names, first = list(names), ingredients[min(coefficients)]
    for name in dict.fromkeys(names):
        parts = [part for _, part in iterate_mix(coefficients, ingredients, [name])]
        owner = next(
            m for m in (first, *ingredients.values()) if name in list(m.keys())
        )
        yield name, torch.cat(parts).view(owner[name].shape)
