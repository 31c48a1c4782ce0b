"""A model's files in open_clip's layout, read without any library."""

import gzip
import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.file_kinds import START_BYTES, stand_in
from ..runtime.regular_files import open_regular, read_text
from .model_options import check_options, parameter_count

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"

RESIZE_MODES = ("shortest", "longest", "squash")
INTERPOLATIONS = ("bicubic", "bilinear")

LARGEST_SIDE = 8192  # pixels; the largest that open_clip knows is 512
DEFAULT_SIDE = 224  # pixels; open_clip's own default
CONFIG_LIMIT = 1 << 20  # bytes
VOCABULARY_LIMIT = 64 << 20  # bytes; OpenAI's has 3 MB
HARMLESS = 100e6  # numbers; a model of this size is built wherever studies run

# OpenAI's vocabulary: merges, and words that follow from them.
OPENAI_MERGES = 48894
OPENAI_WORDS = 49408

# Where a config says nothing, open_clip normalises with OpenAI's statistics.
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]

# The first bytes of a safetensors file: the length of its header.
LENGTH_FORMAT = "<Q"
LENGTH_BYTES = 8

# What reading the content of a file raises where the file is not what it should be.
CONTENT_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


def read_config(folder: Path, key: str) -> dict[str, Any]:
    """Read a model's config, and check that each of its options may be passed on.

    Args:
        folder: The folder of the model.
        key: Key of the study's config, for errors.

    Returns:
        The content of open_clip_config.json; a vocabulary is named as a file of the folder.

    Raises:
        StockpotError: The file cannot be read, or describes more than an architecture.
    """
    path = folder / CONFIG
    text = read_text(path, key, CONFIG_LIMIT)
    stand_in_kind = stand_in(text[:START_BYTES].encode())
    if stand_in_kind:
        raise StockpotError(f"{key}: {path} is {stand_in_kind}")
    try:
        config = json.loads(text)
        if not isinstance(config, dict):
            raise ValueError("it holds no map")
        _shorten_vocabulary(config)
        check_options(config)
        preprocessing(config)
    except CONTENT_ERRORS as error:
        reason = str(error)
        if isinstance(error, KeyError):
            reason = f"it has no {error}"
        raise StockpotError(
            f"{key}: {path} is not a readable open_clip config ({one_line(reason, 400)})",
        ) from error
    return config


def _shorten_vocabulary(config: dict[str, Any]) -> None:
    """Name the vocabulary as a file of the folder, so that a folder may be moved."""
    # Nothing is known yet of the config: any level may be something else than a map.
    options: Any = config
    for key in ("model_cfg", "text_cfg", "tokenizer_kwargs"):
        options = options.get(key)
        if not isinstance(options, dict):
            return
    if isinstance(options.get("bpe_path"), str):
        options["bpe_path"] = vocabulary(config)


def preprocessing(config: dict[str, Any]) -> dict[str, Any]:
    """Describe how a model wants its images, as open_clip reads its config.

    Args:
        config: Content of an open_clip_config.json.

    Returns:
        image_size (side of the square input, in pixels), resize_mode, interpolation, and mean
        and std of pixels in [0, 1]. The size is that of the vision tower, whatever preprocess_cfg
        says.

    Raises:
        ValueError: A value is impossible, or images are not square.
    """
    options = config.get("preprocess_cfg") or {}
    if not isinstance(options, dict):
        raise ValueError(
            f"its preprocess_cfg is {str(options)[:60]!a}, not a map of options"
        )
    result = {
        "image_size": _input_side(config, options.get("size")),
        "resize_mode": options.get("resize_mode") or "shortest",
        "interpolation": options.get("interpolation") or "bicubic",
        "mean": list(options.get("mean") or MEAN),
        "std": list(options.get("std") or STD),
    }
    # "random" holds only for training; see open_clip's image_transform.
    if result["interpolation"] == "random":
        result["interpolation"] = "bicubic"
    _check_word("resize_mode", result["resize_mode"], RESIZE_MODES)
    _check_word("interpolation", result["interpolation"], INTERPOLATIONS)
    _check_statistic("mean", result["mean"])
    _check_statistic("std", result["std"])
    return result


def _input_side(config: dict[str, Any], preprocess_size: object) -> int:
    """Side of the model's input in pixels; a size may be a number or a pair of equal ones."""
    # The size is checked even where that of the vision tower counts.
    preprocess_side = None
    if preprocess_size is not None:
        preprocess_side = _side(preprocess_size)
    if "timm" not in config:
        vision_config = config["model_cfg"]["vision_cfg"]
        return _side(vision_config.get("image_size", DEFAULT_SIDE))
    if preprocess_side is None:
        raise ValueError("its preprocess_cfg has no size")
    return preprocess_side


def _check_word(
    key: str,
    word: object,
    known_words: tuple[str, ...],
) -> None:
    if word not in known_words:
        shown_word = one_line(repr(word), 60)
        raise ValueError(
            f"its {key} {shown_word} is not one of {', '.join(known_words)}"
        )


def _check_statistic(key: str, values: list) -> None:
    """Refuse a mean or std that is not three finite numbers, or that cannot be divided by."""
    is_std = key == "std"
    finite_numbers = [
        value
        for value in values
        if isinstance(value, (int, float)) and math.isfinite(value)
    ]
    is_valid = len(values) == len(finite_numbers) == 3
    if is_valid and is_std:
        is_valid = min(finite_numbers) > 0
    if not is_valid:
        expected = "three numbers above 0" if is_std else "three finite numbers"
        raise ValueError(f"its {key} is {one_line(values, 80)}, not {expected}")


def _side(size: object) -> int:
    """The side of a square, from a number or a list of one or two equal ones."""
    sides = size if isinstance(size, list) else [size]
    side, *others = sides
    if not isinstance(side, int) or side < 1 or others not in ([], [side]):
        raise ValueError(f"its images are {one_line(size, 60)}, not square")
    if side > LARGEST_SIDE:
        raise ValueError(
            f"its images have sides of {side} pixels; at most {LARGEST_SIDE} are read"
        )
    return side


def vocabulary(config: dict[str, Any]) -> str:
    """Name the vocabulary file beside a config.

    Args:
        config: Content of an open_clip_config.json.

    Returns:
        The name of the file, "" where the model uses the standard one. Of a full path, as our
        exports have it, only the name counts: no file elsewhere is read.
    """
    options = config["model_cfg"]["text_cfg"].get("tokenizer_kwargs") or {}
    path = options.get("bpe_path") or ""
    if Path(path).is_absolute():
        return Path(path).name
    return path


def check_vocabulary(
    path: Path,
    config: dict[str, Any],
    key: str,
) -> None:
    """Read the vocabulary as open_clip's tokenizer will, but no more than a vocabulary has.

    Args:
        path: Merges of byte pairs, a line each, packed by gzip.
        config: As ``read_config`` gives it; its text side must have room for every word.
        key: Key of the study's config, for errors.

    Raises:
        StockpotError: It is no such file, unpacks to too much, or has more words than the model.
    """
    try:
        line_count = _vocabulary_line_count(path, key)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or one_line(error, 200)
        raise StockpotError(
            f"{key}: {path} is not a readable vocabulary ({reason})"
        ) from error
    # The first line is a comment, and open_clip takes at most as many merges as OpenAI's
    # vocabulary has.
    merge_count = min(line_count - 1, OPENAI_MERGES)
    # 256 bytes, each also as the end of a word, a word per merge, and two marks.
    words = 512 + merge_count + 2
    room = config["model_cfg"]["text_cfg"].get("vocab_size", OPENAI_WORDS)
    if words > room:
        raise StockpotError(
            f"{key}: {path} has {words} words, but vocab_size in {CONFIG} is {room}; they do not "
            "belong together"
        )


def _vocabulary_line_count(path: Path, key: str) -> int:
    with open_regular(path) as file:
        stand_in_kind = stand_in(file.read(START_BYTES))
        if stand_in_kind:
            raise StockpotError(f"{key}: {path} is {stand_in_kind}")
        file.seek(0)
        with gzip.open(file) as unpacked:
            # One byte more than allowed tells a file that has more.
            text = unpacked.read(VOCABULARY_LIMIT + 1)
    if len(text) > VOCABULARY_LIMIT:
        raise ValueError(f"it unpacks to more than {VOCABULARY_LIMIT >> 20} MB")
    return len(text.decode("utf-8").split("\n"))


def check_safetensors(path: Path, key: str) -> None:
    """Read the header of a safetensors file and compare it with the file's size.

    Args:
        path: The file.
        key: Key of the study's config, for errors.

    Raises:
        StockpotError: The file is missing, no safetensors file, or cut short.
    """
    try:
        _check_header(path, key)
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {path} ({error.strerror})") from error
    except (*CONTENT_ERRORS, struct.error) as error:
        reason = one_line(error, 200)
        raise StockpotError(
            f"{key}: {path} is not a whole safetensors file ({reason})"
        ) from error


def _check_header(path: Path, key: str) -> None:
    file_size = path.stat().st_size
    with open_regular(path) as file:
        start = file.read(START_BYTES)
        stand_in_kind = stand_in(start)
        if stand_in_kind:
            raise StockpotError(f"{key}: {path} is {stand_in_kind}")
        (header_length,) = struct.unpack(LENGTH_FORMAT, start[:LENGTH_BYTES])
        if header_length > file_size - LENGTH_BYTES:
            raise ValueError(
                f"its header claims {header_length} bytes, the file has {file_size}"
            )
        file.seek(LENGTH_BYTES)
        header = json.loads(file.read(header_length))
    # Tensors follow the header; the last one ends where the file does.
    tensor_ends = []
    for name, entry in header.items():
        if name != "__metadata__":
            tensor_ends.append(entry["data_offsets"][1])
    data_length = max(tensor_ends, default=0)
    described_size = LENGTH_BYTES + header_length + data_length
    if described_size != file_size:
        raise ValueError(
            f"it has {file_size} bytes, its header describes {described_size}"
        )


def check_size(
    config: dict[str, Any],
    weights: Path,
    key: str,
) -> None:
    """Refuse a config of a model much larger than its weights: building it could fill the memory.

    Args:
        config: As ``read_config`` gives it.
        weights: The weights file, which holds at least a byte per number.
        key: Key of the study's config, for errors.

    Raises:
        StockpotError: The config describes a large model, and the file is smaller.
    """
    numbers = parameter_count(config["model_cfg"])
    file_size = weights.stat().st_size
    if numbers > max(file_size, HARMLESS):
        raise StockpotError(
            f"{key}: {CONFIG} describes a model of {numbers:,.0f} numbers, but {weights} has "
            f"{file_size:,} bytes; they do not belong together"
        )
