"""A checkpoint that was trained elsewhere as a Classifier of the study."""

import logging
from dataclasses import replace
from pathlib import Path

from ..datasets.download import download
from ..errors import StockpotError
from ..models.card import UNKNOWN_START, Card
from ..models.checkpoints.convert import as_classifier, check_tower
from ..models.checkpoints.read import read_tensors
from ..models.classifier import HEAD, TOWER, Weights, write_classifier
from .checks import RELATED, related

log = logging.getLogger(__name__)


def adopt(spec: dict, start: Path, folder: Path) -> Card:
    """Write the Classifier of a checkpoint file; its architecture, classes and preprocessing are
    the zero-shot model's.

    spec: name, path, variant; where the file has to be fetched, url and checksum. start: folder
    of the zero-shot Classifier. A file without a head gets the zero-shot one. Its start counts as
    unknown, so that soups compare its weights; how close they are to the zero-shot model's is
    logged. Raises StockpotError for a file that is none of this architecture and these classes.
    """
    zero_shot, path = Weights(start), Path(spec["path"])
    if spec.get("url"):
        download(spec["url"], path, spec.get("checksum", ""))
    found = as_classifier(read_tensors(path), path)
    shapes = {name: shape for name, (shape, _) in zero_shot.shapes().items()}
    tower = {n.removeprefix(TOWER): s for n, s in shapes.items() if n.startswith(TOWER)}
    check_tower(found, tower, path)
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
