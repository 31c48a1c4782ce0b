"""Planning in processes of its own: the same ids in each, and no heavy imports."""

import pytest

from tests.support.interpreter import python
from tests.support.paths import ROOT
from tests.support.plans import KINDS, plan_of

FRESH = f"""
import json, sys, yaml
from pathlib import Path
from stockpot.planning import build_plan
root = Path({str(ROOT)!r})
config = yaml.safe_load((root / "config.yaml").read_text())
plan = build_plan.build(config, lambda path: root / path)
ids = [list(getattr(plan, kind)) for kind in {KINDS!r}]
print(json.dumps({{"ids": ids, "model": plan.model.id, "modules": sorted(sys.modules)}}))
"""


@pytest.fixture(scope="module")
def fresh_plans():
    """What two interpreters with different hash seeds plan, and what they loaded for it."""
    return [python(FRESH, hash_seed) for hash_seed in (1, 4711)]


@pytest.mark.process
@pytest.mark.slow
def test_ids_are_the_same_in_every_process(fresh_plans, config):
    plan = plan_of(config)
    for other in fresh_plans:
        assert other["ids"] == [list(getattr(plan, kind)) for kind in KINDS]
        assert other["model"] == plan.model.id


@pytest.mark.process
@pytest.mark.slow
def test_planning_is_light(fresh_plans):
    heavy = {
        "torch",
        "pandas",
        "numpy",
        "scipy",
        "open_clip",
        "timm",
        "matplotlib",
        "sklearn",
    }
    for other in fresh_plans:
        assert "stockpot.planning.build_plan" in other["modules"]
        assert heavy & set(other["modules"]) == set()
