"""The zero-shot model: CLIP's tower under a head that is made of prompts (WiSE-FT, section 3)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .card import Card
from .checkpoints.numbers import check_state
from .classifier import HEAD, TOWER, write_classifier
from .clip import create_clip, tokenizer
from .files import CONFIG, preprocessing
from .third_party import open_clip
from .tower import OPEN_CLIP
from .weights_file import load_weights


def zero_shot_head(
    model: torch.nn.Module,
    tokenize: Callable[[list[str]], torch.Tensor],
    class_names: list[str],
    prompts: list[str],
    classes_per_batch: int = 64,
) -> torch.Tensor:
    """Make the weights of the zero-shot head (WiSE-FT section 3 and appendix D).

    The row of a class is the mean of its prompts' unit embeddings, made a unit vector again, times
    exp(logit_scale).

    Args:
        model: The CLIP model.
        tokenize: The model's tokenizer.
        class_names: What prompts say for each class.
        prompts: Texts with ``{}`` where the class name goes.
        classes_per_batch: Classes whose prompts are embedded at once.

    Returns:
        float32 [classes, d].
    """
    embeddings = open_clip.build_zero_shot_classifier(
        model,
        tokenize,
        class_names,
        prompts,
        num_classes_per_batch=classes_per_batch,
    )
    with torch.no_grad():
        # open_clip gives one column per class; a linear layer has one row.
        scaled = embeddings.T * model.logit_scale.exp()
        return scaled.contiguous()


def load_clip(architecture: Path, weights: Path) -> torch.nn.Module:
    """Load a CLIP model.

    Args:
        architecture: Folder with open_clip's config.
        weights: Safetensors file of the whole model.

    Returns:
        The model, float32, in evaluation mode.

    Raises:
        StockpotError: The weights do not fit, or are no finite floating-point numbers.
    """
    model = create_clip(architecture, load_weights=False)
    try:
        model.load_state_dict(check_state(load_weights(weights), model, weights))
    except (RuntimeError, ValueError) as error:
        # torch lists everything that does not fit; the last line names a tensor.
        last_line = str(error).splitlines()[-1].strip()
        raise StockpotError(
            f"{weights}: not weights of {architecture} ({one_line(last_line, 200)})",
        ) from error
    return model


def write_zero_shot(
    folder: Path,
    architecture: Path,
    weights: Path,
    spec: dict[str, Any],
) -> Card:
    """Make the zero-shot head, and write tower and head as one classifier.

    Args:
        folder: Where the classifier is written.
        architecture: Folder with open_clip's config.
        weights: Safetensors file of the whole CLIP model.
        spec: name, prompts, classes, and texts (class -> what prompts say for it).

    Returns:
        The card of the classifier.

    Raises:
        StockpotError: The weights do not fit, or the tokenizer cannot be had.
    """
    model = load_clip(architecture, weights)
    class_names = spec["classes"]
    texts = [spec["texts"][name] for name in class_names]
    head = zero_shot_head(
        model,
        tokenizer(architecture),
        texts,
        spec["prompts"],
    )
    config = json.loads((architecture / CONFIG).read_text("utf-8"))
    image_options = preprocessing(config)
    card = Card(
        name=spec["name"],
        kind="zero-shot",
        architecture={"library": OPEN_CLIP, "config": config},
        class_names=class_names,
        normalise=True,
        **image_options,
        # The card has the classes already.
        spec={key: value for key, value in spec.items() if key != "classes"},
    )
    tensors = {}
    for name, tensor in model.visual.state_dict().items():
        tensors[TOWER + name] = tensor
    tensors[HEAD + "weight"] = head
    tensors[HEAD + "bias"] = torch.zeros(len(class_names))
    return write_classifier(folder, card, tensors)
