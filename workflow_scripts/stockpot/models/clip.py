"""CLIP models through open_clip's own factory and tokenizer."""

import json
from pathlib import Path

import torch

from .files import CONFIG
from .openclip import open_clip


def create_clip(architecture: str | Path, load_weights: bool = True) -> torch.nn.Module:
    """Build a CLIP model in fp32 on the CPU, in evaluation mode.

    architecture: a folder in open_clip's ``local-dir`` layout or a name that open_clip knows.
    """
    name = f"local-dir:{architecture}" if Path(architecture).is_dir() else str(architecture)
    return open_clip.create_model(name, load_weights=load_weights).eval()


def tokenizer(architecture: str | Path):
    """The model's tokenizer; a vocabulary file beside the model's config is found there."""
    folder = Path(architecture)
    if not folder.is_dir():
        return open_clip.get_tokenizer(str(architecture))
    text = json.loads((folder / CONFIG).read_text())["model_cfg"]["text_cfg"]
    options = dict(text.get("tokenizer_kwargs", {}))
    if "bpe_path" in options:
        options["bpe_path"] = str(folder / options["bpe_path"])
    return open_clip.get_tokenizer(f"local-dir:{folder}", **options)
