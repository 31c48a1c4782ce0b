"""ViT-B/32 with random weights through the whole workflow, on a made-up ImageNet and five shifts.

A few hundred JPEGs and PNGs in the real data sets' layouts: smooth colour patterns, one per class,
that the shifts distort. ``python benchmarks/imagenet_like.py FOLDER`` makes a project there.
"""

import csv
import re
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from timing import PROJECT, ROOT

IMAGES = {
    "train": 20,
    "val": 8,
    "imagenet-v2": 6,
    "imagenet-sketch": 6,
    "imagenet-r": 8,
    "imagenet-a": 8,
    "objectnet": 6,
}
STUDY = """# ViT-B/32, random weights, 1000 classes.
study: imagenet-like
model: {name: vit-b-32, architecture: ViT-B-32, weights: random}
head: {prompts: resources/prompts/simple.txt}
data:
  train: imagenet-train
  held_out: imagenet-held-out
  reference: imagenet
  shifts: [imagenet-v2, imagenet-r, imagenet-sketch, objectnet, imagenet-a]
datasets:
  imagenet-train: {source: imagenet, part: train, image_size: 256, split: &split {part: train}}
  imagenet-held-out: {source: imagenet, part: train, split: {<<: *split, part: held-out}}
  imagenet: {source: imagenet, part: val}
  imagenet-v2: {source: imagenet-v2}
  imagenet-r: {source: imagenet-r}
  imagenet-sketch: {source: imagenet-sketch}
  objectnet: {source: objectnet}
  imagenet-a: {source: imagenet-a}
finetune:
  defaults: {epochs: 1, batch_size: 32, lr: 3.0e-4, warmup: 0.2}
  runs:
    base: {}
    linear: {variant: linear-classifier, epochs: 10, lr: 1.0e-2, batch_size: 64}
  search: {runs: 1, space: {lr: {log_uniform: [1.0e-4, 5.0e-4]}}}
sweep: {alphas: [0.0, 0.25, 0.5, 0.75, 1.0], targets: [base, linear, greedy]}
soups:
  uniform: {method: uniform}
  greedy: {method: greedy}
  ensemble: {method: logit-ensemble}
  chosen: {method: wise-ft, ingredients: [base], alpha: auto}
exports: {best: {model: greedy, format: open-clip}}
"""


def measure() -> list[tuple[str, str, str]]:
    """Make the project and run its workflow.

    Returns:
        Rows: what, measured, wanted.
    """
    import tempfile

    from timing import run

    with tempfile.TemporaryDirectory() as folder:
        n = make(Path(folder))
        command = [sys.executable, "-m", "snakemake", "--cores", "all"]
        done = run([*command, "--configfile", "study.yaml"], Path(folder))
        logs = "".join(
            path.read_text() for path in Path(folder).glob("results/logs/*/*.log")
        )
        rates = [
            int(rate) for rate in re.findall(r"reused \(\w+, (\d+) images/s\)", logs)
        ]
    what = f"ViT-B/32 through the whole workflow, {n} images in 7 sets"
    return [
        (what, f"{done.seconds:.0f} s, {done.peak_gib:.1f} GiB", "reported"),
        (f"{what}: fastest evaluation", f"{max(rates)} images/s", "reported"),
    ]


def make(folder: Path) -> int:
    """Copy the project to a folder and make data and study.yaml there; how many images."""
    for name in PROJECT:
        source, target = ROOT / name, folder / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, target)
    (folder / "study.yaml").write_text(STUDY)
    return images(folder / "data")


def images(data: Path) -> int:
    """Make the data sets in their own layouts.

    Args:
        data: Folder of the data sets.

    Returns:
        How many images.
    """
    rng, made = np.random.default_rng(0), 0
    imagenet = listed("imagenet")
    place = {row["class"]: i for i, row in enumerate(imagenet)}
    objects = listed("objectnet")[:6]
    of_objects = {wnid: row for row in objects for wnid in row["imagenet"].split()}
    drawn = {row["class"] for row in listed("imagenet_r")}
    shared = [row["class"] for row in listed("imagenet_a") if row["class"] in drawn][:4]
    layouts = {
        "train": "imagenet/train/{wnid}/{wnid}_{i}.JPEG",
        "val": "imagenet/val/{wnid}/ILSVRC2012_val_{place:05}{i:03}.JPEG",
        "imagenet-v2": "imagenet-v2/imagenetv2-matched-frequency-format-val/{place}/{i}.jpeg",
        "imagenet-sketch": "imagenet-sketch/sketch/{wnid}/sketch_{i}.JPEG",
        "imagenet-r": "imagenet-r/imagenet-r/{wnid}/art_{i}.jpg",
        "imagenet-a": "imagenet-a/imagenet-a/{wnid}/{i}.jpg",
        "objectnet": "objectnet/objectnet-1.0/images/{folder}/{wnid}_{i}.png",
    }
    for wnid in sorted({*of_objects, *shared}):
        for kind, n in IMAGES.items():
            if kind in ("imagenet-r", "imagenet-a") and wnid not in shared:
                continue
            if kind == "objectnet" and wnid not in of_objects:
                continue
            of_object = of_objects.get(wnid, {}).get("folder")
            for i in range(n):
                named = {
                    "wnid": wnid,
                    "place": place[wnid],
                    "i": i,
                    "folder": of_object,
                }
                path = data / layouts[kind].format(**named)
                path.parent.mkdir(parents=True, exist_ok=True)
                pattern(place[wnid], kind, rng).save(path)
                made += 1
    return made


def listed(name: str) -> list[dict[str, str]]:
    """Read a list of classes of the project.

    Args:
        name: Of its file, without ``.csv``.

    Returns:
        Its rows.
    """
    with open(ROOT / f"resources/classes/{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pattern(place: int, kind: str, rng: np.random.Generator) -> Image.Image:
    """The colours of a class, of any size, distorted as the kind of data wants it, with noise."""
    coarse = np.random.default_rng(place).integers(0, 256, (3, 4, 3)).astype(float)
    if kind == "imagenet-sketch":
        coarse[:] = coarse.mean(axis=2, keepdims=True)
    if kind == "imagenet-r":
        coarse = coarse[::-1]
    if kind == "imagenet-a":
        coarse = 60 + coarse / 2
    size = rng.integers(240, 420, 2).tolist()
    smooth = Image.fromarray(coarse.astype(np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    noisy = np.asarray(smooth, float) + rng.normal(0, 25, (size[1], size[0], 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print(
        f"{make(Path(sys.argv[1]))} images; now run there: "
        "snakemake --cores all --configfile study.yaml"
    )
