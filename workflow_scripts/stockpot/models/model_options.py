"""What a model folder's config may say: an allow-list, since libraries obey what they are given.

A folder in open_clip's layout may come from anybody. Its options reach open_clip, timm and
transformers, which fetch models, read files and, with ``trust_remote_code``, run the folder's own
Python. So only options that describe an architecture are passed on; anything else is refused.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

# Options of the whole model.
MODEL = frozenset(
    [
        "embed_dim",
        "vision_cfg",
        "text_cfg",
        "multimodal_cfg",
        "quick_gelu",
        "custom_text",
        "init_logit_scale",
        "init_logit_bias",
        "nonscalar_logit_scale",
        "output_dict",
    ]
)
# Options of the transformers of both sides.
_TRANSFORMER = [
    "layers",
    "width",
    "mlp_ratio",
    "ls_init_value",
    "output_tokens",
    "act_kwargs",
    "norm_kwargs",
    "final_ln_after_pool",
    "pool_type",
    "block_type",
    "qk_norm",
    "scaled_cosine_attn",
    "scale_heads",
    "scale_attn_inner",
    "scale_attn",
    "scale_fc",
]
VISION = frozenset(
    [
        *_TRANSFORMER,
        "head_width",
        "patch_size",
        "image_size",
        "patch_dropout",
        "no_ln_pre",
        "pos_embed_type",
        "attentional_pool",
        "attn_pooler_queries",
        "attn_pooler_heads",
        "timm_model_name",
        "timm_model_pretrained",
        "timm_pool",
        "timm_proj",
        "timm_proj_bias",
        "timm_drop",
        "timm_drop_path",
    ]
)
TEXT = frozenset(
    [
        *_TRANSFORMER,
        "context_length",
        "vocab_size",
        "heads",
        "embed_cls",
        "pad_id",
        "eos_id",
        "proj_bias",
        "no_causal_mask",
        "proj_type",
        "tokenizer_mode",
        "tokenizer_kwargs",
        "hf_tokenizer_name",
        "hf_model_name",
        "hf_model_pretrained",
        "hf_proj_type",
        "hf_pooler_type",
    ]
)
DECODER = frozenset(
    [
        *_TRANSFORMER,
        "context_length",
        "vocab_size",
        "heads",
        "dim_head",
        "n_queries",
        "attn_pooler_heads",
    ]
)
TOKENIZER = frozenset(
    [
        "bpe_path",
        "clean",
        "language",
        "strip_sep_token",
    ]
)

SECTIONS = {
    "vision_cfg": VISION,
    "text_cfg": TEXT,
    "multimodal_cfg": DECODER,
}
# These go to a layer of torch as they are, which takes numbers and words.
LAYER_OPTIONS = ("act_kwargs", "norm_kwargs")

# Options that are counts. A ResNet has no patches: its patch_size is null.
SIZES = (
    "width",
    "layers",
    "patch_size",
    "image_size",
    "heads",
    "head_width",
    "vocab_size",
    "context_length",
)

WORD = re.compile(r"[\w.-]{0,100}\Z", re.ASCII)
# A name on a hub: no path, which would be read from this machine.
REPOSITORY = re.compile(
    r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?\Z", re.ASCII
)
FILE_NAME = re.compile(r"\w[\w.+ -]{0,200}\Z")

# The largest number of any single option: a vocabulary has some 2 ** 20 words at most.
LARGEST_NUMBER = 1 << 24
MOST_PARAMETERS = 20e9  # the largest model of open_clip has 5 billion

# open_clip's own defaults.
DEFAULT_LAYERS = 12
DEFAULT_WIDTH = 512
DEFAULT_MLP_RATIO = 4
DEFAULT_IMAGE_SIZE = 224

MAX_COUNTS = 4  # a ResNet has a number of layers for each of four stages
MAX_SHOWN_LETTERS = 60
MAX_SHOWN_NAME = 80


def check_options(config: Mapping[str, Any]) -> None:
    """Refuse a model config that says anything except what its architecture is.

    Args:
        config: Content of an open_clip_config.json.

    Raises:
        ValueError: It has an unknown option or a value of another kind. One line, naming it.
    """
    model = _mapping(config.get("model_cfg"), "model_cfg")
    _check_known(model, MODEL, "model_cfg")
    # These two sections must be there.
    for name in ("vision_cfg", "text_cfg"):
        _mapping(model.get(name), f"model_cfg.{name}")
    for name, value in model.items():
        path = f"model_cfg.{name}"
        if name in SECTIONS:
            _check_section(_mapping(value, path), SECTIONS[name], path)
        else:
            _check_value(value, path)
    parameters = parameter_count(model)
    if parameters > MOST_PARAMETERS:
        raise ValueError(
            f"model_cfg describes a model of {parameters:.2g} numbers; at most "
            f"{MOST_PARAMETERS:.2g} are built"
        )


def parameter_count(model: Mapping[str, Any]) -> float:
    """Estimate how many numbers a model has: its matrices and embeddings, and nothing else.

    Args:
        model: A ``model_cfg`` that ``check_options`` has accepted. What is not a transformer (a
            model of timm or transformers, a ResNet) counts as none.

    Returns:
        About the number of parameters.
    """
    total = 0.0
    for name in SECTIONS:
        section = model.get(name)
        if section:
            total += _section_parameter_count(section, model.get("embed_dim", 0))
    return total


def _section_parameter_count(section: Mapping[str, Any], embed_dim: int) -> float:
    layers = section.get("layers", DEFAULT_LAYERS)
    width = section.get("width", DEFAULT_WIDTH)
    is_foreign = "timm_model_name" in section or "hf_model_name" in section
    # A ResNet has a list of layers.
    if not isinstance(layers, int) or is_foreign:
        return 0.0
    mlp_ratio = section.get("mlp_ratio") or DEFAULT_MLP_RATIO
    # Attention has four square matrices, its perceptron two of width x (ratio x width).
    count = layers * width**2 * (4 + 2 * mlp_ratio)
    # Embeddings of tokens and of positions.
    count += section.get("vocab_size", 0) * width
    count += section.get("context_length", 0) * width
    patch_size = section.get("patch_size")
    if patch_size:
        side = section.get("image_size", DEFAULT_IMAGE_SIZE)
        if isinstance(side, list):
            side = max(side)
        # An embedding per position, and one matrix from a patch of three channels.
        count += ((side / patch_size) ** 2 + 3 * patch_size**2) * width
    # The projection into the space that both sides share.
    count += width * embed_dim
    return count


def _check_section(
    section: Mapping[str, Any],
    known: frozenset[str],
    path: str,
) -> None:
    _check_known(section, known, path)
    for name, value in section.items():
        _check_option(name, value, f"{path}.{name}")


def _check_option(
    name: str,
    value: Any,
    path: str,
) -> None:
    if name == "tokenizer_kwargs":
        _check_tokenizer(_mapping(value or {}, path), path)
    elif name in LAYER_OPTIONS:
        for option, inner_value in _mapping(value or {}, path).items():
            _check_value(inner_value, f"{path}.{option}")
    elif name in ("hf_tokenizer_name", "hf_model_name"):
        _check_text(value, REPOSITORY, path, "the name of a repository, as owner/name")
    elif name == "timm_model_name":
        _check_text(value, WORD, path, "the name of a model of timm")
    elif name in SIZES:
        _check_size(value, path)
    else:
        _check_value(value, path)


def _check_tokenizer(options: Mapping[str, Any], path: str) -> None:
    _check_known(options, TOKENIZER, path)
    for name, value in options.items():
        option_path = f"{path}.{name}"
        if name == "bpe_path":
            kind = "the name of a file in the folder"
            _check_text(value, FILE_NAME, option_path, kind)
        else:
            _check_value(value, option_path)


def _check_known(
    names: Iterable[str],
    known: frozenset[str],
    path: str,
) -> None:
    for name in names:
        if name not in known:
            shown_name = str(name)[:MAX_SHOWN_NAME]
            close = difflib.get_close_matches(
                shown_name,
                sorted(known),
                4,
                0,
            )
            more = ", …" if len(known) > len(close) else ""
            raise ValueError(
                f"{path}: {shown_name!a} describes no architecture and is not passed on; "
                f"known are {', '.join(close)}{more}"
            )


def _check_text(
    value: object,
    form: re.Pattern[str],
    path: str,
    kind: str,
) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not form.match(value):
        raise ValueError(f"{path} is {_shown(value)}, not {kind}")


def _check_size(value: object, path: str) -> None:
    """A count, or a list of them (stages of a ResNet, height and width)."""
    if value is None and path.endswith(".patch_size"):
        return
    counts = [value]
    if isinstance(value, list) and 0 < len(value) <= MAX_COUNTS:
        counts = value
    for count in counts:
        # bool is a kind of int in Python.
        if type(count) is not int or not 1 <= count <= LARGEST_NUMBER:
            raise ValueError(
                f"{path} is {_shown(value)}, not a count from 1 to {LARGEST_NUMBER}"
            )


def _check_value(value: object, path: str) -> None:
    """A number, a word, a truth value or null."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
            raise ValueError(
                f"{path} is {_shown(value)}, not a number up to {LARGEST_NUMBER}"
            )
        return
    if not isinstance(value, str) or not WORD.match(value):
        raise ValueError(f"{path} is {_shown(value)}, neither a number nor a word")


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} is {_shown(value)}, not a map of options")
    return value


def _shown(value: object) -> str:
    """A value in an error."""
    text = ascii(value)
    if len(text) <= MAX_SHOWN_LETTERS:
        return text
    return f"{text[: MAX_SHOWN_LETTERS - 3]}..."
