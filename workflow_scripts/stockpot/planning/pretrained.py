"""The pretrained model of a study: where its files are, or how to import them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..models.files import (
    CONFIG,
    WEIGHTS,
    check_safetensors,
    check_size,
    check_vocabulary,
    preprocessing,
    read_config,
    vocabulary,
)
from ..models.named import RANDOM, TIMM, named_config, timm_config
from ..runtime.digest import plain, sha256_file, short
from ..runtime.errors import StockpotError
from ..runtime.file_digests import sha256_file_cached
from ..runtime.file_kinds import check_own_content
from .model_jobs import ModelJob

Locate = Callable[[str], Path]
ARCHITECTURE_KEY = "model.architecture"
WEIGHTS_KEY = "model.weights"


@dataclass
class _Found:
    """What is known of a model: its architecture, the files that are there, and their content."""

    architecture: dict
    files: dict[str, Path] = field(default_factory=dict)
    content: dict[str, object] = field(default_factory=dict)


def model_plan(config: dict, locate: Locate) -> ModelJob:
    """The pretrained model: where its files are, or how to import them.

    Its id follows from the content of the files, not from their place.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Raises:
        StockpotError: A file is missing, broken, or does not fit the others.
    """
    settings = config["model"]
    weights = settings.get("weights", "")
    given = locate(weights) if weights and weights != RANDOM else None
    file = given if given and given.is_file() else None
    folder = locate(settings["architecture"])
    if folder.is_dir():
        found = _in_folder(folder, settings, given if not file else None)
    else:
        found = _by_name(settings, "" if file else weights)
        _check_named(folder, settings)
    if weights and settings["pretrain"]:
        raise StockpotError(
            "model.pretrain: true trains the weights, so model.weights has no use"
        )
    if file:
        found.files["checkpoint"] = file
        found.content["imported"] = checked(file, WEIGHTS_KEY, sha256_file_cached)
    elif weights:
        found.content["imported"] = weights
    if settings["pretrain"]:
        found.content["pretraining"] = config["pretraining"]
    return _job(found, config)


def _in_folder(folder: Path, settings: dict, missing: Path | None) -> _Found:
    """A model whose config lies in a folder, with its vocabulary and perhaps its weights.

    missing: the file of weights that the config names and that is not there.
    """
    architecture = read_config(folder, ARCHITECTURE_KEY)
    found = _Found(architecture, {"config": folder / CONFIG})
    if words := vocabulary(architecture):
        path = folder / words
        found.files["vocabulary"] = path
        check_vocabulary(path, architecture, ARCHITECTURE_KEY)
        found.content["vocabulary"] = checked(path, ARCHITECTURE_KEY)
    if missing:
        raise StockpotError(
            f"{WEIGHTS_KEY}: no file {missing}; or {RANDOM}, or null where the folder has them"
        )
    if not settings.get("weights") and not settings["pretrain"]:
        path = folder / WEIGHTS
        found.files["weights"] = path
        check_safetensors(path, ARCHITECTURE_KEY)
        check_size(architecture, path, ARCHITECTURE_KEY)
        found.content["weights"] = checked(path, ARCHITECTURE_KEY, sha256_file_cached)
    return found


def _by_name(settings: dict, weights: str) -> _Found:
    """A model that open_clip or timm knows. weights: a tag of theirs, if no file is given."""
    keys = (ARCHITECTURE_KEY, WEIGHTS_KEY)
    if settings["architecture"].startswith(TIMM):
        return _Found(timm_config(settings, weights, keys))
    return _Found(named_config(settings["architecture"], weights, keys))


def _check_named(folder: Path, settings: dict) -> None:
    """Raises StockpotError where a model by name lacks what a folder would have."""
    if settings["pretrain"]:
        raise StockpotError(
            f"{ARCHITECTURE_KEY}: {folder} is no folder; model.pretrain: true needs one"
        )
    if not settings.get("weights"):
        raise StockpotError(
            f"{WEIGHTS_KEY}: a model by name needs weights: a tag of its library's, a file, or "
            f"{RANDOM}"
        )


def _job(found: _Found, config: dict) -> ModelJob:
    """The model under the id that its architecture and content give it."""
    settings = config["model"]
    weights = settings.get("weights", "")
    try:
        wanted = preprocessing(found.architecture)
    except ValueError as error:
        raise StockpotError(f"model.preprocess: {error}") from error
    key = short({"architecture": found.architecture, **found.content})
    imported = {
        "architecture": settings["architecture"],
        "config": found.architecture,
        "weights": weights,
    }
    return ModelJob(
        f"{settings['name']}-{key}",
        key=key,
        transform={
            name: wanted[name] for name in ("side", "resize_mode", "interpolation")
        },
        files={name: str(path) for name, path in found.files.items()},
        architecture=found.architecture,
        has_text="timm" not in found.architecture,
        pretraining=plain(config["pretraining"]) if settings["pretrain"] else None,
        imported=plain(imported) if weights else None,
    )


def checked(path: Path, key: str, digest=sha256_file) -> str:
    """Digest of a file.

    Raises StockpotError naming the config's ``key`` where it cannot be read, is no regular file, or
    stands in for another one (a Git LFS pointer, a page of a website).
    """
    check_own_content(path, key)
    try:
        return digest(path)
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {path} ({error.strerror})") from error
