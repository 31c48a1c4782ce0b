"""From the tensor names of other programs' checkpoints to those of a classifier."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ...runtime.errors import StockpotError
from ..classifier import HEAD, TOWER
from .numbers import as_float32

log = logging.getLogger(__name__)

# What the head is called beside a tower, in wise-ft and model-soups and here.
HEADS = ("classification_head.", HEAD)

# Parts of a CLIP model beside its image tower, and of its TorchScript archive.
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

# What an interrupted training run keeps beside the model.
TRAINING = ("optimizer.", "scheduler.", "scaler.")

# What programs keep beside a model: how pixels are normalised, and what a loss weighs.
BESIDE_A_MODEL = re.compile(
    r"(^|\.)(((pixel|image)_)?(mean|std)\Z"
    r"|(normali[sz]e|normali[sz]er|normali[sz]ation|criterion|loss|loss_fn)\.)"
)

# Names that a head may have elsewhere, so that none is ignored by mistake.
LIKE_A_HEAD = re.compile(r"(head|fc|classifier|linear|probe|logits)[^.]*\.weight\Z")

OPTIONS = "prefix, rename and ignore of the checkpoint say which tensors are meant"
MAX_SHOWN_NAMES = 4


def as_classifier(
    tensors: Mapping[str, torch.Tensor],
    path: str | Path,
) -> dict[str, torch.Tensor]:
    """Take the tower and the head from a checkpoint.

    Ignored are CLIP's text side, a run's optimizer, counters, the statistics of the
    normalisation, a loss's weights, and what lies outside of the model.

    Args:
        tensors: By the names of wise-ft's classifiers and encoders, model-soups' state dicts,
            CLIP models of OpenAI and open_clip, or our own, within any wrapper.
        path: The file, for errors.

    Returns:
        ``visual.*`` of the tower and, where the file has a head, ``head.weight``
        [classes, features] and ``head.bias`` [classes], zeros where it has none. Tensors of
        floating-point numbers are float32.

    Raises:
        StockpotError: The file has no image tower, several, tensors of which it is not known what
            they are, or numbers that are not finite.
    """
    root = _root(tensors, path)
    tower = root + TOWER
    # model. within a classifier is the CLIP model, beside which the head lies.
    wrapper = root.removesuffix("model.").removesuffix("image_encoder.")
    head = _head(tensors, (root, wrapper), path)
    # Every tensor is taken, known to be of no use, or refused: none is lost by mistake.
    taken = {}
    unknown = []
    ignored = []
    for key, tensor in tensors.items():
        if key.startswith(tower):
            taken[TOWER + key.removeprefix(tower)] = tensor
        elif head and key in (f"{head}weight", f"{head}bias"):
            taken[HEAD + key.removeprefix(head)] = tensor
        elif _is_text(key.removeprefix(root)) or key.startswith(TRAINING):
            continue
        elif _is_model_weight(
            key,
            tensor,
            wrapper,
            has_head=bool(head),
        ):
            unknown.append(key)
        else:
            ignored.append(key)
    if unknown:
        raise StockpotError(
            f"{path}: its tensors {_few(unknown)} belong to neither an image tower, its head nor "
            f"CLIP's text side; {OPTIONS}"
        )
    if ignored:
        log.info(
            "%s: not read, because it is no part of the model: %s", path, _few(ignored)
        )
    if head:
        _complete_head(taken, path)
    return {key: as_float32(key, tensor, path) for key, tensor in taken.items()}


def _head(
    tensors: Mapping[str, torch.Tensor],
    places: tuple[str, ...],
    path: str | Path,
) -> str:
    """How the names of the head's tensors begin, "" where there is no head."""
    heads = []
    for place in dict.fromkeys(places):
        for head in HEADS:
            if f"{place}{head}weight" in tensors:
                heads.append(place + head)
    if len(heads) > 1:
        raise StockpotError(f"{path}: it has several heads ({_few(heads)}); {OPTIONS}")
    if not heads:
        return ""
    return heads[0]


def _is_model_weight(
    key: str,
    tensor: torch.Tensor,
    wrapper: str,
    *,
    has_head: bool,
) -> bool:
    """Whether answers may be computed with a tensor that is neither tower, head nor text."""
    if not tensor.is_floating_point():
        return False
    if key.startswith(wrapper) and not _is_beside(key, tensor):
        return True
    # A head that lies outside of the model under a name of another program.
    may_be_head = tensor.dim() == 2 and LIKE_A_HEAD.search(key) is not None
    return not has_head and may_be_head


def check_tower(
    tensors: Mapping[str, torch.Tensor],
    expected: Mapping[str, Sequence[int]],
    path: str | Path,
) -> None:
    """Compare the ``visual.*`` tensors with a tower's.

    Args:
        tensors: The tensors of a classifier.
        expected: Shapes by the names of the tower's ``state_dict``.
        path: The file, for errors.

    Raises:
        StockpotError: Names the first tensor that is missing, of another shape, or too many.
    """
    for name, shape in expected.items():
        if TOWER + name not in tensors:
            raise StockpotError(
                f"{path}: not of this architecture, {TOWER}{name} is missing"
            )
        found_shape = list(tensors[TOWER + name].shape)
        if found_shape != list(shape):
            raise StockpotError(
                f"{path}: not of this architecture, {TOWER}{name} is {found_shape}, "
                f"not {list(shape)}"
            )
    for key in tensors:
        if key.startswith(TOWER) and key.removeprefix(TOWER) not in expected:
            raise StockpotError(
                f"{path}: not of this architecture, which has no {_few([key])}"
            )


def renamed(
    tensors: Mapping[str, torch.Tensor],
    options: Mapping[str, Any],
    path: str | Path,
) -> dict[str, torch.Tensor]:
    """Give the tensors the names that the config wants.

    Args:
        tensors: By the names of the file.
        options: Applied in this order. prefix: beginning of the names to take, which then is cut
            off. ignore: beginnings of names to leave out. rename: beginning of a name -> what
            replaces it; if several fit, the longest counts.
        path: The file, for errors.

    Returns:
        The tensors that are left, by their new names.

    Raises:
        StockpotError: An option fits no name, or two tensors get one name.
    """
    prefix = options.get("prefix", "")
    replacements = options.get("rename", {})
    ignored = tuple(options.get("ignore", ()))

    # 1. prefix
    below_prefix = {}
    for key, tensor in tensors.items():
        if key.startswith(prefix):
            below_prefix[key.removeprefix(prefix)] = tensor
    if prefix:
        _check_used("prefix", [prefix], tensors, path)

    # 2. ignore
    _check_used("ignore", ignored, below_prefix, path)
    kept = {}
    for key, tensor in below_prefix.items():
        if not key.startswith(ignored):
            kept[key] = tensor

    # 3. rename
    _check_used("rename", replacements, kept, path)
    by_new_name = {}
    for key, tensor in kept.items():
        beginnings = [old for old in replacements if key.startswith(old)]
        longest = max(beginnings, key=len, default="")
        new_name = replacements.get(longest, "") + key.removeprefix(longest)
        if new_name in by_new_name:
            raise StockpotError(
                f"{path}: rename gives two tensors the name {_few([new_name])}"
            )
        by_new_name[new_name] = tensor
    return by_new_name


def _check_used(
    option: str,
    beginnings: Iterable[str],
    names: Iterable[str],
    path: str | Path,
) -> None:
    """Refuse an option that changes nothing, as its author misjudges the names."""
    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in names):
            raise StockpotError(
                f"{path}: {option} {beginning[:60]!a} is the beginning of no name in it; there are "
                f"{_few(names)}"
            )


def _root(tensors: Iterable[str], path: str | Path) -> str:
    """What comes before ``visual.`` in the names: "", "module.model." and so on."""
    roots = set()
    for key in tensors:
        # The dot keeps a name such as "audiovisual." from counting.
        before, separator, _ = f".{key}".partition("." + TOWER)
        if separator:
            roots.add(before[1:] + "." if before else "")
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
    """Whether a tensor belongs to CLIP's text side."""
    return name in TEXT_NAMES or name.startswith((*TEXT, DECODER))


def _is_beside(key: str, tensor: torch.Tensor) -> bool:
    """Whether a tensor is a known vector that no answer is computed with."""
    # Means of pixels have the shape [3] or [3, 1, 1].
    axes_longer_than_1 = sum(size > 1 for size in tensor.shape)
    is_vector = axes_longer_than_1 <= 1
    return is_vector and BESIDE_A_MODEL.search(key) is not None


def _complete_head(taken: dict[str, torch.Tensor], path: str | Path) -> None:
    """Check the shapes of the head, and add a bias of zeros if it has none."""
    weight = taken[HEAD + "weight"]
    if weight.dim() != 2:
        raise StockpotError(
            f"{path}: its head is {list(weight.shape)}, not [classes, features]"
        )
    if HEAD + "bias" not in taken:
        log.info("%s: its head has no bias; it counts as zero", path)
        taken[HEAD + "bias"] = torch.zeros(len(weight))
    bias = taken[HEAD + "bias"]
    if bias.shape != weight.shape[:1]:
        raise StockpotError(
            f"{path}: its head has weights {list(weight.shape)} and a bias {list(bias.shape)}"
        )


def _few(names: Iterable[str]) -> str:
    """The first names, for errors."""
    all_names = list(names)
    shown = [ascii(name[:60]) for name in all_names[:MAX_SHOWN_NAMES]]
    text = ", ".join(shown)
    more_count = len(all_names) - MAX_SHOWN_NAMES
    if more_count > 0:
        text += f" and {more_count} more"
    return text
