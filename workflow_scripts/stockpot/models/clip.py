"""CLIP models through open_clip's own factory and tokenizer."""

import json
from pathlib import Path

import torch

from ..errors import StockpotError
from .files import CONFIG
from .openclip import open_clip


def create_clip(architecture: str | Path, load_weights: bool = True) -> torch.nn.Module:
    """Build a CLIP model in fp32 on the CPU, in evaluation mode.

    architecture: a folder in open_clip's ``local-dir`` layout or a name that open_clip knows.
    """
    name = f"local-dir:{architecture}" if Path(architecture).is_dir() else str(architecture)
    return open_clip.create_model(name, load_weights=load_weights).eval()


def tokenizer(architecture: str | Path):
    """The model's tokenizer; a vocabulary file beside the model's config is found there, and so
    are the files of a tokenizer of Hugging Face's, which is fetched where there are none.

    StockpotError where it cannot be had.
    """
    folder = Path(architecture)
    if not folder.is_dir():
        return open_clip.get_tokenizer(str(architecture))
    text = json.loads((folder / CONFIG).read_text())["model_cfg"]["text_cfg"]
    options = dict(text.get("tokenizer_kwargs", {}))
    if "bpe_path" in options:
        options["bpe_path"] = str(folder / options["bpe_path"])
    hub = text.get("hf_tokenizer_name")
    try:
        if hub and not any(folder.glob("tokenizer*")):
            length, mode = text.get("context_length", 77), text.get("tokenizer_mode")
            return open_clip.tokenizer.HFTokenizer(
                hub, context_length=length, tokenizer_mode=mode, **options
            )
        return open_clip.get_tokenizer(f"local-dir:{folder}", **options)
    except Exception as error:  # whatever hub, files or a library that is not there raise
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        raise StockpotError(
            f"model.architecture: the tokenizer {hub or folder} cannot be had ({reason})"
        ) from error
