"""The model card of the embedded weights."""

import hashlib

from tests.support.paths import ROOT


def test_the_model_card_names_the_committed_weights():
    folder = ROOT / "resources" / "mini_clip"
    weights = (folder / "open_clip_model.safetensors").read_bytes()
    assert len(weights) < 8e6
    assert hashlib.sha256(weights).hexdigest() in (folder / "README.md").read_text()
