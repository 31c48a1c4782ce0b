"""Class names are known before a data set is prepared, and are those of its source."""

from pathlib import Path

from PIL import Image

from stockpot.datasets import sources
from stockpot.datasets.classes import class_names


def test_class_names_are_those_that_the_sources_give(tmp_path):
    entries = {
        task: {
            "source": "world",
            "task": task,
            "distribution": "reference",
            "images": 2,
        }
        for task in ("objects", "digits", "textures", "colours")
    }
    entries["scans"] = {"source": "handwriting", "part": "train"}
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4)).save(tmp_path / name / "1.png")
    entries["own"] = {"source": "folder", "path": str(tmp_path)}
    for name, entry in entries.items():
        spec = {"name": name, "seed": 0, "image_size": 32, **entry}
        expected = sources.load(entry["source"])(spec).class_names
        assert class_names(entries, name, Path) == expected
    entries["hard"] = {"source": "adversarial", "pool": "scans", "images": 1}
    assert class_names(entries, "hard", Path) == class_names(entries, "scans", Path)
