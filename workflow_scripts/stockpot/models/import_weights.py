"""Weights of a pretrained model from a hub, a file, or drawn at random, in open_clip's layout."""

import json
import logging
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

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
from .hub_models import PRETRAINED, RANDOM, is_name
from .third_party import open_clip, timm
from .weights_file import save_weights

log = logging.getLogger(__name__)

# Tensors that some files have and others have not; they are the same in every model.
CONSTANT_BUFFERS = ("attn_mask", "position_ids")


def write_model(
    folder: Path,
    spec: dict[str, Any],
    checkpoint: Path | None,
) -> None:
    """Write config and weights of a pretrained model, float32.

    Args:
        folder: Where both are written.
        spec: architecture (a name of open_clip's, or where its folder is), config (what becomes
            open_clip_config.json), weights (a tag of open_clip's, ``random``, or the name of a
            file).
        checkpoint: That file, or None.

    Raises:
        StockpotError: The weights cannot be had, or do not fit the architecture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / CONFIG) as path:
        path.write_text(json.dumps(spec["config"], indent=1) + "\n")
    # Random weights are the same every time.
    torch.manual_seed(0)
    if checkpoint:
        model = _model_from_file(folder, spec, checkpoint)
    else:
        model = _model_without_file(folder, spec)
    # A copy each: safetensors refuses tensors that share memory.
    tensors = {}
    for name, tensor in model.state_dict().items():
        tensors[name] = tensor.contiguous().clone()
    save_weights(folder / WEIGHTS, tensors)
    millions = sum(tensor.numel() for tensor in tensors.values()) / 1e6
    log.info(
        "%s, %s: %.1f million numbers",
        spec["architecture"],
        spec["weights"],
        millions,
    )


def _model_from_file(
    folder: Path,
    spec: dict[str, Any],
    checkpoint: Path,
) -> torch.nn.Module:
    """The model of a config with the weights of a file."""
    config = spec["config"]
    # The file is read first: building a model takes longer than finding a file damaged.
    tensors = _read_clip_tensors(checkpoint, spec)
    if "timm" in config:
        model = _timm_tower(config["timm"], pretrained=False)
    else:
        check_size(config, checkpoint, "model.weights")
        model = create_clip(folder, load_weights=False)
    _load(model, tensors, checkpoint)
    return model


def _model_without_file(folder: Path, spec: dict[str, Any]) -> torch.nn.Module:
    """The model of a config with weights of a hub, or with random ones."""
    name = spec["architecture"]
    weights = spec["weights"]
    if "timm" in spec["config"]:
        return _timm_tower(spec["config"]["timm"], pretrained=weights == PRETRAINED)
    model = create_clip(folder, load_weights=False)
    if weights != RANDOM:
        _load(model, _fetch_clip_tensors(name, weights), weights)
    return model


def _timm_tower(name: str, *, pretrained: bool) -> torch.nn.Module:
    """An image tower of timm without a head."""
    with hub() if pretrained else nullcontext("") as unreachable:
        try:
            return timm.create_model(name, pretrained=pretrained, num_classes=0)
        except Exception as error:  # whatever hub, network or an unknown name raise
            with_weights = " with its weights" if pretrained else ""
            reason = unreachable or first_line(error)
            raise StockpotError(
                f"model.architecture: timm cannot make {name!r}{with_weights} ({reason})"
            ) from error


def _fetch_clip_tensors(name: str, tag: str) -> dict[str, torch.Tensor]:
    """Weights from the hub that open_clip names, through its cache."""
    log.info("fetching %s of %s", tag, name)
    with hub() as unreachable:
        try:
            # fp32, whatever the weights are stored in: OpenAI's are half precision.
            model = open_clip.create_model(name, pretrained=tag, precision="fp32")
            return model.state_dict()
        except Exception as error:  # whatever hub, network or file raise
            reason = unreachable or first_line(error)
            raise StockpotError(
                f"model.weights: {tag} of {name} cannot be had ({reason}); "
                "it may also be a file"
            ) from error


def _read_clip_tensors(
    checkpoint: Path,
    spec: dict[str, Any],
) -> dict[str, torch.Tensor]:
    """Weights of a file in any format, if the config has the activation that they need."""
    # A model of timm has no activation to choose.
    model_config = spec["config"].get("model_cfg", {"quick_gelu": True})
    is_openai = bounded(_is_torchscript, checkpoint, what="model.weights")
    if is_openai and not model_config.get("quick_gelu"):
        name = spec["architecture"]
        quick_name = f"{name}-quickgelu"
        if is_name(quick_name):
            advice = f"take {quick_name}"
        else:
            advice = "its model_cfg needs quick_gelu: true"
        raise StockpotError(
            f"model.architecture: {checkpoint} is a file of OpenAI's, whose models have QuickGELU; "
            f"with {name} they answer wrongly; {advice}"
        )
    return read_tensors(checkpoint)


def _is_torchscript(path: Path) -> bool:
    """Whether a file is an archive of torch.jit.save, as OpenAI's own files are."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _load(
    model: torch.nn.Module,
    tensors: dict[str, torch.Tensor],
    source: str | Path,
) -> None:
    """Load the tensors of a file or tag into a model, if they are those of its architecture."""
    expected = model.state_dict()
    tensors = _without_wrapper(tensors, list(expected))
    for name, model_tensor in expected.items():
        shape = list(model_tensor.shape)
        file_shape = list(tensors[name].shape) if name in tensors else "missing"
        if file_shape != shape:
            raise StockpotError(
                f"model.weights: {source} does not fit the architecture: {name} is {file_shape}, "
                f"not {shape}"
            )
    surplus_name = _surplus_name(tensors, expected)
    if surplus_name:
        raise StockpotError(
            f"model.weights: {source} does not fit the architecture, which has no {surplus_name}"
        )
    state = {name: tensors[name] for name in expected}
    model.load_state_dict(check_state(state, model, f"model.weights: {source}"))


def _surplus_name(
    tensors: dict[str, torch.Tensor],
    expected: dict[str, torch.Tensor],
) -> str | None:
    """The first tensor of the file that belongs to a larger architecture."""
    is_clip = any(name.startswith(TOWER) for name in expected)
    # What else a file holds matters only within the model. A tower of timm has no prefix.
    prefixes = (TOWER, *TEXT) if is_clip else ()
    for name in tensors:
        is_surplus = name.startswith(prefixes) and name not in expected
        if is_surplus and not name.endswith(CONSTANT_BUFFERS):
            return name
    return None


def _without_wrapper(
    tensors: dict[str, torch.Tensor],
    expected: list[str],
) -> dict[str, torch.Tensor]:
    """The tensors by their names without what wraps the model ("module.", "state_dict.").

    Of several models in one file, the first that has most of the expected names is taken.
    """
    # Wherever the model's first name occurs, what comes before it may be the wrapper.
    first_name = expected[0]
    best_wrapper = ""
    most_names = -1
    for key in tensors:
        if not f".{key}".endswith(f".{first_name}"):
            continue
        wrapper = key.removesuffix(first_name)
        name_count = sum(wrapper + name in tensors for name in expected)
        if name_count > most_names:
            best_wrapper = wrapper
            most_names = name_count
    unwrapped = {}
    for key, tensor in tensors.items():
        if key.startswith(best_wrapper):
            unwrapped[key.removeprefix(best_wrapper)] = tensor
    return unwrapped
