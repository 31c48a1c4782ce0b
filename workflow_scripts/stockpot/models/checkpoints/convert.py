"""From the names of other programs' checkpoints to those of a Classifier."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch

from ...runtime.errors import StockpotError
from ..classifier import HEAD, TOWER
from .numbers import as_float32

log = logging.getLogger(__name__)

# How the head is called beside a tower, in wise-ft and model-soups and here.
HEADS = ("classification_head.", HEAD)
# Of a CLIP model beside its image tower, and of its TorchScript archive.
TEXT = ("token_embedding.", "transformer.", "ln_final.", "text.")
DECODER = "text_decoder."  # of CoCa, which also writes captions
TEXT_NAMES = {
    "positional_embedding",
    "text_projection",
    "logit_scale",
    "logit_bias",
    "attn_mask",
    "input_resolution",
    "context_length",
    "vocab_size",
}
# Of an interrupted training run, beside the model.
TRAINING = ("optimizer.", "scheduler.", "scaler.")
# What programs keep beside a model: how pixels are normalised, and what a loss weighs.
BESIDE = re.compile(
    r"(^|\.)(((pixel|image)_)?(mean|std)\Z"
    r"|(normali[sz]e|normali[sz]er|normali[sz]ation|criterion|loss|loss_fn)\.)"
)
# Names that a head may have elsewhere, so that none is left out unseen.
LIKE_A_HEAD = re.compile(r"(head|fc|classifier|linear|probe|logits)[^.]*\.weight\Z")
OPTIONS = "prefix, rename and ignore of the checkpoint say which tensors are meant"


def as_classifier(
    tensors: Mapping[str, torch.Tensor], path: str | Path
) -> dict[str, torch.Tensor]:
    """``visual.*`` of the tower and, where the file has a head, ``head.weight`` [classes,
    features] and ``head.bias`` [classes]: zeros where it has none.

    tensors: by the names of wise-ft's classifiers and encoders, model-soups' state dicts, CLIP
    models of OpenAI and open_clip, or our own, within any wrapper. Every floating-point tensor
    becomes float32. What belongs to CLIP's text side or to a run's optimizer is left out, and so
    are counters, the statistics of the normalisation, a loss's weights and what lies outside of the
    model. path: for messages. Raises StockpotError for a
    file with no image tower, with several, with tensors of which it is not known what they are, or
    with numbers that are not finite.
    """
    name = _root(tensors, path)
    tower = name + TOWER
    # model. within a classifier is the CLIP model, beside which lies the head.
    outer = name.removesuffix("model.").removesuffix("image_encoder.")
    heads = [
        start + head
        for start in dict.fromkeys((name, outer))
        for head in HEADS
        if f"{start}{head}weight" in tensors
    ]
    if len(heads) > 1:
        raise StockpotError(f"{path}: it has several heads ({_few(heads)}); {OPTIONS}")
    found, unknown, beside = {}, [], []
    for key, tensor in tensors.items():
        if key.startswith(tower):
            found[TOWER + key.removeprefix(tower)] = tensor
        elif heads and key in (f"{heads[0]}weight", f"{heads[0]}bias"):
            found[HEAD + key.removeprefix(heads[0])] = tensor
        elif not (_is_text(key.removeprefix(name)) or key.startswith(TRAINING)):
            may_be_head = (
                not heads and tensor.dim() == 2 and bool(LIKE_A_HEAD.search(key))
            )
            is_inside = key.startswith(outer) and not _is_beside(key, tensor)
            is_weight = tensor.is_floating_point() and (is_inside or may_be_head)
            (unknown if is_weight else beside).append(key)
    if unknown:
        raise StockpotError(
            f"{path}: its tensors {_few(unknown)} belong to neither an image tower, its head nor "
            f"CLIP's text side; {OPTIONS}"
        )
    if beside:
        log.info("%s: left alone beside the model: %s", path, _few(beside))
    if heads:
        _complete_head(found, path)
    return {key: as_float32(key, tensor, path) for key, tensor in found.items()}


def check_tower(
    tensors: Mapping[str, torch.Tensor],
    expected: Mapping[str, Sequence[int]],
    path: str | Path,
) -> None:
    """Compare the ``visual.*`` tensors with a tower's.

    expected: shapes by the names of the tower's ``state_dict``. path: for the message. Raises
    StockpotError naming the first tensor that is missing, of another shape, or too many.
    """
    for name, shape in expected.items():
        if TOWER + name not in tensors:
            raise StockpotError(
                f"{path}: not of this architecture, {TOWER}{name} is missing"
            )
        found = list(tensors[TOWER + name].shape)
        if found != list(shape):
            raise StockpotError(
                f"{path}: not of this architecture, {TOWER}{name} is {found}, not {list(shape)}"
            )
    for key in tensors:
        if key.startswith(TOWER) and key.removeprefix(TOWER) not in expected:
            raise StockpotError(
                f"{path}: not of this architecture, which has no {_few([key])}"
            )


def renamed(
    tensors: Mapping[str, torch.Tensor], options: Mapping, path: str | Path
) -> dict[str, torch.Tensor]:
    """Tensors under the names that the config says.

    Args:
        tensors: By the names of the file.
        options: prefix: beginning of the names to take, which then is cut off. ignore: beginnings
            of names to leave out. rename: beginning of a name -> what stands in its place; of
            several that fit the longest. In this order.
        path: For messages.

    Raises:
        StockpotError: An option fits no name, or two tensors get one name.
    """
    prefix = options.get("prefix", "")
    rename = options.get("rename", {})
    ignore = tuple(options.get("ignore", ()))
    found = {
        key.removeprefix(prefix): t
        for key, t in tensors.items()
        if key.startswith(prefix)
    }
    _check_used("prefix", [prefix] if prefix else [], tensors, path)
    _check_used("ignore", ignore, found, path)
    found = {
        key: tensor
        for key, tensor in found.items()
        if not key.startswith(ignore or ("\0",))
    }
    _check_used("rename", rename, found, path)
    made = {}
    for key, tensor in found.items():
        starts = [start for start in rename if key.startswith(start)]
        start = max(starts, key=len, default="")
        name = rename.get(start, "") + key.removeprefix(start)
        if name in made:
            raise StockpotError(
                f"{path}: rename gives two tensors the name {_few([name])}"
            )
        made[name] = tensor
    return made


def _check_used(
    option: str, starts: Iterable[str], names: Iterable[str], path: str | Path
) -> None:
    for start in starts:
        if not any(name.startswith(start) for name in names):
            raise StockpotError(
                f"{path}: {option} {start[:60]!a} is the beginning of no name in it; there are "
                f"{_few(names)}"
            )


def _root(tensors: Iterable[str], path: str | Path) -> str:
    """What comes before ``visual.`` in the names: "", "module.model." and so on."""
    dotted = ("." + key for key in tensors)
    starts = {key.partition("." + TOWER)[0] for key in dotted if "." + TOWER in key}
    # As prefix of the config wants them: "model.".
    roots = {start[1:] + "." if start else "" for start in starts}
    if not roots:
        raise StockpotError(
            f"{path}: there is no image tower in it (no {TOWER}* among {_few(tensors)}); {OPTIONS}"
        )
    if len(roots) > 1:
        raise StockpotError(
            f"{path}: it has several image towers ({_few(sorted(roots))}); prefix of the "
            "checkpoint names the one to take"
        )
    return roots.pop()


def _is_text(name: str) -> bool:
    return name in TEXT_NAMES or name.startswith((*TEXT, DECODER))


def _is_beside(key: str, tensor: torch.Tensor) -> bool:
    """Is it a known vector (pixels' means are [3] or [3, 1, 1]) that no answer is computed with?"""
    is_vector = sum(size > 1 for size in tensor.shape) <= 1
    return is_vector and bool(BESIDE.search(key))


def _complete_head(found: dict[str, torch.Tensor], path: str | Path) -> None:
    weight = found[HEAD + "weight"]
    if weight.dim() != 2:
        raise StockpotError(
            f"{path}: its head is {list(weight.shape)}, not [classes, features]"
        )
    if HEAD + "bias" not in found:
        log.info("%s: its head has no bias; it counts as zero", path)
    bias = found.setdefault(HEAD + "bias", torch.zeros(len(weight)))
    if bias.shape != weight.shape[:1]:
        raise StockpotError(
            f"{path}: its head has weights {list(weight.shape)} and a bias {list(bias.shape)}"
        )


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(ascii(name[:60]) for name in listed[:4])
    return shown + (f" and {len(listed) - 4} more" if len(listed) > 4 else "")
