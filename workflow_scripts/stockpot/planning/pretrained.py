"""The pretrained model of a study: where its files are, or how to import them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from ..models.hub_models import RANDOM, TIMM, named_config, timm_config
from ..runtime.digest import plain, sha256_file, short
from ..runtime.errors import StockpotError
from ..runtime.file_digests import sha256_file_cached
from ..runtime.file_kinds import refuse_stand_in
from .jobs import Config, Locate
from .model_jobs import ModelJob

ARCHITECTURE_KEY = "model.architecture"
WEIGHTS_KEY = "model.weights"
# What images are resized by before they are stored; the rest is done on the device.
STORED_TRANSFORM = ("image_size", "resize_mode", "interpolation")


@dataclass
class _ModelSource:
    """What a model is made from.

    Attributes:
        architecture: Content of its open_clip_config.json.
        files: Name -> file, of those that are there.
        content: Digests and settings that its id follows from, beside the architecture.
    """

    architecture: dict[str, Any]
    files: dict[str, Path] = field(default_factory=dict)
    content: dict[str, object] = field(default_factory=dict)


def model_plan(config: Config, locate: Locate) -> ModelJob:
    """Plan the pretrained model: where its files are, or how to import them.

    Its id follows from the content of the files, not from their place.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Returns:
        The job that makes its weights; one without a rule where they are there already.

    Raises:
        StockpotError: A file is missing, broken, or does not fit the others.
    """
    settings = config["model"]
    weights = settings.get("weights", "")
    # Weights are named by a file, by a tag of a library, or are random.
    weights_path = locate(weights) if weights and weights != RANDOM else None
    weights_file = weights_path if weights_path and weights_path.is_file() else None
    folder = locate(settings["architecture"])
    if folder.is_dir():
        missing = None if weights_file else weights_path
        source = _from_folder(folder, settings, missing)
    else:
        tag = "" if weights_file else weights
        source = _from_library(settings, tag)
        _check_named(folder, settings)
    if weights and settings["pretrain"]:
        raise StockpotError(
            "model.pretrain: true trains the weights, so model.weights has no use"
        )
    if weights_file:
        # Wherever the file lies, its content makes the id.
        digest = checked_digest(weights_file, WEIGHTS_KEY, sha256_file_cached)
        source.files["checkpoint"] = weights_file
        source.content["imported"] = digest
    elif weights:
        source.content["imported"] = weights
    return _model_job(source, config)


def _from_folder(
    folder: Path,
    settings: dict[str, Any],
    missing: Path | None,
) -> _ModelSource:
    """A model whose config lies in a folder, with its vocabulary and perhaps its weights.

    missing: the file of weights that the config names and that is not there.
    """
    architecture = read_config(folder, ARCHITECTURE_KEY)
    source = _ModelSource(architecture, {"config": folder / CONFIG})
    vocabulary_name = vocabulary(architecture)
    if vocabulary_name:
        path = folder / vocabulary_name
        check_vocabulary(path, architecture, ARCHITECTURE_KEY)
        source.files["vocabulary"] = path
        source.content["vocabulary"] = checked_digest(path, ARCHITECTURE_KEY)
    # This comes after the checks of the folder, whose mistakes are to be mended first.
    if missing:
        raise StockpotError(
            f"{WEIGHTS_KEY}: no file {missing}; or {RANDOM}, or null where the folder has them"
        )
    if not settings.get("weights") and not settings["pretrain"]:
        path = folder / WEIGHTS
        # The header and the size are checked first: a digest reads gigabytes.
        check_safetensors(path, ARCHITECTURE_KEY)
        check_size(architecture, path, ARCHITECTURE_KEY)
        source.files["weights"] = path
        source.content["weights"] = checked_digest(
            path, ARCHITECTURE_KEY, sha256_file_cached
        )
    return source


def _from_library(
    settings: dict[str, Any],
    tag: str,
) -> _ModelSource:
    """A model that open_clip or timm knows. tag: of its weights there, if no file is given."""
    # Errors of the libraries' lists name the keys of the config.
    keys = (ARCHITECTURE_KEY, WEIGHTS_KEY)
    name = settings["architecture"]
    if name.startswith(TIMM):
        return _ModelSource(timm_config(settings, tag, keys))
    return _ModelSource(named_config(name, tag, keys))


def _check_named(
    folder: Path,
    settings: dict[str, Any],
) -> None:
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


def _model_job(
    source: _ModelSource,
    config: Config,
) -> ModelJob:
    """The model under the id that its architecture and content give it."""
    settings = config["model"]
    weights = settings.get("weights", "")
    try:
        transform = preprocessing(source.architecture)
    except ValueError as error:
        raise StockpotError(f"model.preprocess: {error}") from error
    content = {"architecture": source.architecture, **source.content}
    pretraining = None
    if settings["pretrain"]:
        content["pretraining"] = config["pretraining"]
        pretraining = plain(config["pretraining"])
    imported = None
    if weights:
        imported = plain(
            {
                "architecture": settings["architecture"],
                "config": source.architecture,
                "weights": weights,
            }
        )
    key = short(content)
    return ModelJob(
        f"{settings['name']}-{key}",
        key=key,
        transform={name: transform[name] for name in STORED_TRANSFORM},
        files={name: str(path) for name, path in source.files.items()},
        architecture=source.architecture,
        # The image classifiers of timm have none.
        has_text="timm" not in source.architecture,
        pretraining=pretraining,
        imported=imported,
    )


def checked_digest(
    path: Path,
    key: str,
    digest: Callable[[Path], str] = sha256_file,
) -> str:
    """Digest a file of the config, once it is known to be what it should.

    Args:
        path: The file.
        key: Key path of the config that names it.
        digest: Computes the digest, perhaps from a cache.

    Returns:
        The digest.

    Raises:
        StockpotError: The file cannot be read, is no regular file, or stands in for another one (a
            Git LFS pointer, a page of a website).
    """
    # A file that stands in for another has a digest too, but of the wrong content.
    refuse_stand_in(path, key)
    try:
        return digest(path)
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {path} ({error.strerror})") from error
