"""A checkpoint that was trained elsewhere as a Classifier of the study."""

import logging
import unicodedata
from dataclasses import replace
from pathlib import Path

import torch

from ..datasets.downloads.transfer import download
from ..models.card import UNKNOWN_START, Card
from ..models.checkpoints.convert import as_classifier, check_tower, renamed
from ..models.checkpoints.numbers import check_types
from ..models.checkpoints.read import read_checkpoint
from ..models.classifier import HEAD, TOWER, Weights, write_classifier
from ..models.stream import DTYPES
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .checks import RELATED, related

log = logging.getLogger(__name__)

SKIP = "class_list: ignore of the checkpoint if its rows are in the study's order"


def adopt(spec: dict, start: Path, folder: Path) -> Card:
    """Write the Classifier of a checkpoint file; its architecture, classes and preprocessing are
    the zero-shot model's.

    spec: name, path, variant; where the file has to be fetched, url and checksum; where its names
    are others, prefix, rename and ignore; class_list: ignore, where its lists of classes do not
    count. start: folder of the zero-shot Classifier. A file without a head gets the zero-shot one;
    one that says its classes has its rows put in the study's order.
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
    types = {name: DTYPES[dtype] for name, (_, dtype) in zero_shot.shapes().items()}
    tower = {n.removeprefix(TOWER): s for n, s in shapes.items() if n.startswith(TOWER)}
    check_tower(found, tower, path)
    check_types(found, types, path)
    # A counter that was averaged is a float; mixes need one type for each tensor.
    found = {
        name: tensor.to(types.get(name, tensor.dtype)) for name, tensor in found.items()
    }
    if HEAD + "weight" in found and spec.get("class_list") != "ignore":
        listed = _class_list(checkpoint.class_lists, len(found[HEAD + "weight"]), path)
        if listed:
            found |= _in_order(found, listed, zero_shot.card.class_names, path)
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
        zero_shot.card,
        name=spec["name"],
        kind=spec["variant"],
        start=UNKNOWN_START,
        spec={},
        history=[],
    )
    card = write_classifier(folder, card, found)
    closeness = related(Weights(folder), zero_shot)
    log.info("%s: cosine with the zero-shot model's weights %.3f", path, closeness)
    if closeness < RELATED:
        log.warning(
            "%s: within one line it is above %s; only ensembles, or soups with "
            "allow_different_starts, can take it in",
            path,
            RELATED,
        )
    return card


def _class_list(lists: dict[str, list[str]], rows: int, path: Path) -> list[str]:
    """The classes of a head.

    Args:
        lists: All that the file has, by their keys.
        rows: Of the head; a list of another length is none of its rows.
        path: For messages.

    Returns:
        One per row; none where no list fits.

    Raises:
        StockpotError: Two lists differ.
    """
    fitting = {key: names for key, names in lists.items() if len(names) == rows}
    first = next(iter(fitting), None)
    for key, names in fitting.items():
        if names != fitting[first]:
            raise StockpotError(
                f"{path}: its lists of classes {first} and {key} have different orders or names, "
                f"so the rows of its head are not known; save it with one of them, or {SKIP}"
            )
    return fitting[first] if fitting else []


def _in_order(
    tensors: dict[str, torch.Tensor], listed: list[str], wanted: list[str], path: Path
) -> dict[str, torch.Tensor]:
    """The head with its rows in the order of the study's classes.

    Args:
        tensors: With head.weight and head.bias.
        listed: The classes that the file says, in the order of its rows.
        wanted: The study's classes.
        path: For messages.

    Raises:
        StockpotError: The file has other classes.
    """
    head = {name: tensors[name] for name in (HEAD + "weight", HEAD + "bias")}
    names = [unicodedata.normalize("NFC", name) for name in wanted]
    missing = [name for name in names if name not in listed]
    if missing:
        others = [name for name in listed if name not in names]
        raise StockpotError(
            f"{path}: its list of classes has {one_line(', '.join(others[:5]), 120)} where the "
            f"study has {one_line(', '.join(missing[:5]), 120)} ({len(missing)} of {len(wanted)} "
            f"differ); save it with the study's names, or {SKIP}"
        )
    if listed == names:
        return {}
    log.info(
        "%s: its classes are in another order; the rows of its head follow the study's",
        path,
    )
    rows = torch.tensor([listed.index(name) for name in names])
    return {name: tensor[rows] for name, tensor in head.items()}
