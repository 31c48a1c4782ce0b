"""CLIP models through open_clip's own factory and tokenizer."""

from contextlib import nullcontext
from pathlib import Path

import torch

from ..runtime.errors import StockpotError
from ..runtime.escape import first_line
from .files import read_config
from .hub import hub
from .openclip import open_clip

KEY = "model.architecture"


def create_clip(architecture: str | Path, load_weights: bool = True) -> torch.nn.Module:
    """Build a CLIP model in fp32 on the CPU, in evaluation mode.

    architecture: a folder in open_clip's ``local-dir`` layout or a name that open_clip knows.
    """
    folder = Path(architecture)
    if not folder.is_dir():
        return open_clip.create_model(
            str(architecture), load_weights=load_weights
        ).eval()
    text = read_config(folder, KEY)["model_cfg"][
        "text_cfg"
    ]  # refuses options not to be obeyed
    needed = text.get("hf_model_name")
    with hub() if needed else nullcontext("") as missing:
        try:
            # Else open_clip fetches the weights of a text side of transformers, to be replaced at
            # once.
            return open_clip.create_model(
                f"local-dir:{folder}", load_weights=load_weights, pretrained_text=False
            ).eval()
        except Exception as error:  # whatever open_clip and what it builds with raise
            what = f"its text side {needed}" if needed else f"{folder}"
            raise StockpotError(
                f"{KEY}: {what} cannot be built ({missing or first_line(error)})"
            ) from error


def tokenizer(architecture: str | Path):
    """The model's tokenizer; a vocabulary file beside the model's config is found there, and so
    are the files of a tokenizer of Hugging Face's, which is fetched where there are none.

    StockpotError where it cannot be had.
    """
    folder = Path(architecture)
    if not folder.is_dir():
        return open_clip.get_tokenizer(str(architecture))
    text = read_config(folder, KEY)["model_cfg"]["text_cfg"]
    options = dict(text.get("tokenizer_kwargs") or {})
    if options.get("bpe_path"):
        options["bpe_path"] = str(folder / options["bpe_path"])
    name = text.get("hf_tokenizer_name")
    if name:
        # Without it transformers asks on the terminal whether to run Python of the folder.
        options["trust_remote_code"] = False
    fetches = name and not any(folder.glob("tokenizer*"))
    with hub() if fetches else nullcontext("") as missing:
        try:
            if fetches:
                length, mode = (
                    text.get("context_length", 77),
                    text.get("tokenizer_mode"),
                )
                return open_clip.tokenizer.HFTokenizer(
                    name, context_length=length, tokenizer_mode=mode, **options
                )
            return open_clip.get_tokenizer(f"local-dir:{folder}", **options)
        except (
            Exception
        ) as error:  # whatever hub, files or a library that is not there raise
            raise StockpotError(
                f"{KEY}: the tokenizer {name or folder} cannot be had "
                f"({missing or first_line(error)})"
            ) from error
