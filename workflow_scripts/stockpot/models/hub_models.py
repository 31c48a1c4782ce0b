"""Models that open_clip knows by name, described without importing it: planning stays light."""

import difflib
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ..runtime.errors import StockpotError

# What a config may say in place of a tag or a file of weights.
RANDOM = "random"
PRETRAINED = "pretrained"

# How the name of a model of timm begins in a config.
TIMM = "timm/"

# Means and standard deviations of ImageNet's pixels in [0, 1]: red, green, blue.
IMAGENET = {
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}
TIMM_SIDE = 224  # pixels

# What open_clip's table says of a model's images.
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


def named_config(
    name: str,
    weights: str,
    keys: tuple[str, str],
) -> dict[str, Any]:
    """Describe a model of open_clip.

    Args:
        name: The name of the model.
        weights: One of open_clip's tags for the model, ``random``, or "" for those of a file.
        keys: Keys of the config for name and weights, for errors.

    Returns:
        The content of an open_clip_config.json: the architecture, how images are prepared for
        the pretrained weights, and the activation that these need (QuickGELU for OpenAI's).

    Raises:
        StockpotError: open_clip has no such name or tag.
    """
    name_key, weights_key = keys
    config_files = _known()
    if name not in config_files:
        raise StockpotError(
            f"{name_key}: {name!r} is neither a folder nor a model of open_clip"
            f"{_similar(name, config_files)}"
        )
    config = {
        "model_cfg": json.loads(config_files[name].read_text("utf-8")),
        "preprocess_cfg": {},
    }
    if weights in (RANDOM, ""):
        return config
    tags = _pretrained_table().get(name, {})
    if weights not in tags:
        known_tags = ", ".join(sorted(tags)) or "none"
        raise StockpotError(
            f"{weights_key}: {weights!r} is no file, and open_clip has no such weights of {name}; "
            f"it has {known_tags}; or {RANDOM}"
        )
    entry = tags[weights]
    for key in PREPROCESSING:
        if key in entry:
            config["preprocess_cfg"][key] = entry[key]
    if entry.get("quick_gelu"):
        config["model_cfg"]["quick_gelu"] = True
    # The table has tuples; the config is to be what its JSON file holds.
    return json.loads(json.dumps(config))


def timm_config(
    settings: dict[str, Any],
    weights: str,
    keys: tuple[str, str],
) -> dict[str, Any]:
    """Describe an image classifier of timm in the same form: a tower without a text side.

    Args:
        settings: architecture ("timm/" and its name, with a tag if it has one) and preprocess,
            whose defaults are 224 pixels, shortest side, bicubic, ImageNet's mean and std.
        weights: ``pretrained``, ``random``, or "" for those of a file.
        keys: Keys of the config for name and weights, for errors.

    Returns:
        The name of the model, and how its images are prepared.

    Raises:
        StockpotError: The weights are none of these.
    """
    _, weights_key = keys
    if weights not in (PRETRAINED, RANDOM, ""):
        raise StockpotError(
            f"{weights_key}: {weights!r} is no file; weights of timm are {PRETRAINED} (of the tag "
            f"in the name) or {RANDOM}"
        )
    preprocess = {"image_size": TIMM_SIDE, **IMAGENET, **settings.get("preprocess", {})}
    # open_clip's config says size where ours says image_size.
    image_size = preprocess.pop("image_size")
    return {
        "timm": settings["architecture"].removeprefix(TIMM),
        "preprocess_cfg": {"size": image_size, **preprocess},
    }


def is_name(name: str) -> bool:
    """Tell whether open_clip has a model of this name.

    Args:
        name: A name.

    Returns:
        True where it has.
    """
    return name in _known()


def _known() -> dict[str, Path]:
    """The name of each model of open_clip -> its config file."""
    config_folder = package_folder() / "model_configs"
    return {path.stem: path for path in sorted(config_folder.glob("*.json"))}


def _similar(name: str, known_names: Iterable[str]) -> str:
    """The end of an error: names that may have been meant."""
    close = difflib.get_close_matches(name, known_names, 5, 0.5)
    if not close:
        return ""
    return f"; similar are {', '.join(close)}"


def package_folder() -> Path:
    """Find where open_clip is installed.

    Returns:
        Its folder.
    """
    spec = importlib.util.find_spec("open_clip")
    return Path(spec.submodule_search_locations[0])


def _pretrained_table() -> dict[str, dict[str, dict[str, Any]]]:
    """open_clip's table of weights: architecture -> tag -> how the weights were made.

    The table is Python code in a module that imports two libraries to fetch weights. Both are
    optional to it, and slow to import. So only this module is imported, as part of an empty
    package, and both libraries are hidden from it.
    """
    package = ModuleType("_open_clip_tables")
    package.__path__ = [str(package_folder())]
    stand_ins = {
        package.__name__: package,
        # None makes an import fail, as if the library were not installed.
        "safetensors.torch": None,
        "huggingface_hub": None,
    }
    with _modules_replaced(stand_ins):
        module = importlib.import_module(f"{package.__name__}.pretrained")
        return module._PRETRAINED


@contextmanager
def _modules_replaced(stand_ins: dict[str, ModuleType | None]) -> Iterator[None]:
    """Let imports see these modules, and put all modules back as they were afterwards."""
    modules_before = dict(sys.modules)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        # In place: the interpreter uses this one dict.
        sys.modules.clear()
        sys.modules.update(modules_before)
