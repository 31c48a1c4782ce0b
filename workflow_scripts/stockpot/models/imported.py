"""Weights of a pretrained model from a hub, a file, or drawn at random, in open_clip's layout."""

import json
import logging
import zipfile
from contextlib import nullcontext
from pathlib import Path

import torch

from ..datasets.bounded import bounded
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from ..runtime.escape import first_line
from .checkpoints.convert import TEXT
from .checkpoints.numbers import check_state
from .checkpoints.read import read_tensors
from .classifier import TOWER
from .clip import create_clip
from .files import CONFIG, WEIGHTS, check_size
from .hub import hub
from .named import PRETRAINED, RANDOM, is_name
from .openclip import open_clip, timm
from .weights_file import save_weights

log = logging.getLogger(__name__)

# In some files and not in others, and the same in every model.
BUFFERS = ("attn_mask", "position_ids")


def write_model(folder: Path, spec: dict, checkpoint: Path | None) -> None:
    """Write config and weights, float32.

    spec: architecture (a name of open_clip's, or where its folder is), config (what becomes
    open_clip_config.json), weights (a tag of open_clip's, ``random`` or the name of a file).
    checkpoint: that file. StockpotError where the weights cannot be had or do not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / CONFIG) as path:
        path.write_text(json.dumps(spec["config"], indent=1) + "\n")
    torch.manual_seed(0)
    name, weights = spec["architecture"], spec["weights"]
    given = _tensors(checkpoint, spec) if checkpoint else {}
    if "timm" in spec["config"]:
        model = _of_timm(
            spec["config"]["timm"], weights == PRETRAINED and not checkpoint
        )
    else:
        if checkpoint:
            check_size(spec["config"], checkpoint, "model.weights")
        model = create_clip(folder, load_weights=False)
        if not checkpoint and weights != RANDOM:
            _fill(model, _fetched(name, weights), weights)
    if checkpoint:
        _fill(model, given, checkpoint)
    tensors = {name: t.contiguous().clone() for name, t in model.state_dict().items()}
    save_weights(folder / WEIGHTS, tensors)
    millions = sum(t.numel() for t in tensors.values()) / 1e6
    log.info("%s, %s: %.1f million numbers", name, weights, millions)


def _of_timm(name: str, pretrained: bool) -> torch.nn.Module:
    """An image tower without a head."""
    with hub() if pretrained else nullcontext("") as missing:
        try:
            return timm.create_model(name, pretrained=pretrained, num_classes=0)
        except Exception as error:  # whatever hub, network or an unknown name raise
            raise StockpotError(
                f"model.architecture: timm cannot make {name!r}{' with its weights' * pretrained} "
                f"({missing or first_line(error)})"
            ) from error


def _fetched(name: str, tag: str) -> dict[str, torch.Tensor]:
    """From the hub that open_clip names, through its cache."""
    log.info("fetching %s of %s", tag, name)
    with hub() as missing:
        try:
            # fp32, whatever the weights are stored in: OpenAI's are half precision.
            return open_clip.create_model(
                name, pretrained=tag, precision="fp32"
            ).state_dict()
        except Exception as error:  # whatever hub, network or file raise
            raise StockpotError(
                f"model.weights: {tag} of {name} cannot be had ({missing or first_line(error)}); "
                "it may also be a file"
            ) from error


def _tensors(checkpoint: Path, spec: dict) -> dict[str, torch.Tensor]:
    """Of a CLIP model's file, whatever its format."""
    clip, name = (
        spec["config"].get("model_cfg", {"quick_gelu": True}),
        spec["architecture"],
    )
    if bounded(_is_torchscript, checkpoint, what="model.weights") and not clip.get(
        "quick_gelu"
    ):
        quick = f"{name}-quickgelu"
        mend = (
            f"take {quick}"
            if is_name(quick)
            else "its model_cfg needs quick_gelu: true"
        )
        raise StockpotError(
            f"model.architecture: {checkpoint} is a file of OpenAI's, whose models have QuickGELU; "
            f"with {name} they answer wrongly; {mend}"
        )
    return read_tensors(checkpoint)


def _is_torchscript(path: Path) -> bool:
    """OpenAI's own files are archives of torch.jit.save."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _fill(model: torch.nn.Module, tensors: dict[str, torch.Tensor], source) -> None:
    wanted = model.state_dict()
    tensors = _unwrapped(tensors, list(wanted))
    for name, tensor in wanted.items():
        shape = list(tensor.shape)
        if name not in tensors or list(tensors[name].shape) != shape:
            found = list(tensors[name].shape) if name in tensors else "missing"
            raise StockpotError(
                f"model.weights: {source} does not fit the architecture: {name} is {found}, "
                f"not {shape}"
            )
    own = (TOWER, *TEXT) if any(name.startswith(TOWER) for name in wanted) else ()
    surplus = [n for n in tensors if n.startswith(own) and n not in wanted]
    if surplus := [name for name in surplus if not name.endswith(BUFFERS)]:
        raise StockpotError(
            f"model.weights: {source} does not fit the architecture, which has no {surplus[0]}"
        )
    state = {name: tensors[name] for name in wanted}
    model.load_state_dict(check_state(state, model, f"model.weights: {source}"))


def _unwrapped(
    tensors: dict[str, torch.Tensor], wanted: list[str]
) -> dict[str, torch.Tensor]:
    """The tensors without what comes before their names (module., state_dict.): of several
    models in one file those of the first."""
    starts = [
        key.removesuffix(wanted[0])
        for key in tensors
        if f".{key}".endswith(f".{wanted[0]}")
    ]
    start = max(
        starts, key=lambda s: sum(s + name in tensors for name in wanted), default=""
    )
    return {
        key.removeprefix(start): t
        for key, t in tensors.items()
        if key.startswith(start)
    }
