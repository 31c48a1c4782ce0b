"""Run code in a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import SCRIPTS


def python(code: str, hash_seed: int = 0, path: Path = SCRIPTS):
    """What a fresh interpreter prints as JSON in its last line."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": str(path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
