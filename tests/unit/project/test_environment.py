"""The environment that ``make`` makes: a user's own script runs in it."""

import os
import subprocess
import sys

import pytest
import torch

from stockpot.models import formats
from stockpot.models.classifier import Weights
from stockpot.models.files import WEIGHTS
from stockpot.models.load import load_classifier
from tests.support.paths import ARCHITECTURE

pytestmark = [pytest.mark.process, pytest.mark.slow]


SCRIPT = """
import sys
import open_clip, torch, torchvision
from safetensors.torch import load_file

folder = sys.argv[1]
model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
model.eval()
head = load_file(f"{folder}/head.safetensors")
images = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
with torch.no_grad():
    features = model.encode_image(images, normalize=True)
torch.save(features @ head["weight"].T + head["bias"], sys.argv[2])
"""


def plain_environment():
    """Variables of a user's shell, not of this test run."""
    return {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSTARTUP")
    }


def test_a_plain_script_imports_open_clip_and_loads_an_export(zero_shot, tmp_path):
    folder, logits = tmp_path / "export", tmp_path / "logits.pt"
    folder.mkdir()
    formats.load("open-clip")(
        folder, Weights(zero_shot), (ARCHITECTURE, ARCHITECTURE / WEIGHTS)
    )
    command = [sys.executable, "-c", SCRIPT, str(folder), str(logits)]
    done = subprocess.run(
        command, cwd=tmp_path, env=plain_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    images = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
    with torch.no_grad():
        expected = load_classifier(zero_shot)[0](images)
    assert torch.allclose(torch.load(logits, weights_only=True), expected, atol=1e-5)
