"""A model's files in open_clip's layout, read without any library."""

import json
import struct
from pathlib import Path

from ..errors import StockpotError

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
RESIZE_MODES, INTERPOLATIONS = ("shortest", "longest", "squash"), ("bicubic", "bilinear")
# Where a config says nothing, open_clip normalises with OpenAI's statistics.
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def read_config(folder: Path, key: str) -> dict:
    """The model's config. Raises StockpotError naming the config's ``key``."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text())
        preprocessing(config)
        vocabulary(config)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StockpotError(
            f"{key}: {path} is not a readable open_clip config ({error!r})"
        ) from error
    return config


def preprocessing(config: dict) -> dict:
    """How the model wants its images, as open_clip reads it: side of the square input in pixels,
    resize_mode, interpolation, mean and std of pixels in [0, 1].

    The size is that of the vision tower, whatever preprocess_cfg says; each may be a number or a
    pair.
    """
    given = config.get("preprocess_cfg") or {}
    size = given.get("size")
    sides = [] if size is None else [_side(size)]
    if "timm" not in config:
        sides = [_side(config["model_cfg"]["vision_cfg"].get("image_size", 224)), *sides]
    found = {
        "side": sides[0],
        "resize_mode": given.get("resize_mode") or "shortest",
        "interpolation": given.get("interpolation") or "bicubic",
        "mean": list(given.get("mean") or MEAN),
        "std": list(given.get("std") or STD),
    }
    if found["interpolation"] == "random":  # in training alone; see open_clip's image_transform
        found["interpolation"] = "bicubic"
    for key, known in (("resize_mode", RESIZE_MODES), ("interpolation", INTERPOLATIONS)):
        if found[key] not in known:
            raise ValueError(f"its {key} {found[key]!r} is not one of {', '.join(known)}")
    return found


def _side(size: object) -> int:
    side, *other = size if isinstance(size, list) else [size]
    if not isinstance(side, int) or side < 1 or other not in ([], [side]):
        raise ValueError(f"its images are {size}, not square")
    return side


def vocabulary(config: dict) -> str:
    """Name of the vocabulary file beside the config, "" where the model uses the standard one."""
    return config["model_cfg"]["text_cfg"].get("tokenizer_kwargs", {}).get("bpe_path", "")


def check_safetensors(path: Path, key: str) -> None:
    """Read the header and compare it with the file's size.

    Raises StockpotError naming the config's ``key`` for a file that is missing, no
    safetensors file, or cut short.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size - 8:
                raise ValueError(f"its header claims {length} bytes, the file has {size}")
            header = json.loads(file.read(length))
        end = max(
            (entry["data_offsets"][1] for k, entry in header.items() if k != "__metadata__"),
            default=0,
        )
        if 8 + length + end != size:
            raise ValueError(f"it has {size} bytes, its header describes {8 + length + end}")
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {path} ({error.strerror})") from error
    except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise StockpotError(f"{key}: {path} is not a whole safetensors file ({error})") from error
