"""What a model folder's config may say: an allow-list, since libraries obey what they are given.

A folder in open_clip's layout may come from anybody. Its options reach open_clip, timm and
transformers, which fetch models, read files and, with ``trust_remote_code``, run the folder's own
Python. So only options that describe an architecture are passed on; anything else is refused.
"""

import difflib
import math
import re
from collections.abc import Mapping

MODEL = frozenset(
    [
        "embed_dim",
        "vision_cfg",
        "text_cfg",
        "multimodal_cfg",
        "quick_gelu",
        "custom_text",
    ]
    + ["init_logit_scale", "init_logit_bias", "nonscalar_logit_scale", "output_dict"]
)
# Of the transformers of both sides.
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
    _TRANSFORMER
    + [
        "head_width",
        "patch_size",
        "image_size",
        "patch_dropout",
        "no_ln_pre",
        "pos_embed_type",
    ]
    + ["attentional_pool", "attn_pooler_queries", "attn_pooler_heads"]
    + [
        "timm_model_name",
        "timm_model_pretrained",
        "timm_pool",
        "timm_proj",
        "timm_proj_bias",
    ]
    + ["timm_drop", "timm_drop_path"]
)
TEXT = frozenset(
    _TRANSFORMER
    + [
        "context_length",
        "vocab_size",
        "heads",
        "embed_cls",
        "pad_id",
        "eos_id",
        "proj_bias",
    ]
    + [
        "no_causal_mask",
        "proj_type",
        "tokenizer_mode",
        "tokenizer_kwargs",
        "hf_tokenizer_name",
    ]
    + ["hf_model_name", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type"]
)
DECODER = frozenset(
    _TRANSFORMER
    + [
        "context_length",
        "vocab_size",
        "heads",
        "dim_head",
        "n_queries",
        "attn_pooler_heads",
    ]
)
TOKENIZER = frozenset(["bpe_path", "clean", "language", "strip_sep_token"])

SECTIONS = {"vision_cfg": VISION, "text_cfg": TEXT, "multimodal_cfg": DECODER}
# These go to a layer of torch as they are, which takes numbers and words.
LAYER_OPTIONS = ("act_kwargs", "norm_kwargs")

# A ResNet has no patches: its patch_size is null.
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
# Of a hub: no path, which would be read from this machine.
REPOSITORY = re.compile(
    r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?\Z", re.ASCII
)
FILE_NAME = re.compile(r"\w[\w.+ -]{0,200}\Z")

LARGEST_NUMBER = (
    1 << 24
)  # of any single option: a vocabulary has some 2 ** 20 words at most
MOST_PARAMETERS = 20e9  # the largest model of open_clip has 5 billion


def check_options(config: Mapping) -> None:
    """Refuse a model config that says anything but what its architecture is.

    Args:
        config: Content of an open_clip_config.json.

    Raises:
        ValueError: It has an unknown option or a value of another kind. One line, naming it.
    """
    model = _mapping(config.get("model_cfg"), "model_cfg")
    _check_known(model, MODEL, "model_cfg")
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


def parameter_count(model: Mapping) -> float:
    """About how many numbers a model has: its matrices, embeddings and nothing else.

    Args:
        model: A ``model_cfg`` that ``check_options`` has seen. What is not a transformer (a model
            of timm or transformers, a ResNet) counts as none.
    """
    total = 0.0
    for name in SECTIONS:
        section = model.get(name)
        if not section:
            continue
        layers = section.get("layers", 12)
        width = section.get("width", 512)
        is_foreign = "timm_model_name" in section or "hf_model_name" in section
        if not isinstance(layers, int) or is_foreign:
            continue
        ratio = section.get("mlp_ratio") or 4
        # Attention has four square matrices, its perceptron two of width x (ratio x width).
        total += layers * width**2 * (4 + 2 * ratio)
        total += section.get("vocab_size", 0) * width
        total += section.get("context_length", 0) * width
        if patch := section.get("patch_size"):
            side = section.get("image_size", 224)
            side = max(side) if isinstance(side, list) else side
            total += ((side / patch) ** 2 + 3 * patch**2) * width
        total += width * model.get("embed_dim", 0)
    return total


def _check_section(section: Mapping, known: frozenset, path: str) -> None:
    _check_known(section, known, path)
    for name, value in section.items():
        where = f"{path}.{name}"
        if name == "tokenizer_kwargs":
            _check_tokenizer(_mapping(value or {}, where), where)
        elif name in LAYER_OPTIONS:
            for option, inner in _mapping(value or {}, where).items():
                _check_value(inner, f"{where}.{option}")
        elif name in ("hf_tokenizer_name", "hf_model_name"):
            _check_text(
                value, REPOSITORY, where, "the name of a repository, as owner/name"
            )
        elif name == "timm_model_name":
            _check_text(value, WORD, where, "the name of a model of timm")
        elif name in SIZES:
            _check_size(value, where)
        else:
            _check_value(value, where)


def _check_tokenizer(options: Mapping, path: str) -> None:
    _check_known(options, TOKENIZER, path)
    for name, value in options.items():
        if name == "bpe_path":
            _check_text(
                value, FILE_NAME, f"{path}.{name}", "the name of a file in the folder"
            )
        else:
            _check_value(value, f"{path}.{name}")


def _check_known(given: Mapping, known: frozenset, path: str) -> None:
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(str(name)[:80], sorted(known), 4, 0)
            raise ValueError(
                f"{path}: {str(name)[:80]!a} describes no architecture and is not passed on; "
                f"known are {', '.join(close)}{', …' if len(known) > len(close) else ''}"
            )


def _check_text(value: object, form: re.Pattern, path: str, kind: str) -> None:
    if value is not None and not (isinstance(value, str) and form.match(value)):
        raise ValueError(f"{path} is {_shown(value)}, not {kind}")


def _check_size(value: object, path: str) -> None:
    """A count, or a list of them (stages of a ResNet, height and width)."""
    if value is None and path.endswith(".patch_size"):
        return
    counts = value if isinstance(value, list) and 0 < len(value) <= 4 else [value]
    for count in counts:
        # bool is a kind of int in Python.
        if type(count) is not int or not 1 <= count <= LARGEST_NUMBER:
            raise ValueError(
                f"{path} is {_shown(value)}, not a count from 1 to {LARGEST_NUMBER}"
            )


def _check_value(value: object, path: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
            raise ValueError(
                f"{path} is {_shown(value)}, not a number up to {LARGEST_NUMBER}"
            )
    elif not (isinstance(value, str) and WORD.match(value)):
        raise ValueError(f"{path} is {_shown(value)}, neither a number nor a word")


def _mapping(value: object, path: str) -> Mapping:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} is {_shown(value)}, not a map of options")
    return value


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
