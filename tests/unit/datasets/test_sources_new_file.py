"""A source of data is one file in the folder of the sources."""

import shutil
import sys
from pathlib import Path

import pytest

from stockpot.config.check import check_config
from stockpot.datasets import sources
from stockpot.datasets.classes import class_names
from stockpot.planning import build_plan
from tests.support.config_mistakes import problems_of
from tests.support.paths import ROOT

SOURCE_MODULE = """
from ...runtime.options import PluginOptions
from . import Source


class Options(PluginOptions):
    needed: int
    given: str = "x"


SOURCE = Source(options=Options, seeded=True)

def classes(entry, locate):
    return {classes!r}

def identity(entry, locate):
    return ""

def counts(entry, locate):
    return [5]

def facts(entry, locate, key):
    return {{}}
"""


@pytest.fixture
def new_source(monkeypatch, tmp_path, config):
    """A source that is one file in the folder of the sources."""
    folder = tmp_path / "sources"
    shutil.copytree(Path(sources.__file__).parent, folder)
    classes = class_names(config["datasets"], "train", Path)
    (folder / "brand_new.py").write_text(SOURCE_MODULE.format(classes=classes))
    monkeypatch.setattr(sources, "__file__", str(folder / "__init__.py"))
    monkeypatch.setattr(sources, "__path__", [str(folder)])
    yield config
    sys.modules.pop(f"{sources.__name__}.brand_new", None)


def test_a_source_is_one_file(new_source, schema):
    """Its options are checked, its defaults are filled in, its classes are known."""
    config = new_source
    config["datasets"]["v2"] = {"source": "brand-new", "needed": 3}
    check_config(config, schema)
    plan = build_plan.build(config, lambda path: ROOT / path)
    (made,) = (
        job.spec
        for dataset_id, job in plan.datasets.items()
        if dataset_id.startswith("v2-")
    )
    assert made["needed"] == 3
    assert made["given"] == "x"
    assert made["seed"] == 0
    config["datasets"]["v2"] = {"source": "brand-new", "given": 3, "other": 1}
    lines = problems_of(config, schema)
    assert sorted(line.split(";")[0] for line in lines) == [
        "datasets.v2.given: 3 is not of type string",
        "datasets.v2: 'needed' is a required property",
        "datasets.v2: unknown key 'other'",
    ]
