"""Models that open_clip knows by name, described without importing it: planning stays light."""

import difflib
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from ..runtime.errors import StockpotError

RANDOM, PRETRAINED = "random", "pretrained"
TIMM = "timm/"
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def named_config(name: str, weights: str, keys: tuple[str, str]) -> dict:
    """The content of an open_clip_config.json: of the architecture, with how its images are
    prepared and the activation as the pretrained weights want them (QuickGELU for OpenAI's).

    weights: a tag of open_clip's, ``random``, or "" for those of a file. keys: of the config, for
    name and weights. StockpotError for a name or a tag that open_clip does not have.
    """
    known = _known()
    if name not in known:
        raise StockpotError(
            f"{keys[0]}: {name!r} is neither a folder nor a model of open_clip"
            f"{_similar(name, known)}"
        )
    config = {
        "model_cfg": json.loads(known[name].read_text("utf-8")),
        "preprocess_cfg": {},
    }
    if weights in (RANDOM, ""):
        return config
    tags = _pretrained().get(name, {})
    if weights not in tags:
        there = ", ".join(sorted(tags)) or "none"
        raise StockpotError(
            f"{keys[1]}: {weights!r} is no file, and open_clip has no such weights of {name}; it "
            f"has {there}; or {RANDOM}"
        )
    given = tags[weights]
    names = ("mean", "std", "interpolation", "resize_mode")
    config["preprocess_cfg"] = {key: given[key] for key in names if key in given}
    if given.get("quick_gelu"):
        config["model_cfg"]["quick_gelu"] = True
    return json.loads(json.dumps(config))


def timm_config(settings: dict, weights: str, keys: tuple[str, str]) -> dict:
    """What describes an image classifier of timm, in the same form: a tower without a text side.

    settings: architecture ("timm/" and its name, with a tag if it has one) and preprocess, in which
    what is not given is 224 pixels, shortest side, bicubic, ImageNet's mean and std. weights:
    ``pretrained``, ``random``, or "" for those of a file.
    """
    if weights not in (PRETRAINED, RANDOM, ""):
        raise StockpotError(
            f"{keys[1]}: {weights!r} is no file; weights of timm are {PRETRAINED} (of the tag in "
            f"the name) or {RANDOM}"
        )
    given = {"side": 224, **IMAGENET, **settings.get("preprocess", {})}
    return {
        "timm": settings["architecture"].removeprefix(TIMM),
        "preprocess_cfg": {"size": given.pop("side"), **given},
    }


def is_name(name: str) -> bool:
    """Does open_clip have a model of this name?"""
    return name in _known()


def _known() -> dict[str, Path]:
    files = sorted((package_folder() / "model_configs").glob("*.json"))
    return {path.stem: path for path in files}


def _similar(name: str, known) -> str:
    close = difflib.get_close_matches(name, known, 5, 0.5)
    return f"; similar are {', '.join(close)}" if close else ""


def package_folder() -> Path:
    """Where open_clip is installed."""
    return Path(importlib.util.find_spec("open_clip").submodule_search_locations[0])


def _pretrained() -> dict[str, dict[str, dict]]:
    """open_clip's table: architecture -> tag -> how the weights were made."""
    package = ModuleType("_open_clip_tables")
    package.__path__ = [str(package_folder())]
    # None makes an import fail; the table's module then does without what is slow to import.
    hidden = {
        package.__name__: package,
        "safetensors.torch": None,
        "huggingface_hub": None,
    }
    with patch.dict(sys.modules, hidden):
        return importlib.import_module(f"{package.__name__}.pretrained")._PRETRAINED
