"""Checkpoints that were trained elsewhere, and what their models answer."""

import pickle

import torch
from torch.nn import functional

from stockpot.merging.import_checkpoint import import_checkpoint
from stockpot.models.card import Card
from stockpot.models.files import preprocessing
from stockpot.models.load import load_classifier
from tests.support import third_party_checkpoints as foreign

CLASSES = [f"class {i}" for i in range(foreign.CLASSES)]


def start_card() -> Card:
    wanted = preprocessing(foreign.CONFIG)
    return Card(
        name="zero-shot",
        kind="zero-shot",
        class_names=CLASSES,
        normalise=True,
        architecture={"library": "open_clip", "config": foreign.CONFIG},
        image_size=wanted.pop("image_size"),
        **wanted,
    )


def visual_of(model) -> dict:
    return {
        f"visual.{name}": tensor for name, tensor in model.visual.state_dict().items()
    }


def tuned(source, seed):
    """The model after some steps in a direction of its own."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for tensor in source.parameters():
            tensor += 0.03 * tensor.std(correction=0) * torch.randn_like(tensor)
    return source.eval()


def save_checkpoint(model, path, way="state"):
    if way == "pickle":
        with foreign.installed(), open(path, "wb") as file:
            pickle.dump(model, file)
    elif way == "module":
        with foreign.installed():
            torch.save(model, path)
    elif way == "parallel":
        torch.save({f"module.{n}": t for n, t in model.state_dict().items()}, path)
    elif way == "run":
        torch.save({"epoch": 1, "state_dict": model.state_dict()}, path)
    elif way == "half":
        torch.save({n: t.half() for n, t in model.state_dict().items()}, path)
    else:
        torch.save(model.state_dict(), path)
    return path


def adopt(path, start, folder, **given) -> Card:
    return import_checkpoint(
        {"name": folder.name, "path": str(path), "variant": "end-to-end", **given},
        start,
        folder,
    )


def random_images(n=4):
    return torch.randn(
        n, 3, foreign.SIDE, foreign.SIDE, generator=torch.Generator().manual_seed(0)
    )


def answers_of(model) -> torch.Tensor:
    with torch.no_grad():
        return model.classification_head(
            functional.normalize(model.features(random_images()), dim=-1)
        )


def answers_in(folder) -> torch.Tensor:
    with torch.no_grad():
        return load_classifier(folder)[0](random_images())


def edited_state(soup, **changes) -> dict:
    state = {name: tensor.clone() for name, tensor in soup.state_dict().items()}
    for name, tensor in changes.items():
        state.pop(name) if tensor is None else state.update({name: tensor})
    return state


OWN = "classification_head"
