"""The templates for plug-ins: each works as soon as it is copied to its package."""

import shutil

import pytest

from tests.support.interpreter import python
from tests.support.paths import ROOT

pytestmark = [pytest.mark.process, pytest.mark.slow]

TEMPLATES = ROOT / "docs/develop/templates"
# Template -> package, and an expression that uses the copy and is true.
USES = {
    "merge_method": (
        "merging/methods",
        "load('{name}')({{'a': 'sha-a', 'b': 'sha-b'}}, context)['ingredients']"
        " == {{'sha-0': 0.75, 'sha-a': 0.125, 'sha-b': 0.125}}",
    ),
    "selector": ("alpha/selectors", "choose('{name}', sweep) == 0.8"),
    "metric": ("metrics", "score('{name}', answers) == (0.25, 4, 1)"),
    "analysis": ("analyses", "load('{name}') and options('{name}')['models']"),
    "figure": ("figures", "load('{name}') and declared('{name}').caption"),
    "training_variant": (
        "training/variants",
        "load('{name}') and options('{name}')['shots']",
    ),
    "export_format": ("models/formats", "files('{name}') == ['weights.npz']"),
    "image_source": (
        "datasets/sources",
        "load('{name}')({{'images': 4, 'seed': 0, 'image_size': 8}}).images.shape == (4, 8, 8, 3)",
    ),
}
PROGRAM = """
import json
from types import SimpleNamespace
import numpy as np
import pandas as pd
from stockpot.{module} import *
from stockpot.{module} import names
context = SimpleNamespace(start="sha-0", spec={{"fraction": 0.25}})
sweep = pd.DataFrame({{"alpha": [0, 0.5, 0.8, 1], "held_out": [0.5, 0.9, 0.89, 0.87]}})
right = np.array([True, True, False, True])
answers = SimpleNamespace(correct=right, predicted=right, labels=right, groups=None)
assert "{name}" in names()
said = bool({expression})
"""
# Imports what is heavy once. Each program then runs in a fork, which has none of our modules.
EACH = """
import json, os, sys, traceback
import jsonschema, numpy, pandas, pydantic, torch, yaml
found = {{}}
for name, (folder, program) in {programs!r}.items():
    read, write = os.pipe()
    if os.fork() == 0:
        sys.path.insert(0, folder)
        space = {{}}
        try:
            exec(program, space)
        except BaseException:
            space["said"] = traceback.format_exc()
        with os.fdopen(write, "w") as file:
            json.dump(space["said"], file)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        found[name] = json.load(file)
    os.wait()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def results_of_copies(once_value, package_copy) -> dict:
    """What the program of each template says, in a copy of the package with it alone."""

    def make(empty) -> dict:
        programs = {}
        for template, (package, expression) in USES.items():
            folder = package_copy()
            shutil.copy(TEMPLATES / f"{template}.py", folder / package / "my_copy.py")
            program = PROGRAM.format(
                module=package.replace("/", "."),
                name="my-copy",
                expression=expression.format(name="my-copy"),
            )
            programs[template] = (str(folder.parent), program)
        return python(EACH.format(programs=programs), path=empty)

    return once_value("unit-templates", make)


def test_every_template_is_tried():
    assert {path.stem for path in TEMPLATES.glob("*.py")} == set(USES)


@pytest.mark.parametrize("template", USES)
def test_a_copied_template_works(template, results_of_copies):
    assert results_of_copies[template] is True
