"""The pretrained model of a study: where its files are, or how to import them."""

from collections.abc import Callable
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
from ..runtime.code_digest import plain, sha256_file, short
from ..runtime.errors import StockpotError
from ..runtime.file_digests import sha256_file_cached
from ..runtime.file_kinds import check_own_content

Locate = Callable[[str], Path]


def model_plan(config: dict, locate: Locate) -> dict:
    """Where the model's files are, or how to import them, and what identifies them: their
    content, not their place."""
    settings, keys = config["model"], ("model.architecture", "model.weights")
    folder, weights = locate(settings["architecture"]), settings.get("weights", "")
    given = locate(weights) if weights and weights != RANDOM else None
    file = given if given and given.is_file() else None
    files, content = {}, {}
    if folder.is_dir():
        architecture = read_config(folder, keys[0])
        files["config"] = folder / CONFIG
        if words := vocabulary(architecture):
            files["vocabulary"] = folder / words
            check_vocabulary(files["vocabulary"], architecture, keys[0])
            content["vocabulary"] = checked(files["vocabulary"], keys[0])
        if given and not file:
            raise StockpotError(
                f"{keys[1]}: no file {given}; or {RANDOM}, or null where the folder has them"
            )
        if not weights and not settings["pretrain"]:
            files["weights"] = folder / WEIGHTS
            check_safetensors(files["weights"], keys[0])
            check_size(architecture, files["weights"], keys[0])
            content["weights"] = checked(files["weights"], keys[0], sha256_file_cached)
    elif settings["architecture"].startswith(TIMM):
        architecture = timm_config(settings, "" if file else weights, keys)
    else:
        architecture = named_config(settings["architecture"], "" if file else weights, keys)
    if not folder.is_dir() and settings["pretrain"]:
        raise StockpotError(f"{keys[0]}: {folder} is no folder; model.pretrain: true needs one")
    if not folder.is_dir() and not weights:
        raise StockpotError(
            f"{keys[1]}: a model by name needs weights: a tag of its library's, a file, or {RANDOM}"
        )
    if weights and settings["pretrain"]:
        raise StockpotError("model.pretrain: true trains the weights, so model.weights has no use")
    if weights:
        content["imported"] = checked(file, keys[1], sha256_file_cached) if file else weights
        files |= {"checkpoint": file} if file else {}
    content |= {"pretraining": config["pretraining"]} if settings["pretrain"] else {}
    try:
        wanted = preprocessing(architecture)
    except ValueError as error:
        raise StockpotError(f"model.preprocess: {error}") from error
    identity = short({"architecture": architecture, **content})
    return {
        "id": f"{settings['name']}-{identity}",
        "key": identity,
        "transform": {key: wanted[key] for key in ("side", "resize_mode", "interpolation")},
        "files": {name: str(path) for name, path in files.items()},
        "pretraining": plain(config["pretraining"]) if settings["pretrain"] else None,
        "architecture": architecture,
        "text": "timm" not in architecture,
        "import": plain(
            {"architecture": settings["architecture"], "config": architecture, "weights": weights}
        )
        if weights
        else None,
    }


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
