"""ImageNet (ILSVRC 2012): train/<WordNet id>/*.JPEG, val/<WordNet id>/*.JPEG.

Answers to the validation images may be judged by the reassessed labels of Beyer et al. (2020,
real.json) or of Shankar et al. (2020, human_accuracy_v3.0.0.json), whose score is the mean over
classes.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Source
from ._options import Encoded
from ._published import (
    Published,
    changes,
    column,
    even,
    in_folders,
    named,
    read_json,
    reading,
)


class Options(Encoded):
    part: Literal["train", "val"] = Field(description="the published part")
    path: str = Field(
        "data/imagenet",
        description="folder with train and val, a folder per WordNet id in each",
    )
    answers: str | None = Field(
        None, description="real.json, or the multilabel JSON: what counts as right"
    )


SOURCE = Source(options=Options, seeded=False)


SET = Published(
    column("imagenet"),
    named("imagenet"),
    lambda entry: even({"train": 1281167, "val": 50000}[entry["part"]], 1000),
    watched=lambda entry: (f"{entry['part']}/n*/",),
    part=("part",),
)


def facts(entry, locate, key):
    found = SET.facts(entry, locate, key)
    if not entry.get("answers"):
        return found
    if entry["part"] != "val":
        raise StockpotError(
            f"{key}.answers: the images of part: val have them, no others"
        )
    answers = locate(entry["answers"])
    if not answers.is_file():
        raise StockpotError(f"{key}.answers: no file {answers}")
    return {
        **found,
        "answers": str(answers),
        "labels": changes(answers.parent, [answers]),
    }


def prepare(spec):
    root = SET.root(spec["path"]) / spec["part"]
    rows = in_folders(root, {wnid: wnid for wnid in SET.class_names})
    if not spec["answers"]:
        return SET.listed(root, rows)
    accepted, metric = _accepted(Path(spec["answers"]))
    rows = [row for row in rows if accepted.get(Path(row[0]).stem)]
    return SET.listed(
        root,
        rows,
        metric=metric,
        accepted=[accepted[Path(path).stem] for path, _ in rows],
    )


def _accepted(file: Path) -> tuple[dict[str, list[int]], str]:
    """(image -> labels that count as right, metric). An image that does not count has none."""
    found = read_json(file)
    with reading(file):
        if isinstance(found, list):
            names = [
                f"ILSVRC2012_val_{number:08}" for number in range(1, len(found) + 1)
            ]
            return dict(zip(names, found)), "accuracy"
        label = {wnid: row for row, wnid in enumerate(SET.class_names)}
        known = {
            name: sorted(
                {label[w] for what in ("correct", "unclear") for w in own.get(what, [])}
            )
            for name, own in found["initial_annots"].items()
            if name.startswith("ILSVRC2012_val_")
            and name not in found["problematic_images"]
        }
        return {Path(name).stem: labels for name, labels in known.items()}, "mean-class"
