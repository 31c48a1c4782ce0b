"""YTBB-Robust (Shankar et al., 2021): similar frames of videos, scored with their anchor's labels.

The likeliest of the ImageNet classes that a class merges answers for it. Cow, giraffe,
skateboard, toilet and none have no ImageNet class: as in the original, they keep a logit of 0, so
that frames with no other label count and are wrong wherever another logit is above 0. (The
original pushes that of none to -1e10, which differs only where no logit is above 0.)

Annotators described anchors (anchor_labels.json) and pairs of an anchor and a frame near it
(pmk_labels.json) with texts such as "good" or "similar". An anchor counts if it is good, a frame if
it is similar to its anchor.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Entry, Facts, Locate, PrepareSpec, Source
from ._options import Encoded, Frames
from ._published import (
    DOCS,
    Published,
    class_column,
    imagenet_classes,
    prompt_names,
    read_csv,
    read_json,
    reading,
    state_digest,
)
from ._video import Frame, of_sets

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Frames):
    """Options of the source ``ytbb-robust``."""

    path: str = Field("data/ytbb-robust", description="folder of the unpacked archive")
    annotations: str | None = Field(
        None,
        description="folder of anchor_labels.json, pmk_labels.json and the anchors' CSV "
        "file; null: metadata in the folder of the data",
    )


SOURCE = Source(options=Options, seeded=False)

# Anchors, and all frames.
IMAGES = {"pm-0": 2030, "pm-10": 35718}
ANCHOR_TEXTS = "anchor_labels.json"
PAIR_TEXTS = "pmk_labels.json"
ANCHOR_LABELS = "ytbb_robustness_test_anchors_full.csv"
# Texts of an anchor that count against it, and of a pair that count against its frame.
NOT_GOOD = {"bad", "unsure"}
NOT_SIMILAR = {
    "dissimilar",
    "problematic",
    "incorrect",
    "dont know",
    "deformation",
    "background-change",
    "occlusion-increased",
    "blur-increase",
    "bad-anchor",
}
# Frames count up to this distance from their anchor.
MAX_DISTANCE = 10
# The CSV file has "car" (22) and "none" (23) the other way round.
SWAPPED_LABELS = {22: 23, 23: 22}

SET = Published(
    class_names=class_column("ytbb_robust"),
    prompt_names=prompt_names("ytbb_robust"),
    image_counts=lambda entry: [IMAGES[entry["frames"]]],
    top_folders=("imagenet_vid_ytbb_robust/ytbb-robust", "ytbb-robust"),
    watched=lambda entry: ("ytbb_videos/",),
    merged=imagenet_classes("ytbb_robust"),
)


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Digest the state of the frames' folder, and of the annotations.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        The facts of ``Published``, "annotations" -> their folder, "labels" -> a digest of their
        state.

    Raises:
        StockpotError: The folder or an annotation file is missing.
    """
    known = SET.facts(entry, locate, key)
    folder = Path(known["path"]) / "metadata"
    if entry.get("annotations"):
        folder = locate(entry["annotations"])
    files = [folder / name for name in (ANCHOR_TEXTS, PAIR_TEXTS, ANCHOR_LABELS)]
    for file in files:
        if not file.is_file():
            raise StockpotError(
                f"{key}.annotations: {folder} holds no {file.name}; see {DOCS}"
            )
    digest = state_digest(folder, files)
    return {**known, "annotations": str(folder), "labels": digest}


def prepare(spec: PrepareSpec) -> "Examples":
    """List the good anchors, or these with the frames that are similar.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The frames, sorted by anchor.

    Raises:
        StockpotError: The annotations cannot be read, or do not fit together.
    """
    root = SET.root(spec["path"])
    annotations = Path(spec["annotations"])
    good_anchors = _good_anchors(annotations / ANCHOR_TEXTS)
    similar_frames, bad_anchors = _pairs(annotations / PAIR_TEXTS)
    label_file = annotations / ANCHOR_LABELS
    label_of = _anchor_labels(label_file)
    sets: list[list[Frame]] = []
    # In sorted order, so that it does not depend on the order of the annotations.
    for anchor in sorted(set(good_anchors) - bad_anchors):
        video = anchor.split("/")[0]
        if video not in label_of:
            raise StockpotError(f"{label_file}: no label of {anchor}; see {DOCS}")
        # All frames of a set are scored with the labels of their anchor.
        labels = _accepted_labels(label_of[video], good_anchors[anchor])
        frames = [anchor, *sorted(similar_frames.get(anchor, []))]
        sets.append([(f"ytbb_videos/{frame}", labels) for frame in frames])
    return of_sets(
        SET,
        root,
        sets,
        spec["frames"],
    )


def _good_anchors(file: Path) -> dict[str, set[str]]:
    """Anchor -> its texts, of the anchors that are good."""
    anchors = {}
    for key, texts in _texts_by_key(file).items():
        if "good" in texts and not texts & NOT_GOOD:
            anchors[_frame(key)] = texts
    return anchors


def _pairs(file: Path) -> tuple[dict[str, set[str]], set[str]]:
    """Anchor -> frames that are similar to it; and anchors that a pair shows to be bad."""
    # Keys are "<anchor>,<frame>".
    similar_frames: dict[str, set[str]] = {}
    bad_anchors: set[str] = set()
    for key, texts in _texts_by_key(file).items():
        with reading(file):
            anchor, frame = map(_frame, key.split(","))
        if "bad-anchor" in texts:
            bad_anchors.add(anchor)
        if "similar" not in texts or texts & NOT_SIMILAR:
            continue
        if 1 <= _distance(anchor, frame) <= MAX_DISTANCE:
            similar_frames.setdefault(anchor, set()).add(frame)
    return similar_frames, bad_anchors


def _accepted_labels(label: int, texts: set[str]) -> list[int]:
    """Labels that count as right: that of the CSV file, and those that the texts name."""
    other_labels = []
    for index, name in enumerate(SET.prompt_names.values()):
        # The label of the CSV file comes first, and only once.
        if name in texts and index != label:
            other_labels.append(index)
    return [label, *other_labels]


def _texts_by_key(file: Path) -> dict[str, set[str]]:
    """Key -> texts. Of equal keys the last counts."""
    content = read_json(file)
    texts_by_key = {}
    with reading(file):
        all_texts = content["labels"]
        for row in content["annotations"]:
            texts = {all_texts[number] for number in row["labels"]}
            texts_by_key[row["key"]] = texts
    return texts_by_key


def _frame(key: str) -> str:
    """<video>_<milliseconds>/frame-<number>.jpg; some keys are whole paths."""
    return "/".join(key.split("/")[-2:])


def _distance(anchor: str, frame: str) -> int:
    """Distance in frames; 0 of another video."""
    anchor_video, anchor_number = _video_and_number(anchor)
    frame_video, frame_number = _video_and_number(frame)
    if anchor_video != frame_video:
        return 0
    return abs(anchor_number - frame_number)


def _video_and_number(frame: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)/frame-(\d+)\.jpg", frame)
    if not match:
        raise StockpotError(
            f"{PAIR_TEXTS}: {frame!r} is no <video>_<milliseconds>/frame-<number>.jpg"
        )
    return match[1], int(match[2])


def _anchor_labels(file: Path) -> dict[str, int]:
    """<video>_<milliseconds> -> label."""
    labels = {}
    rows = read_csv(file, "ytid", "time_ms", "label")
    with reading(file):
        for video, time, text in rows:
            label = int(text)
            labels[f"{video}_{time}"] = SWAPPED_LABELS.get(label, label)
    return labels
