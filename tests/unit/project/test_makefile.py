"""The Makefile."""

import shutil
import subprocess

import pytest

from tests.support.paths import ROOT


@pytest.mark.process
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_takes_a_target_for_no_config_file():
    arguments = ["--dry-run", "report", "CONFIG=a.yaml b.yaml", "ARGS=one.csv"]
    shown = subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "--cores all one.csv --configfile a.yaml b.yaml\n" in shown.stdout
    assert "study-name one.csv --configfile a.yaml b.yaml) && " in shown.stdout
