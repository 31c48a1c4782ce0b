"""A model's files in open_clip's layout, read without any library."""

import gzip
import json
import math
import struct
import zlib
from pathlib import Path

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.file_kinds import START_BYTES, stand_in
from ..runtime.regular_files import open_regular, read_text
from .model_options import check_options, parameter_count

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
RESIZE_MODES, INTERPOLATIONS = (
    ("shortest", "longest", "squash"),
    ("bicubic", "bilinear"),
)
LARGEST_SIDE = 8192  # pixels; the largest that open_clip knows is 512
CONFIG_LIMIT = 1 << 20  # bytes
VOCABULARY_LIMIT = 64 << 20  # bytes; OpenAI's has 3 MB
HARMLESS = 100e6  # numbers; a model of this size is built wherever studies run
OPENAI_MERGES, OPENAI_WORDS = 48894, 49408
# Where a config says nothing, open_clip normalises with OpenAI's statistics.
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def read_config(folder: Path, key: str) -> dict:
    """The model's config, of which every option is one that may be passed on.

    Raises StockpotError naming the config's ``key``.
    """
    path = folder / CONFIG
    text = read_text(path, key, CONFIG_LIMIT)
    if kind := stand_in(text[:START_BYTES].encode()):
        raise StockpotError(f"{key}: {path} is {kind}")
    try:
        config = json.loads(text)
        if not isinstance(config, dict):
            raise ValueError("it holds no map")
        _shorten_vocabulary(config)
        check_options(config)
        preprocessing(config)
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise StockpotError(
            f"{key}: {path} is not a readable open_clip config ({one_line(reason, 400)})"
        ) from error
    return config


def _shorten_vocabulary(config: dict) -> None:
    """Name the vocabulary as a file of the folder, so that a folder may be moved."""
    model = config.get("model_cfg")
    text = model.get("text_cfg") if isinstance(model, dict) else None
    options = text.get("tokenizer_kwargs") if isinstance(text, dict) else None
    if isinstance(options, dict) and isinstance(options.get("bpe_path"), str):
        options["bpe_path"] = vocabulary(config)


def preprocessing(config: dict) -> dict:
    """How the model wants its images, as open_clip reads it: side of the square input in pixels,
    resize_mode, interpolation, mean and std of pixels in [0, 1].

    The size is that of the vision tower, whatever preprocess_cfg says; each may be a number or a
    pair.
    """
    given = config.get("preprocess_cfg") or {}
    if not isinstance(given, dict):
        raise ValueError(
            f"its preprocess_cfg is {str(given)[:60]!a}, not a map of options"
        )
    size = given.get("size")
    sides = [] if size is None else [_side(size)]
    if "timm" not in config:
        sides = [
            _side(config["model_cfg"]["vision_cfg"].get("image_size", 224)),
            *sides,
        ]
    found = {
        "side": sides[0],
        "resize_mode": given.get("resize_mode") or "shortest",
        "interpolation": given.get("interpolation") or "bicubic",
        "mean": list(given.get("mean") or MEAN),
        "std": list(given.get("std") or STD),
    }
    if (
        found["interpolation"] == "random"
    ):  # in training alone; see open_clip's image_transform
        found["interpolation"] = "bicubic"
    for key, known in (
        ("resize_mode", RESIZE_MODES),
        ("interpolation", INTERPOLATIONS),
    ):
        if found[key] not in known:
            shown = one_line(repr(found[key]), 60)
            raise ValueError(f"its {key} {shown} is not one of {', '.join(known)}")
    for key in ("mean", "std"):
        _check_statistic(key, found[key])
    return found


def _check_statistic(key: str, values: list) -> None:
    """mean or std: three finite numbers, and nothing can be divided by a std of 0."""
    numbers = [v for v in values if isinstance(v, (int, float)) and math.isfinite(v)]
    if len(numbers) != 3 or len(values) != 3 or (key == "std" and min(numbers) <= 0):
        wanted = "three numbers above 0" if key == "std" else "three finite numbers"
        raise ValueError(f"its {key} is {one_line(values, 80)}, not {wanted}")


def _side(size: object) -> int:
    side, *other = size if isinstance(size, list) else [size]
    if not isinstance(side, int) or side < 1 or other not in ([], [side]):
        raise ValueError(f"its images are {one_line(size, 60)}, not square")
    if side > LARGEST_SIDE:
        raise ValueError(
            f"its images have sides of {side} pixels; at most {LARGEST_SIDE} are read"
        )
    return side


def vocabulary(config: dict) -> str:
    """Name of the vocabulary file beside the config, "" where the model uses the standard one.

    Of a full path, as our exports have it, the name alone counts: no file elsewhere is read.
    """
    options = config["model_cfg"]["text_cfg"].get("tokenizer_kwargs") or {}
    path = options.get("bpe_path") or ""
    return Path(path).name if Path(path).is_absolute() else path


def check_vocabulary(path: Path, config: dict, key: str) -> None:
    """Read the vocabulary as open_clip's tokenizer will, but no more than a vocabulary has.

    Args:
        path: Merges of byte pairs, a line each, packed by gzip.
        config: As ``read_config`` gives it; its text side must have room for every word.
        key: Key of the config, for the message.

    Raises:
        StockpotError: It is no such file, unpacks to too much, or has more words than the model.
    """
    try:
        with open_regular(path) as file:
            start = file.read(START_BYTES)
            if kind := stand_in(start):
                raise StockpotError(f"{key}: {path} is {kind}")
            file.seek(0)
            with gzip.open(file) as unpacked:
                text = unpacked.read(VOCABULARY_LIMIT + 1)
        if len(text) > VOCABULARY_LIMIT:
            raise ValueError(f"it unpacks to more than {VOCABULARY_LIMIT >> 20} MB")
        lines = text.decode("utf-8").split("\n")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or one_line(error, 200)
        raise StockpotError(
            f"{key}: {path} is not a readable vocabulary ({reason})"
        ) from error
    # 256 bytes, each also as the end of a word, a word per merge, and two marks. The first line
    # is a comment, and of the rest open_clip takes as many as OpenAI's vocabulary has.
    words = 512 + min(len(lines) - 1, OPENAI_MERGES) + 2
    room = config["model_cfg"]["text_cfg"].get("vocab_size", OPENAI_WORDS)
    if words > room:
        raise StockpotError(
            f"{key}: {path} has {words} words, but vocab_size in {CONFIG} is {room}; they do not "
            "belong together"
        )


def check_safetensors(path: Path, key: str) -> None:
    """Read the header and compare it with the file's size.

    Raises StockpotError naming the config's ``key`` for a file that is missing, no
    safetensors file, or cut short.
    """
    try:
        size = path.stat().st_size
        with open_regular(path) as file:
            start = file.read(START_BYTES)
            if kind := stand_in(start):
                raise StockpotError(f"{key}: {path} is {kind}")
            (length,) = struct.unpack("<Q", start[:8])
            if length > size - 8:
                raise ValueError(
                    f"its header claims {length} bytes, the file has {size}"
                )
            file.seek(8)
            header = json.loads(file.read(length))
        end = max(
            (
                entry["data_offsets"][1]
                for k, entry in header.items()
                if k != "__metadata__"
            ),
            default=0,
        )
        if 8 + length + end != size:
            raise ValueError(
                f"it has {size} bytes, its header describes {8 + length + end}"
            )
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {path} ({error.strerror})") from error
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        struct.error,
    ) as error:
        reason = one_line(error, 200)
        raise StockpotError(
            f"{key}: {path} is not a whole safetensors file ({reason})"
        ) from error


def check_size(config: dict, weights: Path, key: str) -> None:
    """Refuse a config of a model much larger than its weights: building it could fill the memory.

    Args:
        config: As ``read_config`` gives it.
        weights: The weights file, which holds at least a byte per number.
        key: Key of the config, for the message.
    """
    numbers = parameter_count(config["model_cfg"])
    size = weights.stat().st_size
    if numbers > max(size, HARMLESS):
        raise StockpotError(
            f"{key}: {CONFIG} describes a model of {numbers:,.0f} numbers, but {weights} has "
            f"{size:,} bytes; they do not belong together"
        )
