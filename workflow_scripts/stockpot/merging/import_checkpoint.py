"""Import checkpoints: make a classifier of the study from weights that were trained elsewhere."""

import logging
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..datasets.downloads.transfer import download
from ..models.card import UNKNOWN_LINEAGE, Card
from ..models.checkpoints.convert import as_classifier, check_tower, renamed
from ..models.checkpoints.numbers import check_types
from ..models.checkpoints.read import Checkpoint, read_checkpoint
from ..models.classifier import HEAD, TOWER, Weights, write_classifier
from ..models.stream import DTYPES
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .checks import MIN_COSINE, weight_cosine

log = logging.getLogger(__name__)

SKIP = "class_list: ignore of the checkpoint if its rows are in the study's order"
HEAD_TENSORS = (HEAD + "weight", HEAD + "bias")


def import_checkpoint(
    spec: dict[str, Any],
    start: Path,
    folder: Path,
) -> Card:
    """Write the classifier of a checkpoint file.

    It gets the architecture, the classes and the preprocessing of the zero-shot model. A file
    without a head gets the zero-shot head. If a file lists its classes, the rows of its head are
    put in the study's order. The classifier's start counts as unknown, so that merges compare its
    weights; how close they are to the zero-shot model's is logged.

    Args:
        spec: name, path and variant. url and checksum if the file has to be fetched; prefix,
            rename and ignore if its tensors have other names; class_list: ignore if its lists of
            classes do not count.
        start: Folder of the zero-shot classifier.
        folder: Where the new classifier is written.

    Returns:
        The card of the new classifier.

    Raises:
        StockpotError: If the file has another architecture or other classes, or its numbers are
            no weights.
    """
    # The zero-shot model says what tensors, types and classes the file must have.
    zero_shot = Weights(start)
    path = Path(spec["path"])
    if spec.get("url"):
        download(spec["url"], path, spec.get("checksum", ""))
    checkpoint = read_checkpoint(path)
    tensors = _converted_tensors(checkpoint, spec, zero_shot, path)
    if spec.get("class_list") != "ignore":
        _sort_head(tensors, checkpoint, zero_shot.card, path)
    _complete_head(tensors, zero_shot, path)
    card = replace(
        zero_shot.card,
        name=spec["name"],
        kind=spec["variant"],
        start=UNKNOWN_LINEAGE,
        spec={},
        history=[],
    )
    card = write_classifier(folder, card, tensors)
    _log_cosine(Weights(folder), zero_shot, path)
    return card


def _converted_tensors(
    checkpoint: Checkpoint,
    spec: dict[str, Any],
    zero_shot: Weights,
    path: Path,
) -> dict[str, torch.Tensor]:
    """The checkpoint's tensors by the study's names, checked against the zero-shot model's."""
    tensors = as_classifier(renamed(checkpoint.tensors, spec, path), path)
    tower_shapes = {}
    types = {}
    for name, (shape, dtype) in zero_shot.shapes().items():
        types[name] = DTYPES[dtype]
        if name.startswith(TOWER):
            tower_shapes[name.removeprefix(TOWER)] = shape
    check_tower(tensors, tower_shapes, path)
    check_types(tensors, types, path)
    # A counter that was averaged is a float; mixes need one type for each tensor.
    return {
        name: tensor.to(types.get(name, tensor.dtype))
        for name, tensor in tensors.items()
    }


def _sort_head(
    tensors: dict[str, torch.Tensor],
    checkpoint: Checkpoint,
    zero_shot: Card,
    path: Path,
) -> None:
    """Put the rows of the head in the study's order, if the file says which classes they are."""
    if HEAD + "weight" not in tensors:
        return
    row_count = len(tensors[HEAD + "weight"])
    listed = _class_list(checkpoint.class_lists, row_count, path)
    if listed:
        tensors |= _reordered_head(tensors, listed, zero_shot.class_names, path)


def _complete_head(
    tensors: dict[str, torch.Tensor],
    zero_shot: Weights,
    path: Path,
) -> None:
    """Add what the head lacks from the zero-shot model, and check the shapes."""
    shapes = zero_shot.shapes()
    for name in HEAD_TENSORS:
        # A file of an encoder only is a model with the zero-shot head.
        if name not in tensors:
            tensors[name] = zero_shot[name]
            log.info("%s has no %s; that of the zero-shot model is taken", path, name)
        shape = list(tensors[name].shape)
        expected = list(shapes[name][0])
        if shape != expected:
            raise StockpotError(
                f"{path}: its {name} is {shape}, not {expected}; the "
                f"study has {len(zero_shot.card.class_names)} classes"
            )


def _log_cosine(
    imported: Weights,
    zero_shot: Weights,
    path: Path,
) -> None:
    """Log how close the imported weights are to the zero-shot model's."""
    cosine = weight_cosine(imported, zero_shot)
    log.info("%s: cosine with the zero-shot model's weights %.3f", path, cosine)
    if cosine < MIN_COSINE:
        log.warning(
            "%s: within one lineage the cosine is above %s; only ensembles, and soups with "
            "allow_different_lineages, can contain this model",
            path,
            MIN_COSINE,
        )


def _class_list(
    class_lists: dict[str, list[str]],
    row_count: int,
    path: Path,
) -> list[str]:
    """Find the classes that the rows of a head stand for.

    Args:
        class_lists: All lists of the file, by their keys.
        row_count: Rows of the head; a list of another length does not belong to it.
        path: For messages.

    Returns:
        One class per row; an empty list if no list fits.

    Raises:
        StockpotError: If two lists differ.
    """
    # A file may have lists of other lengths, which belong to something else.
    fitting = {
        key: names for key, names in class_lists.items() if len(names) == row_count
    }
    if not fitting:
        return []
    # Several lists of the same classes are as good as one.
    first_key = next(iter(fitting))
    for key, names in fitting.items():
        if names != fitting[first_key]:
            raise StockpotError(
                f"{path}: its lists of classes {first_key} and {key} have different orders or "
                "names, so the rows of its head are not known; save it with one of them, or "
                f"{SKIP}"
            )
    return fitting[first_key]


def _reordered_head(
    tensors: dict[str, torch.Tensor],
    listed: list[str],
    study_classes: list[str],
    path: Path,
) -> dict[str, torch.Tensor]:
    """Put the rows of a head in the order of the study's classes.

    Args:
        tensors: With head.weight and head.bias.
        listed: The file's classes, in the order of its rows.
        study_classes: The study's classes.
        path: For messages.

    Returns:
        The head's tensors; empty if they are in that order already.

    Raises:
        StockpotError: If the file has other classes.
    """
    head = {name: tensors[name] for name in HEAD_TENSORS}
    # Letters with accents have two spellings in Unicode; the file's lists have this one.
    names = [unicodedata.normalize("NFC", name) for name in study_classes]
    missing = [name for name in names if name not in listed]
    if missing:
        others = [name for name in listed if name not in names]
        raise StockpotError(
            f"{path}: its list of classes has {one_line(', '.join(others[:5]), 120)} where the "
            f"study has {one_line(', '.join(missing[:5]), 120)} ({len(missing)} of "
            f"{len(study_classes)} differ); save it with the study's names, or {SKIP}"
        )
    if listed == names:
        return {}
    log.info(
        "%s: its classes are in another order; the rows of its head follow the study's",
        path,
    )
    # Row i of the new head is the row that stands for the study's class i.
    rows = torch.tensor([listed.index(name) for name in names])
    return {name: tensor[rows] for name, tensor in head.items()}
