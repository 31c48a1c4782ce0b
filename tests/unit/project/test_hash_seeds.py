"""Recipes, tables and figures are the same whatever order sets have in an interpreter."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT, SCRIPTS

pytestmark = [pytest.mark.process, pytest.mark.slow]


PROGRAM = ROOT / "tests/support/print_digests.py"


def test_recipes_tables_and_figures_do_not_depend_on_the_hash_seed():
    path = os.pathsep.join([str(SCRIPTS), str(ROOT)])
    jobs = []
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        command = [sys.executable, str(PROGRAM)]
        jobs.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, text=True
            )
        )
    found = [json.loads(job.communicate()[0].splitlines()[-1]) for job in jobs]
    assert len(found[0]) > 20
    for name, digest in found[0].items():
        assert [other[name] for other in found] == [digest] * 3, name
