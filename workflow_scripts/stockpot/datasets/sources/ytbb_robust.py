"""YTBB-Robust (Shankar et al., 2021): similar frames of videos, scored with their anchor's labels.

The likeliest of the ImageNet classes that a class merges answers for it. Cow, giraffe,
skateboard, toilet and none have no ImageNet class: as in the original, they keep a logit of 0, so
that frames with no other label count and are wrong wherever another logit is above 0. (The
original pushes that of none to -1e10, which differs only where no logit is above 0.)
"""

import re
from pathlib import Path

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Source
from ._options import Encoded, Frames
from ._published import (
    DOCS,
    Published,
    changes,
    column,
    merged,
    named,
    read_csv,
    read_json,
    reading,
)
from ._video import of_sets


class Options(Encoded, Frames):
    path: str = Field("data/ytbb-robust", description="folder of the unpacked archive")
    annotations: str | None = Field(
        None,
        description="folder of anchor_labels.json, pmk_labels.json and the anchors' CSV file; by "
        "default metadata in the data's folder",
    )


SOURCE = Source(options=Options, seeded=False)

IMAGES = {"pm-0": 2030, "pm-10": 35718}
ANCHORS, PAIRS = "anchor_labels.json", "pmk_labels.json"
FIRST = "ytbb_robustness_test_anchors_full.csv"
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

SET = Published(
    column("ytbb_robust"),
    named("ytbb_robust"),
    lambda entry: [IMAGES[entry["frames"]]],
    tops=("imagenet_vid_ytbb_robust/ytbb-robust", "ytbb-robust"),
    watched=lambda entry: ("ytbb_videos/",),
    merged=merged("ytbb_robust"),
)


def facts(entry, locate, key):
    found = SET.facts(entry, locate, key)
    own = entry.get("annotations")
    folder = locate(own) if own else Path(found["path"]) / "metadata"
    files = [folder / name for name in (ANCHORS, PAIRS, FIRST)]
    for file in files:
        if not file.is_file():
            raise StockpotError(
                f"{key}.annotations: {folder} holds no {file.name}; see {DOCS}"
            )
    return {**found, "annotations": str(folder), "labels": changes(folder, files)}


def prepare(spec):
    root, annotations = SET.root(spec["path"]), Path(spec["annotations"])
    anchors = {
        _frame(key): said
        for key, said in _annotated(annotations / ANCHORS).items()
        if "good" in said and not said & {"bad", "unsure"}
    }
    similar, bad = {}, set()
    for key, said in _annotated(annotations / PAIRS).items():
        with reading(annotations / PAIRS):
            anchor, frame = map(_frame, key.split(","))
        if "bad-anchor" in said:
            bad.add(anchor)
        if (
            "similar" in said
            and not said & NOT_SIMILAR
            and 1 <= _distance(anchor, frame) <= 10
        ):
            similar.setdefault(anchor, set()).add(frame)
    first, label = _first(annotations / FIRST), {}
    for anchor in sorted(set(anchors) - bad):
        video = anchor.split("/")[0]
        if video not in first:
            raise StockpotError(
                f"{annotations / FIRST}: no label of {anchor}; see {DOCS}"
            )
        others = {
            row
            for row, name in enumerate(SET.names.values())
            if name in anchors[anchor]
        }
        label[anchor] = [first[video], *sorted(others - {first[video]})]
    sets = [
        [
            (f"ytbb_videos/{frame}", label[anchor])
            for frame in [anchor, *sorted(similar.get(anchor, []))]
        ]
        for anchor in label
    ]
    return of_sets(SET, root, sets, spec["frames"])


def _annotated(file: Path) -> dict[str, set[str]]:
    """key -> texts. Of equal keys the last counts."""
    found = read_json(file)
    with reading(file):
        texts = found["labels"]
        return {
            row["key"]: {texts[i] for i in row["labels"]}
            for row in found["annotations"]
        }


def _frame(key: str) -> str:
    """<video>_<milliseconds>/frame-<number>.jpg; some keys are whole paths."""
    return "/".join(key.split("/")[-2:])


def _distance(anchor: str, frame: str) -> int:
    """In frames; 0 of another video."""
    (video, one), (other, two) = (_parts(key) for key in (anchor, frame))
    return abs(one - two) if video == other else 0


def _parts(frame: str) -> tuple[str, int]:
    found = re.fullmatch(r"(.+)/frame-(\d+)\.jpg", frame)
    if not found:
        raise StockpotError(
            f"{PAIRS}: {frame!r} is no <video>_<milliseconds>/frame-<number>.jpg"
        )
    return found[1], int(found[2])


def _first(file: Path) -> dict[str, int]:
    """<video>_<milliseconds> -> label. The file has "car" and "none" the other way round."""
    rows = read_csv(file, "ytid", "time_ms", "label")
    with reading(file):
        return {
            f"{video}_{time}": {22: 23, 23: 22}.get(int(label), int(label))
            for video, time, label in rows
        }
