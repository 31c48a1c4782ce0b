"""ImageNet (ILSVRC 2012): train/<WordNet id>/*.JPEG, val/<WordNet id>/*.JPEG.

Answers to the validation images may be judged by the reassessed labels of Beyer et al. (2020,
real.json) or of Shankar et al. (2020, human_accuracy_v3.0.0.json), whose score is the mean over
classes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Entry, Facts, Locate, PrepareSpec, Source
from ._options import Encoded
from ._published import (
    ImageRow,
    Published,
    class_column,
    in_folders,
    prompt_names,
    read_json,
    reading,
    spread_evenly,
    state_digest,
)

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded):
    """Options of the source ``imagenet``."""

    part: Literal["train", "val"] = Field(description="the published part")
    path: str = Field(
        "data/imagenet",
        description="folder with train and val, each with one folder per WordNet id",
    )
    label_file: str | None = Field(
        None,
        description="real.json, or the multilabel JSON file; it says which answers "
        "count as right",
    )


SOURCE = Source(options=Options, seeded=False)

# All images of a part; training classes have 732 to 1,300 of them.
IMAGES = {"train": 1281167, "val": 50000}
# Image -> class indices that count as right.
LabelsOfImages = dict[str, list[int]]
# Validation images are called this, a number of 8 digits from 1, and .JPEG.
VALIDATION_PREFIX = "ILSVRC2012_val_"

SET = Published(
    class_names=class_column("imagenet"),
    prompt_names=prompt_names("imagenet"),
    image_counts=lambda entry: spread_evenly(IMAGES[entry["part"]], 1000),
    watched=lambda entry: (f"{entry['part']}/n*/",),
    part_options=("part",),
)


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Digest the state of the folders, and of the reassessed labels.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        The facts of ``Published``. With reassessed labels also "label_file" -> their file and
        "labels" -> a digest of its state.

    Raises:
        StockpotError: A folder or file is missing, or the part has no reassessed labels.
    """
    known = SET.facts(entry, locate, key)
    if not entry.get("label_file"):
        return known
    if entry["part"] != "val":
        raise StockpotError(f"{key}.label_file: only the images of part: val have them")
    label_file = locate(entry["label_file"])
    if not label_file.is_file():
        raise StockpotError(f"{key}.label_file: no file {label_file}")
    digest = state_digest(label_file.parent, [label_file])
    return {**known, "label_file": str(label_file), "labels": digest}


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images, sorted by class and path. With reassessed labels only those that count.

    Raises:
        StockpotError: There is no image, or the reassessed labels cannot be read.
    """
    root = SET.root(spec["path"]) / spec["part"]
    rows = in_folders(root, {wordnet_id: wordnet_id for wordnet_id in SET.class_names})
    if not spec["label_file"]:
        return SET.listed(root, rows)
    # An image without a label is one that the reassessment took out.
    labels_of, metric = _reassessed_labels(Path(spec["label_file"]))
    rows_that_count: list[ImageRow] = []
    accepted: list[list[int]] = []
    for path, name in rows:
        labels = labels_of.get(Path(path).stem)
        if labels:
            rows_that_count.append((path, name))
            accepted.append(labels)
    return SET.listed(
        root,
        rows_that_count,
        metric=metric,
        accepted=accepted,
    )


def _reassessed_labels(file: Path) -> tuple[LabelsOfImages, str]:
    """Image -> labels that count as right (none where the image does not count); the metric."""
    content = read_json(file)
    with reading(file):
        if isinstance(content, list):
            return _labels_of_beyer(content), "accuracy"
        return _labels_of_shankar(content), "mean-class"


def _labels_of_beyer(labels: list[list[int]]) -> LabelsOfImages:
    """real.json has the labels of every validation image, in their order."""
    labels_of = {}
    for number, image_labels in enumerate(labels, 1):
        labels_of[f"{VALIDATION_PREFIX}{number:08}"] = image_labels
    return labels_of


def _labels_of_shankar(content: dict[str, Any]) -> LabelsOfImages:
    """The multilabel JSON has the annotations of some images, by their file names."""
    class_index = {name: index for index, name in enumerate(SET.class_names)}
    labels_of = {}
    for name, annotations in content["initial_annots"].items():
        is_problematic = name in content["problematic_images"]
        if is_problematic or not name.startswith(VALIDATION_PREFIX):
            continue
        # As in the original, a label that is unclear counts as right.
        correct_ids = annotations.get("correct", [])
        unclear_ids = annotations.get("unclear", [])
        wordnet_ids = [*correct_ids, *unclear_ids]
        labels = {class_index[wordnet_id] for wordnet_id in wordnet_ids}
        labels_of[Path(name).stem] = sorted(labels)
    return labels_of
