"""CLIP models through open_clip's own factory and tokenizer."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from ..runtime.errors import StockpotError
from ..runtime.escape import first_line
from .files import read_config
from .hub import hub
from .third_party import open_clip

CONFIG_KEY = "model.architecture"


def create_clip(
    architecture: str | Path,
    *,
    load_weights: bool = True,
) -> torch.nn.Module:
    """Build a CLIP model in fp32 on the CPU, in evaluation mode.

    Args:
        architecture: A folder in open_clip's ``local-dir`` layout, or a name that open_clip knows.
        load_weights: Whether the folder's weights are loaded; else they are random.

    Returns:
        The model.

    Raises:
        StockpotError: The folder's config has options that are not passed on, or open_clip cannot
            build the model.
    """
    folder = Path(architecture)
    if not folder.is_dir():
        name = str(architecture)
        return open_clip.create_model(name, load_weights=load_weights).eval()
    # Reading the config refuses options that open_clip must not obey.
    text_config = read_config(folder, CONFIG_KEY)["model_cfg"]["text_cfg"]
    text_model = text_config.get("hf_model_name")
    with _hub_if(text_model) as unreachable:
        try:
            return open_clip.create_model(
                f"local-dir:{folder}",
                load_weights=load_weights,
                # Else open_clip fetches the weights of a text side of transformers, only to
                # replace them at once.
                pretrained_text=False,
            ).eval()
        except Exception as error:  # whatever open_clip and what it builds with raise
            what = f"its text side {text_model}" if text_model else f"{folder}"
            reason = unreachable or first_line(error)
            raise StockpotError(
                f"{CONFIG_KEY}: {what} cannot be built ({reason})"
            ) from error


def tokenizer(architecture: str | Path) -> Any:
    """Make the tokenizer of a model.

    A vocabulary file beside the model's config is found there, and so are the files of a tokenizer
    of Hugging Face, which is fetched where there are none.

    Args:
        architecture: A folder in open_clip's ``local-dir`` layout, or a name that open_clip knows.

    Returns:
        A function of a list of texts that gives their tokens, int64 [texts, context length].

    Raises:
        StockpotError: The tokenizer cannot be made or fetched.
    """
    folder = Path(architecture)
    if not folder.is_dir():
        return open_clip.get_tokenizer(str(architecture))
    text_config = read_config(folder, CONFIG_KEY)["model_cfg"]["text_cfg"]
    options = dict(text_config.get("tokenizer_kwargs") or {})
    if options.get("bpe_path"):
        options["bpe_path"] = str(folder / options["bpe_path"])
    hub_name = text_config.get("hf_tokenizer_name")
    if hub_name:
        # Without it transformers asks on the terminal whether to run Python of the folder.
        options["trust_remote_code"] = False
    is_fetched = bool(hub_name) and not any(folder.glob("tokenizer*"))
    with _hub_if(is_fetched) as unreachable:
        try:
            if not is_fetched:
                return open_clip.get_tokenizer(f"local-dir:{folder}", **options)
            return open_clip.tokenizer.HFTokenizer(
                hub_name,
                context_length=text_config.get("context_length", 77),
                tokenizer_mode=text_config.get("tokenizer_mode"),
                **options,
            )
        except Exception as error:  # whatever hub, files or a missing library raise
            reason = unreachable or first_line(error)
            raise StockpotError(
                f"{CONFIG_KEY}: the tokenizer {hub_name or folder} cannot be had ({reason})"
            ) from error


def _hub_if(is_needed: object) -> AbstractContextManager[str]:
    """A block that may fetch from the hub, if that is needed; gives why the hub is unreachable."""
    if is_needed:
        return hub()
    return nullcontext("")
