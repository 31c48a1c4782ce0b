"""A checkpoint that was trained elsewhere as a Classifier of the study."""

import logging
from dataclasses import replace
from pathlib import Path

import torch

from ..datasets.download import download
from ..errors import StockpotError
from ..models.card import UNKNOWN_START, Card
from ..models.checkpoints.convert import as_classifier, check_tower, renamed
from ..models.checkpoints.numbers import check_types
from ..models.checkpoints.read import read_checkpoint
from ..models.classifier import HEAD, TOWER, Weights, write_classifier
from ..models.stream import TYPES
from ..runtime.escape import one_line
from .checks import RELATED, related

log = logging.getLogger(__name__)


def adopt(spec: dict, start: Path, folder: Path) -> Card:
    """Write the Classifier of a checkpoint file; its architecture, classes and preprocessing are
    the zero-shot model's.

    spec: name, path, variant; where the file has to be fetched, url and checksum; where its names
    are others, prefix, rename and ignore. start: folder of the zero-shot Classifier. A file without
    a head gets the zero-shot one; one that says its classes has its rows put in the study's order.
    Its start counts as unknown, so that soups compare its weights; how close they are to the
    zero-shot model's is logged. Raises StockpotError for a file that is none of this architecture
    and these classes, or whose numbers are no weights.
    """
    zero_shot, path = Weights(start), Path(spec["path"])
    if spec.get("url"):
        download(spec["url"], path, spec.get("checksum", ""))
    checkpoint = read_checkpoint(path)
    found = as_classifier(renamed(checkpoint.tensors, spec, path), path)
    shapes = {name: shape for name, (shape, _) in zero_shot.shapes().items()}
    types = {name: TYPES[dtype] for name, (_, dtype) in zero_shot.shapes().items()}
    tower = {n.removeprefix(TOWER): s for n, s in shapes.items() if n.startswith(TOWER)}
    check_tower(found, tower, path)
    check_types(found, types, path)
    # A counter that was averaged is a float; mixes need one type for each tensor.
    found = {name: tensor.to(types.get(name, tensor.dtype)) for name, tensor in found.items()}
    if HEAD + "weight" in found and checkpoint.class_names:
        found |= _in_order(found, checkpoint.class_names, zero_shot.card.class_names, path)
    for name in (HEAD + "weight", HEAD + "bias"):
        if name not in found:
            found[name] = zero_shot[name]
            log.info("%s has no %s; that of the zero-shot model is taken", path, name)
        if list(found[name].shape) != list(shapes[name]):
            raise StockpotError(
                f"{path}: its {name} is {list(found[name].shape)}, not {list(shapes[name])}; the "
                f"study has {len(zero_shot.card.class_names)} classes"
            )
    card = replace(
        zero_shot.card, name=spec["name"], kind=spec["variant"], start=UNKNOWN_START,
        spec=spec.get("settings", {}), history=[],
    )  # fmt: skip
    card = write_classifier(folder, card, found)
    closeness = related(Weights(folder), zero_shot)
    log.info("%s: cosine with the zero-shot model's weights %.3f", path, closeness)
    if closeness < RELATED:
        log.warning(
            "%s: within one line it is above %s; only ensembles, or soups with "
            "allow_different_starts, can take it in", path, RELATED,
        )  # fmt: skip
    return card


def _in_order(
    tensors: dict[str, torch.Tensor], own: list[str], wanted: list[str], path: Path
) -> dict[str, torch.Tensor]:
    """The head with its rows in the order of the study's classes.

    Args:
        tensors: With head.weight and head.bias.
        own: The classes that the file says, in the order of its rows.
        wanted: The study's classes.
        path: For messages.

    Raises:
        StockpotError: The file has other classes.
    """
    head = {name: tensors[name] for name in (HEAD + "weight", HEAD + "bias")}
    if len(own) != len(head[HEAD + "weight"]):
        return {}  # then it is no list of the head's rows
    missing = [name for name in wanted if name not in own]
    if missing:
        others = [name for name in own if name not in wanted]
        raise StockpotError(
            f"{path}: its list of classes has {one_line(', '.join(others[:5]), 120)} where the "
            f"study has {one_line(', '.join(missing[:5]), 120)} ({len(missing)} of {len(wanted)} "
            "differ); save it with the study's names, or without the list if its order is the same"
        )
    if own == wanted:
        return {}
    log.info("%s: its classes are in another order; the rows of its head follow the study's", path)
    rows = torch.tensor([own.index(name) for name in wanted])
    return {name: tensor[rows] for name, tensor in head.items()}
