"""A CLIP model that open_clip loads as ``local-dir:<folder>``, and the head beside it.

Its image tower is the classifier's, its text side that of the study's CLIP model, whose own
vocabulary, where it has one, lies there too. The logits are ``normalised image features @ weight.T
+ bias`` of head.safetensors, whose rows are the classes of classes.txt. The config names the
vocabulary by its full path, as open_clip looks for it from where a program runs.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...runtime.atomic_files import atomic
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from . import Format

if TYPE_CHECKING:
    from ..card import Card
    from ..classifier import Weights

MAX_LINE_LENGTH = 10_000
FILES = (
    "open_clip_config.json",
    "open_clip_model.safetensors",
    "head.safetensors",
    "classes.txt",
)
FORMAT = Format(files=FILES)


def write(
    folder: Path,
    weights: "Weights",
    clip: tuple[Path, Path],
) -> None:
    """Write the CLIP model with the classifier's tower, and the classifier's head.

    Args:
        folder: Where the files are written.
        weights: The classifier.
        clip: Folder of the study's CLIP config, and the weights file of that model.

    Raises:
        StockpotError: The classifier's architecture is not that of the study's CLIP model.
    """
    from safetensors.torch import save_file

    from ..classifier import HEAD, TOWER
    from ..files import CONFIG
    from ..weights_file import load_weights

    config_folder, clip_weights = clip
    card = weights.card
    config = json.loads((config_folder / CONFIG).read_text("utf-8"))
    _check_architecture(card, config)
    # The text side is that of the study's CLIP model, the image tower the classifier's.
    tensors = load_weights(clip_weights)
    for name in weights.names:
        if name.startswith(TOWER):
            tensors[name] = weights[name]
    head = {name: weights[HEAD + name].contiguous() for name in ("weight", "bias")}
    _copy_vocabulary(config_folder, config, folder)
    config_file, model_file, head_file, classes_file = FILES
    with atomic(folder / config_file) as path:
        path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    with atomic(folder / model_file) as path:
        save_file(tensors, path)
    with atomic(folder / head_file) as path:
        save_file(head, path)
    with atomic(folder / classes_file) as path:
        # A class name may hold anything, also a line break.
        lines = [one_line(name, MAX_LINE_LENGTH) + "\n" for name in card.class_names]
        path.write_text("".join(lines), "utf-8")


def _check_architecture(card: "Card", config: dict[str, Any]) -> None:
    model_config = card.architecture.get("config", {}).get("model_cfg")
    if model_config is None or model_config != config.get("model_cfg"):
        raise StockpotError(
            f"{card.name}: its architecture is not that of the study's CLIP model, so it has no "
            "text side; export it as classifier or state-dict"
        )


def _copy_vocabulary(
    config_folder: Path,
    config: dict[str, Any],
    folder: Path,
) -> None:
    """Copy the model's own vocabulary, if it has one, and name the copy in the config."""
    from ..files import vocabulary

    vocabulary_file = vocabulary(config)
    if not vocabulary_file:
        return
    copy = folder / vocabulary_file
    shutil.copyfile(config_folder / vocabulary_file, copy)
    options = config["model_cfg"]["text_cfg"]["tokenizer_kwargs"]
    # In full, as open_clip looks for it from where a program runs.
    options["bpe_path"] = str(copy.resolve())
