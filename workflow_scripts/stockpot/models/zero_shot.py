"""The zero-shot head: one weight vector per class from its prompts."""

import json
from pathlib import Path

import torch

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .card import Card
from .checkpoints.numbers import check_state
from .classifier import HEAD, TOWER, write_classifier
from .clip import create_clip, tokenizer
from .files import CONFIG, preprocessing
from .openclip import open_clip
from .tower import OPEN_CLIP
from .weights_file import load_weights


def zero_shot_head(
    model: torch.nn.Module,
    tokenize,
    class_names: list[str],
    prompts: list[str],
    classes_per_batch: int = 64,
) -> torch.Tensor:
    """Head weights [classes, d], float32: embed, normalise, average over the prompts,
    normalise, times exp(logit_scale). WiSE-FT section 3 and appendix D.

    prompts: texts with ``{}`` where the class name goes.
    """
    embeddings = open_clip.build_zero_shot_classifier(
        model, tokenize, class_names, prompts, num_classes_per_batch=classes_per_batch
    )
    with torch.no_grad():
        return (embeddings.T * model.logit_scale.exp()).contiguous()


def load_clip(architecture: Path, weights: Path) -> torch.nn.Module:
    """A CLIP model with the weights of a safetensors file; StockpotError if they do not fit, or
    are no finite floating-point numbers."""
    model = create_clip(architecture, load_weights=False)
    try:
        model.load_state_dict(check_state(load_weights(weights), model, weights))
    except (RuntimeError, ValueError) as error:
        reason = one_line(str(error).splitlines()[-1].strip(), 200)
        raise StockpotError(
            f"{weights}: not weights of {architecture} ({reason})"
        ) from error
    return model


def write_zero_shot(
    folder: Path, architecture: Path, weights: Path, spec: dict
) -> Card:
    """Build the head and write tower and head as one Classifier.

    architecture: folder with open_clip's config. weights: safetensors file of the whole
    CLIP model. spec: name, prompts, classes, texts (class -> what prompts say for it).
    """
    model, class_names = load_clip(architecture, weights), spec["classes"]
    texts = [spec["texts"][name] for name in class_names]
    head = zero_shot_head(model, tokenizer(architecture), texts, spec["prompts"])
    config = json.loads((architecture / CONFIG).read_text("utf-8"))
    wanted = preprocessing(config)
    card = Card(
        name=spec["name"],
        kind="zero-shot",
        architecture={"library": OPEN_CLIP, "config": config},
        class_names=class_names,
        normalise=True,
        image_size=wanted.pop("side"),
        **wanted,
        spec={key: value for key, value in spec.items() if key != "classes"},
    )
    tensors = {TOWER + key: tensor for key, tensor in model.visual.state_dict().items()}
    tensors |= {HEAD + "weight": head, HEAD + "bias": torch.zeros(len(class_names))}
    return write_classifier(folder, card, tensors)
